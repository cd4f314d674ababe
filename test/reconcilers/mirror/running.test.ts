/** Mirrors in the real loop, with the real thread, while things change under a running refresh. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLog } from '../../../controller/log.ts';
import { startLoop } from '../../../controller/loop/controller.ts';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import type { Mirror } from '../../../crds/mirror.ts';
import { apiVersion, conditionOf, isReady } from '../../../crds/object.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { mirrorReconciler } from '../../../reconcilers/mirror/index.ts';
import { ThreadRunner } from '../../../reconcilers/mirror/thread-runner.ts';
import { eventually } from '../../e2e/product.ts';
import { Archive } from '../../world/archive.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { tempDir } from '../../world/temp.ts';
import { startUpstream } from '../../world/upstream.ts';

const key = { kind: 'Mirror', namespace: 'default', name: 'demo' };

async function world(t: TestContext, options: { architectures?: string[] } = {}) {
  const root = tempDir(t);
  const signer = await testKey('archive');
  const archive = new Archive(root, { suite: 'stable', signWith: signer, ...options });
  const upstream = await startUpstream(root);
  t.after(() => upstream.close());
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  const data = tempDir(t);
  const runner = new ThreadRunner({
    depot: { root: join(data, 'depot') },
    cache: join(data, 'cache'),
  });
  const secrets: Record<string, Record<string, string>> = {};
  const logs: string[] = [];
  const loop = startLoop({
    store,
    reconcilers: [mirrorReconciler({ runner, secrets: async ({ name }) => secrets[name] })],
    log: createLog({ format: 'json', level: 'debug', write: (line) => logs.push(line) }),
  });
  t.after(async () => {
    await loop.stop(1000);
    await runner.close();
    store.close();
  });
  const inline = await exportPublic(signer);
  const base = {
    url: upstream.url,
    suites: ['stable'],
    signedBy: { inline },
    limits: { retries: 0, stallTimeout: '10s' },
  };
  return {
    archive,
    upstream,
    store,
    secrets,
    logs,
    async apply(spec: object = {}) {
      const manifest = { apiVersion, kind: 'Mirror', metadata: { name: 'demo' } };
      await store.apply({ ...manifest, spec: { ...base, ...spec } }, 'test');
    },
    mirror: async () => (await store.get(key)) as Mirror | undefined,
  };
}

type World = Awaited<ReturnType<typeof world>>;

const ready = ({ mirror }: World) =>
  eventually(async () => {
    const found = await mirror();
    return found !== undefined && isReady(found);
  }, 'the mirror is ready');

/** A world whose refresh waits for one file, for as long as the test does. */
async function waiting(t: TestContext) {
  const started = await world(t, { architectures: ['amd64', 'arm64'] });
  const { archive, upstream } = started;
  archive.add({ name: 'slow', version: '1.0', architecture: 'arm64' });
  archive.add({ name: 'fast', version: '1.0', architecture: 'amd64' });
  await archive.publish();
  upstream.fault(/slow/, { delayMs: 2500 });
  await started.apply();
  await eventually(() => upstream.pending > 0 && isAskedFor(started, /fast/), 'it is fetching');
  return started;
}

function isAskedFor({ upstream }: World, path: RegExp): boolean {
  return upstream.requestsFor(path).length > 0;
}

test('a spec that changes under a running refresh gets the refresh that it wants', async (t) => {
  const running = await waiting(t);

  await running.apply({ architectures: ['amd64'] });
  await ready(running);

  const mirror = await running.mirror();
  assert.deepEqual(mirror?.status.state?.suites[0]?.architectures, ['amd64']);
  assert.equal(mirror?.status.state?.generation, mirror?.metadata.generation);
  assert.equal(mirror?.status.state?.packages, 1);
  assert.equal(mirror?.status.refreshInProgress, false);
  const events = await running.store.events(key);
  assert.equal(events.filter(({ reason }) => reason === 'Refreshed').length, 1);
  assert.deepEqual(
    events.filter(({ type }) => type === 'Warning'),
    [],
  );
});

test('a mirror that is deleted under a running refresh goes at once, and stays away', async (t) => {
  const running = await waiting(t);

  await running.store.delete(key);

  await eventually(async () => (await running.mirror()) === undefined, 'it is gone');
  await eventually(() => running.upstream.pending === 0, 'nothing is fetched any more', 2000);
  assert.equal(running.upstream.requestsFor(/slow/)[0]?.status, 0);
  assert.ok(!running.logs.some((line) => line.includes('"error"')), running.logs.join(''));
});

test('a password that is corrected in the secret is tried by itself', async (t) => {
  const running = await world(t);
  const { archive, upstream, secrets, apply } = running;
  archive.add({ name: 'hello', version: '1.0' });
  await archive.publish();
  upstream.fault(/./, { requireBasicAuth: { user: 'me', password: 'right-word' } });
  secrets['login'] = { username: 'me', password: 'wrong-word' };
  await apply({ secretRef: { name: 'login' } });
  const failed = async () => {
    const found = await running.mirror();
    return found !== undefined && conditionOf(found, 'Ready')?.reason === 'UpstreamRefused';
  };
  await eventually(failed, 'it is turned away');

  secrets['login'] = { username: 'me', password: 'right-word' };
  await ready(running);

  const told = JSON.stringify([await running.mirror(), await running.store.events(key)]);
  assert.doesNotMatch(told + running.logs.join(''), /(wrong|right)-word/);
});
