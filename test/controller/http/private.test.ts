import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { adminToken, member, readToken, startServer, type Fixture } from './fixture.ts';

const bearer = { authorization: `Bearer ${readToken}` };

async function withBoth(t: TestContext): Promise<Fixture> {
  const server = await startServer(t);
  const open = await server.tree({ 'dists/bookworm/InRelease': 'open', 'pool/o': 'o' });
  const closed = await server.tree({ 'dists/bookworm/InRelease': 'closed', 'pool/c': 'c' });
  await server.mirror('open', { tree: open, url: 'http://open.example/d' });
  await server.mirror('closed', { tree: closed, url: 'http://closed.example/d', public: false });
  const members = [
    member('open.example/d', open),
    member('closed.example/d', closed, { public: false, mirror: 'closed' }),
  ];
  await server.snapshot('both', { members });
  await server.environment('prod', {
    members: members.map((one) => ({ ...one, overlay: one.tree })),
  });
  return server;
}

const prefixes = ['', '/snapshots/both', '/environments/prod'];

it('asks for the read token where a mirror is private, and only there', async (t) => {
  const server = await withBoth(t);
  for (const prefix of prefixes) {
    const open = await server.get(`${prefix}/open.example/d/dists/bookworm/InRelease`);
    assert.equal(open.status, 200);
    const path = `${prefix}/closed.example/d/dists/bookworm/InRelease`;
    const refused = await server.get(path);
    assert.equal(refused.status, 401, path);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic realm="cairn"/);
    assert.doesNotMatch(await refused.text(), /closed/);
    const allowed = await server.get(path, bearer);
    assert.equal(await allowed.text(), 'closed');
    assert.match(allowed.headers.get('cache-control') ?? '', /^private/);
    assert.equal(allowed.headers.get('vary'), 'Authorization');
    assert.equal((await server.get(path)).status, 401, 'again, after it was in the cache');
  }
});

it('does not open what a mirror holds when it becomes public and another archive at once', async (t) => {
  const server = await withBoth(t);
  const closed = await server.store.get({ kind: 'Mirror', namespace: 'default', name: 'closed' });
  assert.ok(closed);
  const spec = { ...(closed.spec as object), url: 'http://other.example/d', public: true };
  const moved = await server.store.update({ ...closed, spec });
  const before = await server.get('/closed.example/d/dists/bookworm/InRelease');
  assert.equal(before.status, 401);

  const { state } = moved.status as { state?: object };
  await server.setStatus(moved, { state: { ...state, url: 'http://other.example/d' } });
  const after = await server.get('/other.example/d/dists/bookworm/InRelease');
  assert.equal(after.status, 200);
});

it('takes the token as Bearer, or as the password of any user, and the admin token as well', async (t) => {
  const server = await withBoth(t);
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  const cases: readonly (readonly [string, number])[] = [
    [`Bearer ${readToken}`, 200],
    [`bearer ${readToken}`, 200],
    [`Bearer ${adminToken}`, 200],
    [basic(`login:${readToken}`), 200],
    [basic(`:${readToken}`), 200],
    [basic(`${readToken}:`), 401],
    [basic(readToken), 401],
    [`Bearer ${readToken}x`, 401],
    ['Bearer ', 401],
    ['Bearer', 401],
    [`Digest ${readToken}`, 401],
  ];
  for (const [authorization, status] of cases) {
    const response = await server.get('/closed.example/d/pool/c', { authorization });
    assert.equal(response.status, status, authorization);
  }
});

it('lets nobody in by an empty token', async (t) => {
  const server = await startServer(t, { readToken: '', adminToken: '' });
  const tree = await server.tree({ 'pool/c': 'c' });
  await server.mirror('closed', { tree, url: 'http://closed.example', public: false });
  for (const authorization of ['Bearer ', 'Basic Og==', 'Basic OiA=']) {
    assert.equal((await server.get('/closed.example/pool/c', { authorization })).status, 401);
  }
});

it('does not tell which private files exist', async (t) => {
  const server = await withBoth(t);
  for (const path of ['pool/c', 'pool/nothing', 'pool/', 'nothing/', '']) {
    assert.equal((await server.get(`/closed.example/d/${path}`)).status, 401, path);
  }
  assert.equal((await server.get('/closed.example/d/pool/nothing', bearer)).status, 404);
});

it('shows private archives on pages only to those with the token', async (t) => {
  const server = await withBoth(t);
  for (const path of ['/', '/snapshots/both/', '/environments/prod/']) {
    const without = await (await server.get(path)).text();
    assert.match(without, /open\.example/);
    assert.doesNotMatch(without, /closed/);
    assert.match(without, /only with the read token/);
    assert.match(await (await server.get(path, bearer)).text(), /closed\.example/);
  }
});

it('serves the public one of two mirrors that share a path to everybody', async (t) => {
  const server = await startServer(t);
  const url = 'http://shared.example/d';
  const a = await server.tree({ 'dists/a/InRelease': 'private a', both: 'private' });
  const b = await server.tree({ 'dists/b/InRelease': 'public b', both: 'public' });
  await server.mirror('a', { tree: a, url, public: false });
  await server.mirror('b', { tree: b, url });
  const read = async (path: string, headers = {}) => {
    const response = await server.get(`/shared.example/d/${path}`, headers);
    return response.status === 200 ? response.text() : response.status;
  };
  assert.equal(await read('dists/b/InRelease'), 'public b');
  assert.equal(await read('dists/a/InRelease'), 401);
  assert.equal(await read('both'), 'public');
  assert.equal(await read('dists/a/InRelease', bearer), 'private a');
  assert.equal(await read('dists/b/InRelease', bearer), 'public b');
});
