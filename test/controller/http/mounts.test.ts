import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mountPath } from '../../../crds/mount-path.ts';
import { tempDir } from '../../world/temp.ts';
import { member, startServer, suite, type Fixture } from './fixture.ts';

async function text(server: Fixture, path: string): Promise<string | number> {
  const response = await server.get(path);
  return response.status === 200 ? response.text() : response.status;
}

it('maps the URL of an upstream to one path, however it is written', () => {
  const same = ['http://Deb.Example.org/debian', 'https://deb.example.org//debian/'];
  for (const url of same) assert.equal(mountPath(url), 'deb.example.org/debian');
  assert.equal(mountPath('http://a.example:8080/x%2By/'), 'a.example:8080/x+y');
  assert.equal(mountPath('http://a.example:80'), 'a.example');
});

describe('live mirrors', () => {
  it('change at once when their state does', async (t) => {
    const server = await startServer(t);
    const path = '/deb.example.org/debian/dists/bookworm/InRelease';
    assert.equal(await text(server, path), 404);
    for (const content of ['first', 'second']) {
      const tree = await server.tree({ 'dists/bookworm/InRelease': content });
      await server.mirror('debian', { tree });
      assert.equal(await text(server, path), content);
    }
    await server.store.delete({ kind: 'Mirror', namespace: 'default', name: 'debian' });
    assert.equal(await text(server, path), 404);
  });

  it('are served by name, too', async (t) => {
    const server = await startServer(t);
    await server.mirror('debian', { tree: await server.tree({ 'pool/a': 'a' }) });
    assert.equal(await text(server, '/mirrors/debian/pool/a'), 'a');
    assert.equal(await text(server, '/mirrors/other/pool/a'), 404);
  });

  it('share a path when they mirror suites of one archive', async (t) => {
    const server = await startServer(t);
    const url = 'http://x.example/ubuntu';
    const a = await server.tree({ 'dists/a/InRelease': 'a', 'pool/both': 'same' });
    const b = await server.tree({ 'dists/b/InRelease': 'b', 'pool/both': 'same' });
    await server.mirror('a', { tree: a, url, suites: [suite('a')] });
    await server.mirror('b', { tree: b, url, suites: [suite('b')] });
    for (const name of ['a', 'b']) {
      assert.equal(await text(server, `/x.example/ubuntu/dists/${name}/InRelease`), name);
    }
    assert.equal(await text(server, '/x.example/ubuntu/pool/both'), 'same');
  });

  it('win over those above them when they are nested', async (t) => {
    const server = await startServer(t);
    await server.mirror('outer', {
      tree: await server.tree({ 'in/a': 'outer', b: 'b' }),
      url: 'http://x.example/d',
    });
    await server.mirror('inner', {
      tree: await server.tree({ a: 'inner' }),
      url: 'http://x.example/d/in',
    });
    assert.equal(await text(server, '/x.example/d/in/a'), 'inner');
    assert.equal(await text(server, '/x.example/d/b'), 'b');
  });

  it('decode the escapes in the path of their upstream', async (t) => {
    const server = await startServer(t);
    const tree = await server.tree({ a: 'a' });
    await server.mirror('odd', { tree, url: 'http://x.example:8080/a%2Bb/' });
    assert.equal(await text(server, '/x.example:8080/a+b/a'), 'a');
    assert.equal(await text(server, '/x.example%3A8080/a%2bb/a'), 'a');
  });

  it('answer by-hash requests for indexes of before', async (t) => {
    const server = await startServer(t);
    const byHash = `dists/bookworm/main/binary-amd64/by-hash/SHA256/${'a'.repeat(64)}`;
    const before = await server.tree({ [byHash]: 'old', 'pool/old': 'old' });
    const tree = await server.tree({ 'pool/new': 'new' });
    await server.mirror('debian', { tree, predecessors: [before] });
    assert.equal(await text(server, `/deb.example.org/debian/${byHash}`), 'old');
    assert.equal(await text(server, '/deb.example.org/debian/pool/old'), 404);
  });
});

describe('snapshots', () => {
  it('are found by name, by uid, and by the time they were the newest', async (t) => {
    const server = await startServer(t);
    const taken = ['2026-08-01T12:00:00.500Z', '2026-08-02T12:00:00Z'];
    const uids: string[] = [];
    for (const [index, takenAt] of taken.entries()) {
      const tree = await server.tree({ f: `content ${index}` });
      const members = [member('x.example/d', tree)];
      const { metadata } = await server.snapshot(`snap-${index}`, { takenAt, members });
      uids.push(metadata.uid);
    }
    const other = [member('y.example', await server.tree({ f: 'another set' }))];
    await server.snapshot('other', {
      takenAt: '2026-08-03T12:00:00Z',
      mirrorSet: 'set-y',
      members: other,
    });
    const cases: readonly (readonly [string, string | number])[] = [
      ['snap-0/x.example/d', 'content 0'],
      [`${uids[0]}/x.example/d`, 'content 0'],
      ['20260801T120000Z/x.example/d', 'content 0'],
      ['20260801T115959Z/x.example/d', 404],
      ['20260802T115959Z/x.example/d', 'content 0'],
      ['20260802T120000Z/x.example/d', 'content 1'],
      ['20991231T000000Z/x.example/d', 'content 1'],
      ['20991231T000000Z/y.example', 'another set'],
      ['all@20991231T000000Z/x.example/d', 'content 1'],
      ['set-y@20991231T000000Z/x.example/d', 404],
      ['set-y@20991231T000000Z/y.example', 'another set'],
      ['none@20991231T000000Z/y.example', 404],
      ['20261331T000000Z/x.example/d', 404],
      ['unknown/x.example/d', 404],
    ];
    for (const [id, expected] of cases) {
      assert.equal(await text(server, `/snapshots/${id}/f`), expected, id);
    }
    const response = await server.get('/snapshots/snap-0/x.example/d/f');
    assert.equal(response.headers.get('last-modified'), 'Sat, 01 Aug 2026 12:00:00 GMT');
  });

  it('serve upstream’s own Release files', async (t) => {
    const server = await startServer(t);
    const tree = await server.tree({ 'dists/bookworm/InRelease': 'upstream' });
    await server.snapshot('a', { members: [member('x.example', tree)] });
    assert.equal(await text(server, '/snapshots/a/x.example/dists/bookworm/InRelease'), 'upstream');
  });
});

