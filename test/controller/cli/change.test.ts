import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { exportPublic, testKey } from '../../world/keys.ts';
import { tempDir } from '../../world/temp.ts';
import { mirrorSpec, readyStatus, startCli, type CliServer } from './cli-world.ts';

const manifest = (kind: string, name: string, spec: object, namespace?: string) =>
  JSON.stringify({
    apiVersion: 'cairn.build/v1alpha1',
    kind,
    metadata: { name, ...(namespace && { namespace }) },
    spec,
  });

function stored(server: CliServer, kind: string, name: string) {
  return server.store.get({ kind, namespace: 'default', name });
}

describe('cairn apply', () => {
  it('creates, configures, and leaves alone what is the same', async (t) => {
    const server = await startCli(t);
    const apply = (suites: string[]) =>
      server.cairn('apply -f -', {
        input: manifest('Mirror', 'debian', { ...mirrorSpec, suites }),
      });
    assert.equal((await apply(['bookworm'])).out, 'mirror/debian created');
    assert.equal((await apply(['bookworm'])).out, 'mirror/debian unchanged');
    assert.equal((await apply(['trixie'])).out, 'mirror/debian configured');
  });

  it('puts the keys of a file into the manifest', async (t) => {
    const server = await startCli(t);
    const folder = tempDir(t);
    const key = await exportPublic(await testKey('archive'));
    mkdirSync(path.join(folder, 'keys'));
    writeFileSync(path.join(folder, 'keys/debian.asc'), key);
    const { allowUnsigned: _, ...signed } = mirrorSpec;
    const spec = { ...signed, signedBy: { file: 'keys/debian.asc' } };
    writeFileSync(path.join(folder, 'debian.yaml'), manifest('Mirror', 'debian', spec));
    assert.equal((await server.cairn(['apply', '-f', folder])).out, 'mirror/debian created');
    const object = await stored(server, 'Mirror', 'debian');
    assert.match(JSON.stringify(object?.spec), /BEGIN PGP PUBLIC KEY BLOCK/);
    const piped = await server.cairn('apply -f -', { input: manifest('Mirror', 'debian', spec) });
    assert.equal(piped.status, 3);
    assert.match(
      piped.err,
      /^stdin:1:\d+: spec\.signedBy\.file: standard input lies in no directory/,
    );
  });

  it('applies the good ones, and explains the bad ones by line and column', async (t) => {
    const server = await startCli(t);
    const good = manifest('MirrorSet', 'base', { mirrors: [{ name: 'debian' }] });
    const bad = manifest('Mirror', 'debian', { ...mirrorSpec, suite: ['bookworm'] });
    const input = `${good}\n---\n${bad}\n`;
    const { status, out, err } = await server.cairn('apply -f -', { input });
    assert.equal(status, 3);
    assert.equal(out, 'mirrorset/base created');
    assert.match(err, /^stdin:3:\d+: spec\.suite: unknown field; did you mean `suites`\?$/);
  });

  it('goes on after a manifest that the server refuses', async (t) => {
    const server = await startCli(t);
    await server.declare('Snapshot', 'base-1', { mirrorSetRef: { name: 'base' } });
    const input = [
      manifest('Snapshot', 'base-1', { mirrorSetRef: { name: 'other' } }),
      manifest('Snapshot', 'base-2', { mirrorSetRef: { name: 'base' } }),
    ].join('\n---\n');
    const { status, out, err } = await server.cairn('apply -f -', { input });
    assert.deepEqual([status, out], [3, 'snapshot/base-2 created']);
    assert.match(err, /^snapshot\/base-1 refused: .*never changes/);
  });
});

describe('commands that change one object', () => {
  it('delete it', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    assert.equal((await server.cairn('delete mirror/debian --wait')).out, 'mirror/debian deleted');
    const again = await server.cairn('delete mirror/debian');
    assert.deepEqual([again.status, again.err], [1, 'cairn: mirror/debian not found']);
  });

  it('say which name was meant', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    assert.equal(
      (await server.cairn('suspend mirror/debain')).err,
      'cairn: mirror/debain not found; did you mean mirror/debian?',
    );
  });

  it('annotate it, and take annotations away', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    await server.cairn('annotate mirror debian team=web note=a=b');
    assert.deepEqual((await stored(server, 'Mirror', 'debian'))?.metadata.annotations, {
      team: 'web',
      note: 'a=b',
    });
    await server.cairn('annotate mirror/debian team-');
    assert.deepEqual((await stored(server, 'Mirror', 'debian'))?.metadata.annotations, {
      note: 'a=b',
    });
    assert.equal((await server.cairn('annotate mirror/debian')).status, 2);
  });

  it('suspend and resume it, by annotation where the spec never changes', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    await server.declare('Snapshot', 'base-1', { mirrorSetRef: { name: 'base' } });
    const { out } = await server.cairn('suspend mirror/debian snapshot/base-1');
    assert.equal(out, 'mirror/debian suspended\nsnapshot/base-1 suspended');
    assert.equal(
      ((await stored(server, 'Mirror', 'debian'))?.spec as { suspend: boolean }).suspend,
      true,
    );
    const paused = (await stored(server, 'Snapshot', 'base-1'))?.metadata.annotations;
    assert.deepEqual(paused, { 'cairn.build/paused': 'true' });
    await server.cairn('resume mirror/debian snapshot/base-1');
    assert.equal(
      ((await stored(server, 'Mirror', 'debian'))?.spec as { suspend: boolean }).suspend,
      false,
    );
    assert.equal((await stored(server, 'Snapshot', 'base-1'))?.metadata.annotations, undefined);
  });

  it('reconcile it, and wait until that is done', async (t) => {
    const server = await startCli(t);
    const debian = await server.declare('Mirror', 'debian', mirrorSpec, readyStatus('True', 'old'));
    const waiting = server.cairn('reconcile mirror/debian --wait --timeout=20s');
    const token = await requestOf(server);
    const handled = { lastHandledReconcileAt: token };
    const running = { refreshInProgress: true, ...handled };
    await setStatus(server, readyStatus('True', 'old', running));
    await setStatus(server, readyStatus('True', 'new', handled));
    assert.deepEqual(await waiting.then(({ status, out }) => [status, out]), [
      0,
      'mirror/debian reconciled',
    ]);
    assert.equal(debian.metadata.generation, 1);
    const lost = await server.cairn('reconcile mirror/debian --wait --timeout=50ms');
    assert.equal(lost.status, 3);
    assert.match(lost.err, /the request was not taken up yet/);
  });

  it('reconcile it, and say that it is suspended', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', { ...mirrorSpec, suspend: true });
    const { err } = await server.cairn('reconcile mirror/debian');
    assert.equal(
      err,
      "warning: mirror/debian is suspended: nothing happens until 'cairn resume mirror/debian'",
    );
  });
});

