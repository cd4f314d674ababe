import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { freePort } from '../../world/port.ts';
import { mirrorSpec, readyStatus, startCli } from './cli-world.ts';
import { cairn } from './in-process.ts';

describe('cairn wait', () => {
  it('waits for an object that does not exist yet, until it is ready', async (t) => {
    const server = await startCli(t);
    const waiting = server.cairn('wait mirror/debian --timeout=20s');
    await sleep(50);
    const debian = await server.declare('Mirror', 'debian', mirrorSpec);
    await sleep(50);
    await server.setStatus(debian, readyStatus('True', 'holds bookworm'));
    assert.deepEqual(await waiting.then(({ status, out }) => [status, out]), [
      0,
      'mirror/debian condition met',
    ]);
  });

  it('does not take a condition of an older generation for an answer', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec, readyStatus('True', 'holds bookworm'));
    const patch = { ...mirrorSpec, suites: ['trixie'] };
    const stored = await server.store.get({ kind: 'Mirror', namespace: 'default', name: 'debian' });
    assert.ok(stored);
    await server.store.update({ ...stored, spec: patch });
    const { status, err } = await server.cairn('wait mirror/debian --timeout=0');
    assert.equal(status, 3);
    assert.match(
      err,
      /^timed out waiting for mirror\/debian: Ready is True \(of an older version of it\)/,
    );
  });

  it('says what is in the way when the time is over, with status 3', async (t) => {
    const server = await startCli(t);
    await server.declare(
      'Mirror',
      'debian',
      mirrorSpec,
      readyStatus('False', 'deb.example.org: refused'),
    );
    const { status, out, err } = await server.cairn(
      'wait mirror/debian mirror/ghost --timeout=200ms',
    );
    assert.deepEqual([status, out], [3, '']);
    assert.equal(
      err,
      'timed out waiting for mirror/debian: Ready is False: UpstreamUnreachable: deb.example.org: refused\n' +
        'timed out waiting for mirror/ghost: it does not exist',
    );
  });

  it('waits for a value at a JSONPath, as kubectl does', async (t) => {
    const server = await startCli(t);
    const published = (snapshot: string) => ({ published: { snapshot }, observedGeneration: 1 });
    const production = await server.declare(
      'Environment',
      'production',
      { snapshotRef: { name: 'base-1' } },
      published('base-1'),
    );
    const words = [
      'wait',
      'environment',
      'production',
      '--for=jsonpath={.status.published.snapshot}=base-2',
    ];
    const late = await server.cairn([...words, '--timeout=0']);
    assert.equal(late.status, 3);
    assert.match(
      late.err,
      /\{\.status\.published\.snapshot\} is base-1; it has no condition Ready yet/,
    );
    const waiting = server.cairn([...words, '--timeout=20s']);
    await server.setStatus(production, published('base-2'));
    assert.equal((await waiting).status, 0);
  });

  it('waits for deletion, of what never existed too', async (t) => {
    const server = await startCli(t);
    await server.declare('Mirror', 'debian', mirrorSpec);
    const waiting = server.cairn('wait mirror/debian mirror/ghost --for=delete --timeout=20s');
    await sleep(50);
    await server.store.delete({ kind: 'Mirror', namespace: 'default', name: 'debian' });
    const { status, out } = await waiting;
    assert.equal(status, 0);
    assert.deepEqual(out.split('\n').sort(), ['mirror/debian deleted', 'mirror/ghost deleted']);
  });

  it('shows how far a refresh has come on a terminal', async (t) => {
    const server = await startCli(t);
    const progress = {
      phase: 'Pool',
      files: 120,
      filesTotal: 400,
      bytes: 3 * 1024 ** 3,
      bytesTotal: 12 * 1024 ** 3,
      bytesPerSecond: 45 * 1024 ** 2,
    };
    await server.declare(
      'Mirror',
      'debian',
      mirrorSpec,
      readyStatus('False', 'fetching', { progress }),
    );
    const shown = await server.cairn('wait mirror/debian --timeout=0', {
      isTTY: true,
      columns: 120,
    });
    assert.deepEqual(shown.progress, [
      'mirror/debian  Pool  [#####---------------] 25%  120/400 files  3.0 GiB of 12 GiB  45 MiB/s',
    ]);
  });

  it('goes on when the server ends its watch, or has forgotten where it was', async (t) => {
    const debian = (message: string, status: 'True' | 'False') => ({
      kind: 'Mirror',
      metadata: { name: 'debian', namespace: 'default', generation: 1, resourceVersion: message },
      status: readyStatus(status, message),
    });
    const lists = [debian('1', 'False'), debian('2', 'False'), debian('3', 'True')];
    const server = createServer((req, res) => {
      if (!req.url?.includes('watch=true')) {
        res.end(listOf([lists.shift()]));
      } else if (lists.length === 2) {
        res
          .writeHead(410)
          .end(JSON.stringify({ message: 'too old', reason: 'Expired', code: 410 }));
      } else res.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { status } = await cairn(['wait', 'mirror/debian', '--server', `127.0.0.1:${port}`]);
    assert.deepEqual([status, lists.length], [0, 0]);
  });

  it('waits for a server that is being started, or started again', async (t) => {
    const statuses = [readyStatus('False', 'fetching'), readyStatus('True', 'holds bookworm')];
    const debian = { kind: 'Mirror', metadata: { name: 'debian', namespace: 'default' } };
    /** Answers one list, and goes away when it is asked for more. */
    async function start(port: number): Promise<number> {
      const server = createServer((req, res) => {
        if (req.url?.includes('watch=true')) {
          server.close();
          server.closeAllConnections();
        } else res.end(listOf([{ ...debian, status: statuses.shift() }]));
      });
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      t.after(() => void server.close());
      return (server.address() as AddressInfo).port;
    }
    const port = await freePort();
    let told = 0;
    const { status, out } = await cairn(
      ['wait', 'mirror/debian', '--server', `127.0.0.1:${port}`, '--timeout=20s'],
      {
        onLine(line) {
          if (!/^can't reach Cairn at .*; trying again/.test(line)) return;
          told += 1;
          void start(port);
        },
      },
    );
    assert.deepEqual([status, out, told], [0, 'mirror/debian condition met', 2]);
  });

  it('says that no server answers when the time is over', async () => {
    const words = ['wait', 'mirror/debian', '--server', '127.0.0.1:9'];
    const patient = await cairn([...words, '--timeout=400ms']);
    assert.equal(patient.status, 1);
    assert.match(patient.err, /refused; trying again[^\n]*\ncairn: can't reach [^\n]*cairn run/);
    const impatient = await cairn([...words, '--timeout=0']);
    assert.equal(impatient.status, 1);
    assert.doesNotMatch(impatient.err, /trying again/);
  });

  it('refuses goals and durations that make no sense', async (t) => {
    const server = await startCli(t);
    for (const words of ['--for=ready', '--timeout=soon', '--for=jsonpath={.a[}']) {
      const { status } = await server.cairn(['wait', 'mirror/debian', words]);
      assert.equal(status, 2, words);
    }
    assert.equal((await server.cairn('wait mirrors')).status, 2);
  });
});

function listOf(items: readonly unknown[]): string {
  return JSON.stringify({ kind: 'MirrorList', metadata: { resourceVersion: '1' }, items });
}