describe('environments', () => {
  it('serve Release files of their own, over the indexes and pool of the snapshot', async (t) => {
    const server = await startServer(t);
    const packages = 'dists/bookworm/main/binary-amd64/Packages';
    const tree = await server.tree({
      'dists/bookworm/InRelease': 'upstream',
      'dists/bookworm/Release': 'upstream',
      'dists/bookworm/Release.gpg': 'upstream',
      'dists/bookworm/main/binary-amd64/Release': 'of the component',
      [packages]: 'packages',
      'pool/p': 'pool',
    });
    const overlay = await server.tree({ 'dists/bookworm/InRelease': 'ours' });
    await server.environment('prod', { members: [{ ...member('x.example', tree), overlay }] });
    const root = '/environments/prod/x.example';
    assert.equal(await text(server, `${root}/dists/bookworm/InRelease`), 'ours');
    assert.equal(await text(server, `${root}/dists/bookworm/Release`), 404);
    assert.equal(await text(server, `${root}/dists/bookworm/Release.gpg`), 404);
    assert.equal(
      await text(server, `${root}/dists/bookworm/main/binary-amd64/Release`),
      'of the component',
    );
    assert.equal(await text(server, `${root}/${packages}`), 'packages');
    assert.equal(await text(server, `${root}/pool/p`), 'pool');
    const release = await server.get(`${root}/dists/bookworm/InRelease`);
    assert.equal(release.headers.get('last-modified'), 'Sun, 02 Aug 2026 00:00:00 GMT');
    const listing = await text(server, `${root}/dists/bookworm/`);
    assert.doesNotMatch(String(listing), /Release\.gpg/);
  });

  it('are one snapshot or the other, never a mixture, while they are promoted', async (t) => {
    const server = await startServer(t);
    const state = async (name: string) => {
      const byHash = `dists/bookworm/by-hash/SHA256/${name === 'one' ? '1'.repeat(64) : '2'.repeat(64)}`;
      const tree = await server.tree({ [byHash]: name, 'dists/bookworm/Packages': name });
      const overlay = await server.tree({ 'dists/bookworm/InRelease': name });
      return { name, byHash, member: { ...member('x.example', tree), overlay } };
    };
    const [one, two] = [await state('one'), await state('two')];
    const root = '/environments/prod/x.example';
    for (let round = 0; round < 6; round += 1) {
      const [now, before] = round % 2 === 0 ? [one, two] : [two, one];
      const { tree, overlay } = before.member;
      await server.environment('prod', {
        date: `2026-08-02T00:00:0${round}Z`,
        members: [now.member],
        history: [{ trees: [tree], overlays: [overlay] }],
      });
      assert.equal(await text(server, `${root}/dists/bookworm/InRelease`), now.name);
      assert.equal(await text(server, `${root}/dists/bookworm/Packages`), now.name);
      assert.equal(await text(server, `${root}/${now.byHash}`), now.name);
      assert.equal(await text(server, `${root}/${before.byHash}`), before.name);
    }
  });

  it('do not open what was private before', async (t) => {
    const server = await startServer(t);
    const byHash = `dists/s/by-hash/SHA256/${'a'.repeat(64)}`;
    const secret = await server.tree({ [byHash]: 'secret' });
    const open = await server.tree({ 'pool/o': 'o' });
    const overlay = await server.tree({ 'dists/s/InRelease': 'x' });
    const members = [
      { ...member('open.example', open), overlay },
      { ...member('closed.example', open, { public: false }), overlay },
    ];
    const { metadata } = await server.snapshot('before', {
      members: [member('closed.example', secret, { public: false })],
    });
    const history = [{ trees: [secret], overlays: [], snapshotUid: metadata.uid }];
    await server.environment('prod', { members, history });
    assert.equal(await text(server, `/environments/prod/open.example/${byHash}`), 404);
    assert.equal(await text(server, `/environments/prod/closed.example/${byHash}`), 401);
    const authorization = 'Bearer read-token-of-the-test';
    const allowed = await server.get(`/environments/prod/closed.example/${byHash}`, {
      authorization,
    });
    assert.equal(await allowed.text(), 'secret');
  });
});

it('takes up the mounts that are there when it starts, and ignores other namespaces', async (t) => {
  const depot = tempDir(t);
  const first = await startServer(t, { depot });
  const tree = await first.tree({ a: 'a' });
  await first.mirror('debian', { tree });
  const spec = {
    url: 'http://elsewhere.example',
    suites: ['s'],
    allowUnsigned: true,
    public: true,
  };
  const other = await first.store.create({
    apiVersion: 'cairn.build/v1alpha1',
    kind: 'Mirror',
    metadata: { name: 'other', namespace: 'team' },
    spec,
  });
  const { status } =
    (await first.store.get({ kind: 'Mirror', namespace: 'default', name: 'debian' })) ?? {};
  await first.setStatus(other, status ?? {});
  const second = await startServer(t, { store: first.store, depot });
  assert.equal(await text(second, '/elsewhere.example/a'), 404);
  assert.equal((await second.get('/mirrors/debian/')).status, 200);
});
