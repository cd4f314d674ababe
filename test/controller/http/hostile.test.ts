import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startServer } from './fixture.ts';
import { raw, rawGet } from './raw.ts';

it('never leaves a tree, whatever the path looks like', async (t) => {
  const server = await startServer(t);
  const tree = await server.tree({ 'dists/bookworm/InRelease': 'x', 'a/b': 'y' });
  await server.mirror('debian', { tree, url: 'http://x.example/d' });
  const expected: readonly (readonly [string, number])[] = [
    ['/x.example/d/a/b', 200],
    ['/x.example/d/a/./b', 200],
    ['//x.example//d/a/b', 200],
    ['/x.example/d/a/b?download=1', 200],
    ['http://anything.example/x.example/d/a/b', 200],
    ['/x.example/d/../../../../etc/passwd', 400],
    ['/x.example/d/a/../a/b', 400],
    ['/x.example/d/%2e%2e/%2e%2e/etc/passwd', 400],
    ['/x.example/d/.%2E/etc/passwd', 400],
    ['/..', 400],
    ['/x.example/d/a%2fb', 400],
    ['/x.example%2Fd/a/b', 400],
    ['/x.example/d/a%5cb', 400],
    ['/x.example/d/a\\b', 400],
    ['/x.example/d/a%00b', 400],
    ['/x.example/d/a/b%00', 400],
    ['/x.example/d/%0d%0aSet-Cookie:x=1', 400],
    ['/x.example/d/a%zz', 400],
    ['/x.example/d/a%', 400],
    ['/x.example/d/%ff%fe', 400],
    ['/x.example/d/%252e%252e/a', 404],
    ['/x.example/d/...', 404],
    ['/proc/self/environ', 404],
    ['*', 400],
    ['/__proto__/constructor', 404],
    ['/environments/__proto__/x', 404],
    ['/mirrors/constructor/a', 404],
    [`/${'a/'.repeat(7000)}b`, 404],
  ];
  for (const [target, status] of expected) {
    const answer = await rawGet(server.port, target);
    assert.equal(answer.status, status, target);
    assert.doesNotMatch(answer.head, /set-cookie/i);
    if (status === 200) assert.equal(answer.body, 'y');
  }
});

it('refuses headers that are too large, and bad HTTP', async (t) => {
  const server = await startServer(t);
  const large = await rawGet(server.port, '/', ['Host: x', `X: ${'x'.repeat(17_000)}`]);
  assert.equal(large.status, 431);
  assert.match(await raw(server.port, 'NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

it('answers ten pipelined requests in order', async (t) => {
  const server = await startServer(t);
  const large = Buffer.alloc(600_000, 'L');
  const tree = await server.tree({
    large,
    ...Object.fromEntries('abcdefghi'.split('').map((n) => [n, n])),
  });
  await server.mirror('m', { tree, url: 'http://x.example' });
  const names = ['a', 'large', 'b', 'c', 'large', 'd', 'e', 'f', 'g', 'h', 'i'];
  const requests = names.map((name) => `GET /x.example/${name} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const answer = await raw(
    server.port,
    `${requests.join('')}GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  );
  const bodies = answer
    .split(/HTTP\/1\.1 /)
    .slice(1, -1)
    .map((one) => one.split('\r\n\r\n')[1] ?? '');
  const expected = names.map((name) => (name === 'large' ? large.toString() : name));
  assert.ok(bodies.every((body, index) => body === expected[index]));
  assert.equal(bodies.length, names.length);
});

it('survives clients that go away in the middle, and serves the next one', async (t) => {
  const server = await startServer(t);
  const large = Buffer.alloc(20_000_000, 'L');
  await server.mirror('m', { tree: await server.tree({ large }), url: 'http://x.example' });
  for (let round = 0; round < 5; round += 1) {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const request = 'GET /x.example/large HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(request.repeat(3));
    await once(socket, 'data');
    socket.destroy();
  }
  await delay(50);
  const response = await server.get('/x.example/large');
  assert.equal((await response.arrayBuffer()).byteLength, large.length);
  assert.doesNotMatch(server.logs.join(''), /ERROR/);
});
