/** Files on their way into a repository. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { eventually } from '../../e2e/product.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { adminToken, readToken, roleTokens, startServer, type Fixture } from './fixture.ts';

const content = Buffer.from('a package');
const digest = createHash('sha256').update(content).digest('hex');

/** One that others can reach: everybody needs a token. */
async function world(t: Scope) {
  const depot = tempDir(t);
  const server = await startServer(t, { externalUrl: 'https://apt.example.com', depot });
  const drafts = () =>
    readdirSync(join(depot, 'tmp'), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
  return { server, drafts };
}

function put(
  { url }: Fixture,
  token: string | undefined,
  { name = digest, query = '?repository=tools' } = {},
) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return fetch(`${url}/api/v1/blobs/${name}${query}`, { method: 'PUT', body: content, headers });
}

describe('a file that is to be published', () => {
  it('comes by its digest, from those who may publish', async (t) => {
    const { server } = await world(t);
    for (const token of [undefined, readToken, roleTokens.viewer, roleTokens.promoter]) {
      const refused = await put(server, token);
      assert.equal(refused.status, token === undefined ? 401 : 403);
      assert.equal(await server.blobs.size(digest), undefined);
    }
    for (const token of [roleTokens.editor, adminToken]) {
      const taken = await put(server, token);
      assert.equal(taken.status, 201);
      const answer = (await taken.json()) as { receipt: string };
      assert.deepEqual(answer, { sha256: digest, size: content.length, receipt: answer.receipt });
      assert.match(answer.receipt, /^[A-Za-z0-9_-]{43}$/);
    }
    assert.deepEqual(await server.blobs.bytes(digest), content);
  });

  it('gets a receipt that is good for one file in one repository', async (t) => {
    const { server } = await world(t);
    const receipt = async (query: string) => {
      const answer = await put(server, roleTokens.editor, { query });
      return ((await answer.json()) as { receipt: string }).receipt;
    };

    const ours = await receipt('?repository=tools');
    assert.equal(await receipt('?repository=tools&namespace=default'), ours);
    assert.notEqual(await receipt('?repository=other'), ours);
    assert.notEqual(await receipt('?repository=tools&namespace=other'), ours);
    for (const query of ['', '?repository=', '?repository=a&repository=b', '?repository=a%0Ab']) {
      assert.equal((await put(server, roleTokens.editor, { query })).status, 400, query);
    }
  });

  it('is told of to nobody who can not show it', async (t) => {
    const { server } = await world(t);
    assert.equal((await put(server, adminToken)).status, 201);
    const other = digest.replace(/^./, (first) => (first === '0' ? '1' : '0'));
    const authorization = `Bearer ${adminToken}`;

    for (const name of [digest, other]) {
      const path = `/api/v1/blobs/${name}?repository=tools`;
      for (const method of ['HEAD', 'GET']) {
        assert.equal((await server.get(path, { authorization }, method)).status, 404);
      }
      const empty = await fetch(server.url + path, { method: 'PUT', headers: { authorization } });
      assert.equal(empty.status, 409);
      assert.doesNotMatch(await empty.text(), /receipt/);
    }
  });

  it('is not sent to a server that will not have it, by who asks first', async (t) => {
    const { server } = await world(t);
    const ask = (token: string) =>
      raw(
        server,
        `PUT /api/v1/blobs/${digest}?repository=tools HTTP/1.1\r\nHost: x\r\n` +
          `Authorization: Bearer ${token}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`,
      );
    assert.match(await ask(adminToken), / 100 /);
    assert.match(await ask(roleTokens.viewer), / 403 /);
  });

  it('is refused, and leaves nothing, when it is not what its name says', async (t) => {
    const { server, drafts } = await world(t);
    const other = digest.replace(/^./, (first) => (first === '0' ? '1' : '0'));

    assert.equal((await put(server, adminToken, { name: other })).status, 409);
    for (const name of ['x', digest.toUpperCase(), `${digest}0`, '..%2f..%2fetc']) {
      assert.equal((await put(server, adminToken, { name })).status, 400, name);
    }
    assert.equal(await server.blobs.size(other), undefined);
    assert.deepEqual(drafts(), []);
  });

  it('has a size that is known before, and allowed', async (t) => {
    const { server } = await world(t);
    const headers = `PUT /api/v1/blobs/${digest}?repository=tools HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${adminToken}\r\n`;

    assert.match(
      await raw(server, `${headers}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
      / 400 /,
    );
    assert.match(await raw(server, `${headers}Content-Length: 99999999999999\r\n\r\n`), / 413 /);
  });

  it('that breaks off leaves nothing', async (t) => {
    const { server, drafts } = await world(t);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `PUT /api/v1/blobs/${digest}?repository=tools HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${adminToken}\r\n` +
        `Content-Length: ${content.length}\r\n\r\na pa`,
    );
    await eventually(() => drafts().length === 1, 'it is being written');
    socket.destroy();

    await eventually(() => drafts().length === 0, 'nothing is left');
    assert.equal(await server.blobs.size(digest), undefined);
    assert.equal((await put(server, adminToken)).status, 201);
  });
});

/** The first line of the answer. */
async function raw({ port }: Fixture, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  for await (const chunk of socket) {
    socket.destroy();
    return String(chunk).split('\r\n', 1)[0] ?? '';
  }
  return '';
}