async function setStatus(server: CliServer, status: object): Promise<void> {
  const object = await stored(server, 'Mirror', 'debian');
  if (object) await server.setStatus(object, status);
}

async function requestOf(server: CliServer): Promise<string> {
  for (;;) {
    const token = (await stored(server, 'Mirror', 'debian'))?.metadata.annotations?.[
      'reconcile.cairn.build/requestedAt'
    ];
    if (token !== undefined) return token;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('promotion', () => {
  async function world(server: CliServer) {
    for (const name of ['base-1', 'base-2']) {
      await server.declare('Snapshot', name, { mirrorSetRef: { name: 'base' } });
    }
    const status = readyStatus('True', 'serves base-1', {
      published: { snapshot: 'base-1' },
      previous: 'base-0',
    });
    return server.declare('Environment', 'production', { snapshotRef: { name: 'base-1' } }, status);
  }

  it('points the environment at another snapshot', async (t) => {
    const server = await startCli(t);
    await world(server);
    const { status, out } = await server.cairn('promote production base-2');
    assert.deepEqual([status, out], [0, 'environment/production base-1 -> base-2']);
    const { spec } = (await stored(server, 'Environment', 'production')) ?? {};
    assert.deepEqual((spec as { snapshotRef: object }).snapshotRef, { name: 'base-2' });
  });

  it('waits until it is served', async (t) => {
    const server = await startCli(t);
    await world(server);
    const { status, err } = await server.cairn(
      'promote production snapshot/base-2 --wait --timeout=50ms',
    );
    assert.equal(status, 3);
    assert.match(err, /timed out waiting for environment\/production/);
    const same = await server.cairn('promote environment/production base-1');
    assert.equal(same.out, 'environment/production base-2 -> base-1');
  });

  it('refuses a snapshot that does not exist', async (t) => {
    const server = await startCli(t);
    await world(server);
    const { status, err } = await server.cairn('promote production base-22');
    assert.deepEqual(
      [status, err],
      [1, 'cairn: snapshot/base-22 not found; did you mean snapshot/base-2?'],
    );
  });

  it('is undone by rollback', async (t) => {
    const server = await startCli(t);
    await world(server);
    assert.equal(
      (await server.cairn('rollback production')).out,
      'environment/production base-1 -> base-0',
    );
    await server.declare('Environment', 'fresh', { snapshotRef: { name: 'base-1' } });
    const { status, err } = await server.cairn('rollback fresh');
    assert.equal(status, 1);
    assert.match(err, /environment\/fresh has served nothing else before/);
  });
});

describe('cairn approve', () => {
  const digest = 'a'.repeat(64);

  it('approves exactly what is held', async (t) => {
    const server = await startCli(t);
    const objects = [{ kind: 'Mirror', namespace: 'default', name: 'debian' }];
    await server.declare(
      'ConfigSource',
      'config',
      { location: '/config' },
      { prune: { digest, objects } },
    );
    await server.declare('Mirror', 'debian', mirrorSpec, {
      shrink: { digest, vanishing: 70, of: 100 },
    });
    assert.equal(
      (await server.cairn('approve cfg/config')).out,
      'configsource/config: approved the deletion of 1 object\n  mirror/debian',
    );
    assert.equal(
      (await server.cairn('approve mirror/debian')).out,
      'mirror/debian: approved a refresh without 70 of 100 files',
    );
    await server.declare(
      'ConfigSource',
      'large',
      { location: '/config' },
      { prune: { digest, total: 1500, objects } },
    );
    assert.equal(
      (await server.cairn('approve cfg/large')).out,
      'configsource/large: approved the deletion of 1500 objects\n  mirror/debian\n  and 1499 more',
    );
    const annotationsOf = async (kind: string, name: string) =>
      (await stored(server, kind, name))?.metadata.annotations;
    assert.deepEqual(await annotationsOf('ConfigSource', 'config'), {
      'cairn.build/prune-approved': digest,
    });
    assert.deepEqual(await annotationsOf('Mirror', 'debian'), {
      'cairn.build/shrink-approved': digest,
    });
  });

  it('says so when nothing is held', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const { status, err } = await server.cairn('approve mirror/debian');
    assert.deepEqual([status, err], [1, 'cairn: nothing of mirror/debian is held']);
  });
});
