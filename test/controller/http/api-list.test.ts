import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call, mirror, mirrors, root } from './api-client.ts';
import { startServer, type Fixture } from './fixture.ts';

const labelled: Readonly<Record<string, Record<string, string>>> = {
  a: { tier: 'base', size: '10' },
  b: { tier: 'top' },
  c: {},
  d: { tier: 'base', 'example.com/team': 'x' },
};

async function filled(server: Fixture): Promise<void> {
  for (const [name, labels] of Object.entries(labelled)) {
    await call(server, 'POST', mirrors, { body: mirror(name, {}, { labels }) });
  }
}

function namesIn(body: { items: { metadata: { name: string } }[] }): string {
  return body.items.map(({ metadata }) => metadata.name).join('');
}

describe('a selector', () => {
  it('selects by the grammar of Kubernetes', async (t) => {
    const server = await startServer(t);
    await filled(server);
    const cases: Readonly<Record<string, string>> = {
      'tier=base': 'ad',
      'tier==base': 'ad',
      'tier!=base': 'bc',
      'tier in (base, top)': 'abd',
      'tier notin (base,top)': 'c',
      tier: 'abd',
      '!tier': 'c',
      'tier=base,!size': 'd',
      'tier in (base),example.com/team=x': 'd',
      'size>9': 'a',
      'size<10': '',
      'tier=': '',
      '': 'abcd',
    };
    for (const [selector, names] of Object.entries(cases)) {
      const path = `${mirrors}?labelSelector=${encodeURIComponent(selector)}`;
      assert.equal(namesIn((await call(server, 'GET', path)).body), names, selector);
    }
    for (const bad of ['tier in base', 'a b', 'x=(', ',', 'a=b,,c', '!', 'size>big']) {
      const path = `${mirrors}?labelSelector=${encodeURIComponent(bad)}`;
      const { status, body } = await call(server, 'GET', path);
      assert.deepEqual([status, body.message.includes('labelSelector')], [400, true], bad);
    }
  });

  it('selects by name and namespace', async (t) => {
    const server = await startServer(t);
    await filled(server);
    await call(server, 'POST', `${root}/namespaces/team/mirrors`, { body: mirror('a') });
    const select = async (selector: string) =>
      call(server, 'GET', `${root}/mirrors?fieldSelector=${encodeURIComponent(selector)}`);
    assert.equal(namesIn((await select('metadata.name=a')).body), 'aa');
    assert.equal(namesIn((await select('metadata.name=a,metadata.namespace!=team')).body), 'a');
    const unknown = await select('spec.url=x');
    assert.equal(unknown.status, 400);
    assert.match(unknown.body.message, /field label not supported: spec\.url/);
  });
});

describe('a list', () => {
  it('comes in pages', async (t) => {
    const server = await startServer(t);
    await filled(server);
    const first = (await call(server, 'GET', `${mirrors}?limit=3`)).body;
    assert.deepEqual([namesIn(first), first.metadata.remainingItemCount], ['abc', 1]);
    await call(server, 'POST', mirrors, { body: mirror('e') });
    const next = `${mirrors}?limit=3&continue=${first.metadata.continue}`;
    const second = (await call(server, 'GET', next)).body;
    assert.deepEqual([namesIn(second), second.metadata.continue], ['de', undefined]);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    for (const bad of ['limit=-1', 'limit=x', 'continue=x']) {
      assert.equal((await call(server, 'GET', `${mirrors}?${bad}`)).status, 400, bad);
    }
  });

  it('is of the version that is asked for, or none', async (t) => {
    const server = await startServer(t);
    await filled(server);
    const list = (query: string) => call(server, 'GET', `${mirrors}?${query}`);
    const { resourceVersion } = (await list('')).body.metadata;
    const cases: Readonly<Record<string, number>> = {
      'resourceVersion=0': 200,
      [`resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`]: 200,
      'resourceVersion=1&resourceVersionMatch=NotOlderThan': 200,
      'resourceVersion=1&resourceVersionMatch=Exact': 410,
      'resourceVersion=999999': 504,
      'resourceVersionMatch=Exact': 422,
      'resourceVersion=1&resourceVersionMatch=Newest': 422,
      'resourceVersion=x': 400,
    };
    for (const [query, status] of Object.entries(cases)) {
      assert.equal((await list(query)).status, status, query);
    }
  });
});

describe('a watch that lists', () => {
  it('tells what is there, marks its end, and goes on', async (t) => {
    const server = await startServer(t);
    await filled(server);
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
    const path = `${mirrors}?${query}&allowWatchBookmarks=true&timeoutSeconds=1`;
    const response = await server.get(path);
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ type }) => type),
      ['ADDED', 'ADDED', 'ADDED', 'ADDED', 'BOOKMARK'],
    );
    const { annotations } = lines.at(-1).object.metadata;
    assert.deepEqual(annotations, { 'k8s.io/initial-events-end': 'true' });
    const without = await call(server, 'GET', `${mirrors}?watch=1&sendInitialEvents=true`);
    assert.equal(without.status, 422);
    assert.match(without.body.message, /^resourceVersionMatch: /);
  });
});
