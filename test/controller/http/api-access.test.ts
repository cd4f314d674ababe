import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { createServer } from '../../../controller/http/server.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { call, mirror, mirrors } from './api-client.ts';
import { adminToken, readToken, startServer, type Fixture } from './fixture.ts';
import { raw } from './raw.ts';

/** A POST with exactly these headers; gives the status. */
async function post(
  server: Fixture,
  name: string,
  headers: Record<string, string>,
): Promise<number> {
  const body = JSON.stringify(mirror(name));
  const all = {
    'content-length': String(body.length),
    connection: 'close',
    'content-type': 'application/json',
    ...headers,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}`);
  const answer = await raw(
    server.port,
    `POST ${mirrors} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
  );
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

describe('writing through the API', () => {
  it('needs no token on the machine itself', async (t) => {
    const server = await startServer(t);
    const hosts = [`127.0.0.1:${server.port}`, `localhost:${server.port}`, '[::1]', 'LOCALHOST'];
    for (const [index, host] of hosts.entries()) {
      assert.equal(await post(server, `a${index}`, { host }), 201, host);
    }
    const host = `localhost:${server.port}`;
    assert.equal(await post(server, 'b', { host, origin: `http://${host}` }), 201);
  });

  it('needs it as soon as a browser could have been talked into it', async (t) => {
    const server = await startServer(t);
    const host = `localhost:${server.port}`;
    const cases: readonly Record<string, string>[] = [
      { host: 'attacker.example' },
      { host: `attacker.example:${server.port}` },
      { host: 'localhost.attacker.example' },
      { host: '127.0.0.1.attacker.example' },
      { host, origin: 'http://attacker.example' },
      { host, origin: 'null' },
      { host, origin: `https://${host}` },
      { host, origin: 'http://localhost:1' },
      { host, 'sec-fetch-site': 'cross-site' },
      { host, 'content-type': 'text/plain' },
      { host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      { host, 'content-type': 'multipart/form-data; boundary=x' },
      { host, 'x-forwarded-for': '203.0.113.1' },
      { host, authorization: `Bearer ${adminToken}x` },
    ];
    for (const headers of cases) {
      assert.equal(await post(server, 'a', headers), 401, JSON.stringify(headers));
    }
    assert.equal(await post(server, 'a', { host, authorization: `Bearer ${readToken}` }), 403);
    assert.equal((await call(server, 'GET', mirrors)).body.items.length, 0);
    const authorization = `Bearer ${adminToken}`;
    assert.equal(await post(server, 'a', { host: 'cairn.example', authorization }), 201);
  });

  it('needs it everywhere behind a proxy, and where others can reach the server', async (t) => {
    const proxied = await startServer(t, { externalUrl: 'https://apt.example.com' });
    assert.equal(await post(proxied, 'a', { host: 'localhost' }), 401);
    const open = await startServer(t);
    for (const address of ['0.0.0.0', '']) {
      const exposed = createServer({ ...open.options, metrics: new Registry() });
      t.after(() => exposed.close(0));
      const { url } = await exposed.listen(address, 0);
      const port = Number(new URL(url).port);
      assert.equal(await post({ ...open, port }, 'a', { host: 'localhost' }), 401);
    }
  });

  it('can be reached at all addresses where none is named, those of IPv6 as well', async (t) => {
    const { options } = await startServer(t);
    const server = createServer({ ...options, metrics: new Registry() });
    t.after(() => server.close(0));
    const { port } = new URL((await server.listen('', 0)).url);
    const all = Object.values(networkInterfaces()).flatMap((given = []) => given);
    const hosts = all.some(({ address }) => address === '::1')
      ? ['127.0.0.1', '[::1]']
      : ['127.0.0.1'];
    for (const host of hosts) {
      const { status } = await fetch(`http://${host}:${port}/healthz`);
      assert.equal(status, 200, host);
    }
  });

  it('leaves the status to the admin token', async (t) => {
    const server = await startServer(t);
    const { body } = await call(server, 'POST', mirrors, { body: mirror('a') });
    const status = { observedGeneration: 1 };
    const path = `${mirrors}/a/status`;
    const type = 'application/merge-patch+json';
    const headers = { authorization: `Bearer ${adminToken}` };
    assert.equal((await call(server, 'PATCH', path, { body: { status }, type })).status, 401);
    assert.equal((await call(server, 'PUT', path, { body: { ...body, status } })).status, 401);
    const patched = await call(server, 'PATCH', path, { body: { status }, type, headers });
    assert.equal(patched.body.status.observedGeneration, 1);
    const spec = { ...body.spec, suspend: true };
    const put = await call(server, 'PUT', path, {
      body: { ...patched.body, spec, status: {} },
      headers,
    });
    assert.deepEqual([put.status, put.body.spec.suspend], [200, false]);
    await call(server, 'PATCH', `${mirrors}/a`, {
      body: { status: { observedGeneration: 9 } },
      type,
    });
    assert.deepEqual((await call(server, 'GET', path)).body.status, put.body.status);
  });

  it('does not read a body that it refuses', async (t) => {
    const server = await startServer(t);
    const head = `POST ${mirrors} HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n`;
    const answer = await raw(server.port, `${head}Content-Length: 1000000000\r\n\r\n{`);
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.match(answer, /connection: close/i);
  });
});

describe('comparing', () => {
  it('hands on what was asked for', async (t) => {
    const diff = async (from: string, to: string) => {
      if (from === 'none') throw new CairnError('DependencyNotReady', 'no snapshot is called none');
      return { from, to };
    };
    const server = await startServer(t, { diff });
    const { body } = await call(server, 'GET', '/api/v1/diff?from=environment%2Fprod&to=b');
    assert.deepEqual(body, { from: 'environment/prod', to: 'b' });
    const unknown = await call(server, 'GET', '/api/v1/diff?from=none&to=b');
    assert.deepEqual([unknown.status, unknown.body.message], [404, 'no snapshot is called none']);
    assert.equal((await call(server, 'GET', '/api/v1/diff?from=a')).status, 400);
  });

  it('keeps the packages of private archives to those who may read them', async (t) => {
    const server = await startServer(t, {
      diff: async () => 'secret',
      externalUrl: 'https://x.example',
    });
    await server.mirror('m', { tree: await server.tree({ a: 'a' }), public: false });
    assert.equal((await call(server, 'GET', '/api/v1/diff?from=a&to=b')).status, 401);
    const headers = { authorization: `Bearer ${readToken}` };
    assert.equal(
      (await call(server, 'GET', '/api/v1/diff?from=a&to=b', { headers })).body,
      'secret',
    );
  });
});
