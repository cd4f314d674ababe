import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { check, type Health } from '../../../controller/health.ts';
import { until } from '../store/store.contract.ts';
import { startServer } from './fixture.ts';

describe('a probe', () => {
  const good = { live: [check('workers', [])], ready: [check('store', [])] };

  it('tells whether it lives and is ready, and what is wrong', async (t) => {
    let state: Health = good;
    const server = await startServer(t, { health: () => state });
    const answers = async () =>
      Promise.all(
        ['/livez', '/healthz', '/readyz'].map(async (path) => (await server.get(path)).status),
      );
    assert.deepEqual(await answers(), [200, 200, 200]);

    state = { ...good, ready: [check('store', ['it is read only'])] };
    assert.deepEqual(await answers(), [200, 200, 503]);
    assert.equal(
      await (await server.get('/readyz')).text(),
      '[+]ping ok\n[+]archives ok\n[-]store failed: it is read only\nreadyz check failed\n',
    );

    state = { ...good, live: [check('workers', ['one stands still', 'so does another'])] };
    assert.deepEqual(await answers(), [503, 503, 200]);
  });

  it('lists its checks, and leaves out those that are not to count, as kube-apiserver does', async (t) => {
    const state = { ...good, live: [check('workers', ['one stands still']), check('queue', [])] };
    const server = await startServer(t, { health: () => state });
    const asked = async (path: string) => {
      const answer = await server.get(path);
      return `${answer.status} ${await answer.text()}`;
    };

    assert.equal(
      await asked('/readyz?verbose'),
      '200 [+]ping ok\n[+]archives ok\n[+]store ok\nreadyz check passed\n',
    );
    assert.equal(
      await asked('/livez?verbose&exclude=workers'),
      '200 [+]ping ok\n[+]workers excluded: ok\n[+]queue ok\nlivez check passed\n',
    );
    assert.equal(await asked('/livez/queue'), '200 ok\n');
    assert.match(await asked('/livez/workers'), /^503 \[-\]workers failed: one stands still\n/);
    assert.match(await asked('/livez/nothing'), /^404/);
  });

  it('tells of what it does not fail for, and keeps credentials to itself', async (t) => {
    const told = ['cannot follow Mirror objects: https://me:hunter2@api.example is away'];
    const state = { ...good, ready: [check('store', told, 'poor')] };
    const server = await startServer(t, { health: () => state });

    const answer = await server.get('/readyz');

    assert.equal(answer.status, 200);
    const text = await answer.text();
    assert.match(text, /^ok\n\[!\]store: cannot follow Mirror objects: /);
    assert.doesNotMatch(text, /hunter2/);
  });

  it('is answered before the store is read, and nothing else is', async (t) => {
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const server = await startServer(t, { synced });
    const paths = ['/livez', '/metrics', '/version', '/readyz', '/', '/apis', '/mirrors/m/f'];
    const answers = async () =>
      Promise.all(paths.map(async (path) => (await server.get(path)).status));
    assert.deepEqual(await answers(), [200, 200, 200, 503, 503, 503, 503]);
    assert.match(
      await (await server.get('/readyz')).text(),
      /\[-\]archives failed: .*not known yet/,
    );

    resolve();
    await until(async () => (await server.get('/readyz')).ok);

    assert.deepEqual(await answers(), [200, 200, 200, 200, 200, 200, 404]);
  });
});

it('counts requests and bytes', async (t) => {
  const server = await startServer(t);
  await server.mirror('m', { tree: await server.tree({ f: '12345' }), url: 'http://x.example' });
  for (const path of ['/x.example/f', '/x.example/f', '/x.example/none', '/mirrors/m/f']) {
    await (await server.get(path)).arrayBuffer();
  }
  const text = await (await server.get('/metrics')).text();
  assert.match(text, /cairn_http_requests_total\{class="live",code="200"\} 2/);
  assert.match(text, /cairn_http_response_bytes_total\{class="live",code="200"\} 10/);
  assert.match(text, /cairn_http_requests_total\{class="mirror",code="200"\} 1/);
  assert.match(text, /cairn_http_requests_total\{class="page",code="404"\} 1/);
});

it('tells its version', async (t) => {
  const server = await startServer(t);
  const version = (await (await server.get('/version')).json()) as Record<string, string>;
  assert.match(version['gitVersion'] ?? '', /^v\d+\.\d+\.\d+/);
});

it('keeps reserved names for itself', async (t) => {
  const server = await startServer(t);
  for (const name of ['repositories', 'releases', 'builds', 'flists', 'images', 'openapi']) {
    assert.equal((await server.get(`/${name}/x`)).status, 404, name);
  }
});

it('says that its port is taken', async (t) => {
  const { createServer } = await import('../../../controller/http/server.ts');
  const server = await startServer(t);
  const { Registry } = await import('prom-client');
  const other = createServer({ ...server.options, metrics: new Registry() });
  await assert.rejects(other.listen('127.0.0.1', server.port), /EADDRINUSE/);
});

it('finishes what is running when it closes, and accepts nothing more', async (t) => {
  const server = await startServer(t);
  const content = Buffer.alloc(60_000_000, 'x');
  await server.mirror('m', { tree: await server.tree({ f: content }), url: 'http://x.example' });
  const response = await server.get('/x.example/f');
  const closed = server.close(20_000);
  await assert.rejects(server.get('/x.example/f'));
  assert.equal((await response.arrayBuffer()).byteLength, content.length);
  await closed;
});

it('cuts what does not finish in time', async (t) => {
  const server = await startServer(t);
  const content = Buffer.alloc(60_000_000, 'x');
  await server.mirror('m', { tree: await server.tree({ f: content }), url: 'http://x.example' });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write('GET /x.example/f HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable'); // and takes nothing
  await server.close(100);
  socket.resume();
  await once(socket, 'close');
});
