/** What follows a publication: .xz and Contents. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeTar } from '../../../apt/deb-container.ts';
import { handMade } from '../../apt/debs.ts';
import { run } from '../../apt/tools.ts';
import { controlFields, formatStanza, type PackageSpec } from '../../world/deb.ts';
import { deb, repositoryWorld, type Files } from './repository-world.ts';

type World = Awaited<ReturnType<typeof repositoryWorld>>;

const packages = 'dists/stable/main/binary-amd64/Packages';
const contents = 'dists/stable/main/Contents-amd64';

/** A package that installs empty files at these paths. */
function holding(spec: PackageSpec, paths: readonly string[]): Files {
  const [name = ''] = Object.keys(deb(spec));
  const files = paths.map((path) => ({ name: `./${path}`, content: Buffer.of() }));
  const control = formatStanza(controlFields(spec));
  return { [name]: handMade({ control, dataArchive: ['data.tar', makeTar(files)] }) };
}

/** Which packages have which file, as far as a Contents says so; sections left out. */
function owners(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, path = '', names = ''] = /^(.*?)\s+(\S+)$/.exec(line) ?? [];
      const plain = names.split(',').map((name) => name.slice(name.lastIndexOf('/') + 1));
      return `${path} ${plain.sort().join(',')}`;
    })
    .sort();
}

/** All that is below dists but what says the date, by path. */
async function indexFiles(world: World): Promise<readonly string[]> {
  const entries = await world.entries();
  return entries
    .filter(({ path }) => path.startsWith('dists/') && !/Release/.test(path))
    .map(({ path, sha256 }) => `${sha256} ${path}`);
}

/** Every file that a Release lists and that is there has the hash that it says. */
async function assertListed(world: World): Promise<ReadonlySet<string>> {
  const root = await world.layOut();
  const text = readFileSync(join(root, 'dists/stable/Release'), 'utf8');
  const [, list = ''] = /^SHA256:\n((?: .+\n)+)/m.exec(text) ?? [];
  const listed = [...list.matchAll(/^ (\S+) +\d+ (\S+)$/gm)];
  const paths = new Set(listed.map(([, , path = '']) => `dists/stable/${path}`));
  const there = new Set(await world.paths());
  const plain = new Map(listed.map(([, sha256 = '', path = '']) => [path, sha256]));
  for (const [, sha256 = '', path = ''] of listed) {
    if (!/\.[gx]z$/.test(path)) continue;
    assert.ok(there.has(`dists/stable/${path}`), path);
    const bytes = readFileSync(join(root, 'dists/stable', path));
    const digest = (input: Uint8Array) => run('sha256sum', [], { input }).toString().slice(0, 64);
    assert.equal(digest(bytes), sha256);
    const unpacked = run(path.endsWith('.xz') ? 'unxz' : 'gunzip', [], { input: bytes });
    assert.equal(digest(unpacked), plain.get(path.slice(0, -3)), path);
  }
  return paths;
}

