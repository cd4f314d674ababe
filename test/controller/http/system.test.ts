import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { it } from 'node:test';
import { startServer } from './fixture.ts';

it('tells whether it lives and is ready, and what is wrong', async (t) => {
  let state = { live: true, ready: true, problems: [] as string[] };
  const server = await startServer(t, { health: () => state });
  const answers = async () =>
    Promise.all(
      ['/livez', '/readyz', '/healthz'].map(async (path) => (await server.get(path)).status),
    );
  assert.deepEqual(await answers(), [200, 200, 200]);
  state = { live: true, ready: false, problems: ['the store is read only'] };
  assert.deepEqual(await answers(), [200, 503, 503]);
  assert.match(await (await server.get('/readyz')).text(), /the store is read only/);
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
