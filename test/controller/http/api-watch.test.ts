import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call, mirror, mirrors, root, type Answer } from './api-client.ts';
import { startServer, type Fixture } from './fixture.ts';

/** The lines of a watch, one after the other. */
async function* watch(server: Fixture, path: string): AsyncGenerator<Answer['body']> {
  const response = await fetch(`${server.url}${path}`);
  assert.equal(response.status, 200);
  let rest = '';
  for await (const piece of response.body ?? []) {
    rest += Buffer.from(piece).toString();
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

async function take(lines: AsyncGenerator<Answer['body']>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value, done } = await lines.next();
    if (done) break;
    taken.push(`${value.type} ${value.object.metadata?.name ?? value.object.code}`);
  }
  return taken;
}

async function label(server: Fixture, name: string, tier: string | null): Promise<void> {
  const body = { metadata: { labels: { tier } } };
  const type = 'application/merge-patch+json';
  assert.equal((await call(server, 'PATCH', `${mirrors}/${name}`, { body, type })).status, 200);
}

describe('a watch', () => {
  it('tells every change after the list, in order', async (t) => {
    const server = await startServer(t);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    const { body } = await call(server, 'GET', mirrors);
    const from = body.metadata.resourceVersion;
    await call(server, 'POST', mirrors, { body: mirror('b') });
    const lines = watch(server, `${mirrors}?watch=true&resourceVersion=${from}`);
    assert.deepEqual(await take(lines, 1), ['ADDED b']);
    await label(server, 'a', 'base');
    await call(server, 'DELETE', `${mirrors}/b`);
    assert.deepEqual(await take(lines, 2), ['MODIFIED a', 'DELETED b']);
    await lines.return(undefined);
  });

  it('begins with what is there when it is given no version', async (t) => {
    const server = await startServer(t);
    for (const name of ['a', 'b']) await call(server, 'POST', mirrors, { body: mirror(name) });
    const lines = watch(server, `${mirrors}?watch=1`);
    assert.deepEqual(await take(lines, 2), ['ADDED a', 'ADDED b']);
    await call(server, 'POST', mirrors, { body: mirror('c') });
    assert.deepEqual(await take(lines, 1), ['ADDED c']);
    await lines.return(undefined);
  });

  it('is about what its selector selects: what leaves it is deleted to its reader', async (t) => {
    const server = await startServer(t);
    for (const name of ['a', 'b']) await call(server, 'POST', mirrors, { body: mirror(name) });
    await label(server, 'a', 'base');
    const lines = watch(server, `${root}/mirrors?watch=true&labelSelector=tier%3Dbase`);
    assert.deepEqual(await take(lines, 1), ['ADDED a']);
    await label(server, 'b', 'other');
    await label(server, 'b', 'base');
    await label(server, 'a', null);
    await call(server, 'DELETE', `${mirrors}/a`);
    await call(server, 'DELETE', `${mirrors}/b`);
    assert.deepEqual(await take(lines, 3), ['ADDED b', 'DELETED a', 'DELETED b']);
    await lines.return(undefined);
  });

  it('answers 410 when the version is unknown', async (t) => {
    const server = await startServer(t);
    for (const version of ['999999', 'abc']) {
      const answer = await call(server, 'GET', `${mirrors}?watch=true&resourceVersion=${version}`);
      assert.deepEqual(
        [answer.status, answer.body.kind, answer.body.reason],
        [410, 'Status', 'Expired'],
      );
    }
  });

  it('ends when it has lasted for timeoutSeconds, and when the server closes', async (t) => {
    const server = await startServer(t);
    assert.deepEqual(await take(watch(server, `${mirrors}?watch=true&timeoutSeconds=1`), 9), []);
    const lines = watch(server, `${mirrors}?watch=true`);
    await call(server, 'POST', mirrors, { body: mirror('a') });
    assert.deepEqual(await take(lines, 1), ['ADDED a']);
    const rest = take(lines, 9);
    await server.close(5000);
    assert.deepEqual(await rest, []);
  });
});