describe('what follows a publication', () => {
  it('has the Contents that apt-ftparchive finds in the pool', async (t) => {
    const world = await repositoryWorld(t, { architectures: ['amd64', 'arm64'] });
    await world.run([
      world.wish(deb({ name: 'hello', version: '1.0' })),
      world.wish(deb({ name: 'hello', version: '2.0' })),
      world.wish(holding({ name: 'one', version: '1' }, ['usr/bin/x', 'usr/share/a b', 'é'])),
      world.wish(holding({ name: 'two', version: '1', architecture: 'all' }, ['usr/bin/x'])),
      world.wish(holding({ name: 'arm', version: '1', architecture: 'arm64' }, ['usr/bin/arm'])),
      world.wish(holding({ name: 'none', version: '1' }, [])),
    ]);

    assert.deepEqual((await world.followUp()).notes, []);

    const root = await world.layOut();
    for (const architecture of ['amd64', 'arm64']) {
      const ours = await world.index(`dists/stable/main/Contents-${architecture}`);
      const args = ['--arch', architecture, 'contents', 'pool'];
      const theirs = run('apt-ftparchive', args, { cwd: root }).toString();
      assert.deepEqual(owners(ours), owners(theirs));
    }
    assert.match(await world.index(contents), /^usr\/bin\/x +misc\/one,misc\/two$/m);
  });

  it('is listed by the Release as it is, and never as it was', async (t) => {
    const world = await repositoryWorld(t, { suites: [{ name: 'stable' }, { name: 'next' }] });
    await world.publish(deb({ name: 'hello', version: '1.0' }));
    assert.equal((await assertListed(world)).has(`${packages}.xz`), false);
    assert.ok(world.state?.owedSince);

    await world.followUp();
    const listed = await assertListed(world);
    assert.ok(listed.has(`${packages}.xz`) && listed.has('dists/stable/main/source/Sources.xz'));
    assert.ok(listed.has(contents) && listed.has(`${contents}.gz`));
    assert.equal(world.state?.owedSince, undefined);

    await world.publish(deb({ name: 'hello', version: '2.0' }));
    const after = await assertListed(world);
    assert.equal(after.has(`${packages}.xz`), false);
    assert.ok(after.has('dists/stable/main/source/Sources.xz'), 'it has not changed');
    assert.ok(after.has(`${contents}.gz`), 'it is of before');
    const paths = await world.paths();
    assert.ok(paths.includes('dists/next/main/binary-amd64/Packages.xz'));
    assert.ok(world.state?.owedSince);
  });

  it('is published as far as it is still right when something has come meanwhile', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(holding({ name: 'one', version: '1' }, ['one']));
    const slow = await world.slowFiles();
    const wish = world.wish(holding({ name: 'two', version: '1' }, ['two']));

    await world.run([wish], { slow });

    const listed = await assertListed(world);
    assert.equal(listed.has(`${packages}.xz`), false);
    assert.ok(listed.has('dists/stable/main/source/Sources.xz'));
    assert.deepEqual(owners(await world.index(contents)), ['one one']);
    assert.ok(world.state?.owedSince, 'the rest is still owed');
    await world.followUp();
    assert.ok((await assertListed(world)).has(`${packages}.xz`));
    assert.deepEqual(owners(await world.index(contents)), ['one one', 'two two']);
    assert.equal(world.state?.owedSince, undefined);
  });

  it('has the same bytes whatever way the packages came', async (t) => {
    const specs = ['one', 'two', 'three', 'four'].map((name) => ({ name, version: '1' }));
    const files = specs.map((spec) => holding(spec, ['usr/bin/x', `usr/share/${spec.name}`]));
    const first = await repositoryWorld(t);
    await first.run(files.map((one) => first.wish(one)));
    await first.followUp();
    const second = await repositoryWorld(t);
    for (const one of files.toReversed()) {
      await second.publish(one);
      await second.followUp();
    }

    assert.deepEqual(await indexFiles(second), await indexFiles(first));
    assert.equal(second.state?.fileLists, first.state?.fileLists);
  });

  it('forgets what has gone', async (t) => {
    const world = await repositoryWorld(t, { retention: { keepVersions: 1 } });
    await world.publish(holding({ name: 'one', version: '1' }, ['old', 'both']));
    await world.followUp();
    await world.publish(holding({ name: 'one', version: '2' }, ['new', 'both']));
    await world.followUp();

    assert.deepEqual(owners(await world.index(contents)), ['both one', 'new one']);
    const lists = await world.entries(world.state?.fileLists);
    assert.equal(lists.filter(({ path }) => path.startsWith('lists/')).length, 1);
    await world.respec({ architectures: ['arm64'] });
    await world.followUp();
    const paths = (await world.paths()).filter((path) => /Contents-[^/]*$/.test(path));
    assert.deepEqual(paths, ['dists/stable/main/Contents-arm64.gz']);
    assert.equal(world.state?.owedSince, undefined);
  });

  it('is right when packages are taken out, or replaced by others of the same version', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(holding({ name: 'one', version: '1' }, ['old', 'both']));
    await world.publish(holding({ name: 'two', version: '1' }, ['both']));
    await world.followUp();
    const remove = [{ package: 'one', version: '1' }];

    await world.publish(holding({ name: 'one', version: '1' }, ['new', 'both']), { remove });
    assert.deepEqual(world.state?.counts?.[0]?.binary, { amd64: 2 });
    await world.followUp();
    assert.deepEqual(owners(await world.index(contents)), ['both one,two', 'new one']);

    await world.publish({}, { remove });
    assert.equal((await assertListed(world)).has(`${packages}.xz`), false);
    await world.followUp();
    assert.deepEqual(owners(await world.index(contents)), ['both two']);
    assert.deepEqual(world.state?.counts?.[0]?.binary, { amd64: 1 });
    assert.equal(world.state?.binaryPackages, 1);
  });

  it('goes on with packages that there was no time for', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(holding({ name: 'one', version: '1' }, ['one']));

    await world.followUp({ readingMs: -1 });
    const listed = await assertListed(world);
    assert.ok(listed.has(`${packages}.xz`) && !listed.has(contents));
    assert.ok(world.state?.owedSince);

    await world.followUp();
    assert.deepEqual(owners(await world.index(contents)), ['one one']);
    assert.equal(world.state?.owedSince, undefined);
  });

  it('leaves out what can not be read, and says so once', async (t) => {
    const world = await repositoryWorld(t);
    const control = formatStanza(controlFields({ name: 'bad', version: '1' }));
    const bad = handMade({ control, dataArchive: ['data.tar.xz', 'no archive'] });
    await world.publish({ 'bad_1_amd64.deb': bad });
    await world.publish(holding({ name: 'one', version: '1' }, ['one']));

    const [note] = (await world.followUp()).notes;
    assert.match(note ?? '', /^the files of misc\/bad are in no Contents: "data\.tar\.xz"/);
    assert.deepEqual(owners(await world.index(contents)), ['one one']);
    await world.publish(holding({ name: 'two', version: '1' }, ['two']));
    assert.deepEqual((await world.followUp()).notes, []);
  });

  it('is made again when what was known is lost', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(holding({ name: 'one', version: '1' }, ['one']));
    await world.followUp();
    const before = await indexFiles(world);
    await world.blobs.remove(world.state?.fileLists ?? '');
    await world.followUp();
    assert.deepEqual(await indexFiles(world), before);

    for (const { path, sha256 } of await world.entries(world.state?.fileLists)) {
      if (path.startsWith('lists/')) await world.blobs.remove(sha256);
    }
    await world.publish(holding({ name: 'two', version: '1' }, ['two']));
    await world.followUp();
    assert.deepEqual(owners(await world.index(contents)), ['one one', 'two two']);
  });

  it('is without .xz where there is no program for that, and with it once there is', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(deb({ name: 'hello', version: '1.0' }));

    const { notes } = await world.followUp({ xz: undefined });
    assert.match(notes[0] ?? '', /no program xz/);
    const listed = await assertListed(world);
    assert.ok(listed.has(contents) && !listed.has(`${packages}.xz`));
    assert.equal(world.state?.owedSince, undefined);
    await assert.rejects(world.slowFiles({ xz: '/bin/false' }), /xz ended with 1/);
    await assert.rejects(world.slowFiles({ xz: '/nowhere/xz' }), /ENOENT/);
    assert.equal((await assertListed(world)).has(`${packages}.xz`), false);

    await world.followUp();
    assert.ok((await assertListed(world)).has(`${packages}.xz`));
  });

  it('may be of nothing', async (t) => {
    const world = await repositoryWorld(t);
    await world.run([]);
    await world.followUp();

    assert.equal(await world.index(contents), '');
    assert.equal(world.state?.owedSince, undefined);
    const empty = (await world.entries()).find(({ path }) => path === `${packages}.xz`);
    assert.equal(
      run('unxz', [], { input: await world.blobs.bytes(empty?.sha256 ?? '') }).length,
      0,
    );
  });
});

describe('the counts of packages', () => {
  it('are by suite and architecture, and of the pool', async (t) => {
    const suites = [{ name: 'stable' }, { name: 'next' }];
    const fields = { suites, components: ['main', 'extra'], retention: { keepVersions: 2 } };
    const world = await repositoryWorld(t, { ...fields, architectures: ['amd64', 'arm64'] });
    for (const version of ['1', '2', '3']) {
      await world.run([
        world.wish(deb({ name: 'hello', version })),
        world.wish(deb({ name: 'hello', version }), { suite: 'next', component: 'extra' }),
        world.wish(deb({ name: 'doc', version, architecture: 'all' })),
      ]);
    }
    const expected = {
      binaryPackages: 2 * 2 + 2, // the suites have hello in two components
      sourcePackages: 0,
      counts: [
        { suite: 'stable', binary: { amd64: 4, arm64: 2 }, source: 0 },
        { suite: 'next', binary: { amd64: 2, arm64: 0 }, source: 0 },
      ],
    };
    const { binaryPackages, sourcePackages, counts } = world.state ?? {};
    assert.deepEqual({ binaryPackages, sourcePackages, counts }, expected);

    await world.respec({ ...fields, architectures: ['arm64'] });
    assert.deepEqual(world.state?.counts, [
      { suite: 'stable', binary: { arm64: 2 }, source: 0 },
      { suite: 'next', binary: { arm64: 0 }, source: 0 },
    ]);
    assert.equal(world.state?.binaryPackages, 2);
  });
});
