import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { makeUpload } from '../../apt/source-upload.ts';
import {
  deb,
  filesIn,
  repositoryWorld,
  versionsOf,
  type Files,
  type RepositoryWorld,
} from './repository-world.ts';

const amd64 = 'dists/stable/main/binary-amd64/Packages';

async function poolOf(world: RepositoryWorld): Promise<readonly string[]> {
  return (await world.paths())
    .filter((path) => path.startsWith('pool/'))
    .map((path) => path.slice(path.lastIndexOf('/') + 1));
}

const held = async (world: RepositoryWorld, suite = 'stable') =>
  versionsOf(await world.index(amd64.replace('stable', suite)));

/** Takes out, and maybe puts in, in one Upload. */
const take = (
  world: RepositoryWorld,
  remove: readonly object[],
  more: object = {},
  files: Files = {},
) => world.publish(files, { remove, ...more });

describe('what is removed', () => {
  it('is a package in all versions, or in one, and for one architecture', async (t) => {
    const world = await repositoryWorld(t, { architectures: ['amd64', 'arm64'] });
    for (const version of ['1:1.0', '1:1.1', '1:1.2']) {
      await world.publish({
        ...deb({ name: 'hello', version }),
        ...deb({ name: 'hello', version, architecture: 'arm64' }),
        ...deb({ name: 'hello-doc', version, architecture: 'all' }),
      });
    }
    const { state: before } = world;

    const one = await take(world, [{ package: 'hello', version: '1:1.1' }]);
    assert.deepEqual(one.removed, ['hello 1:1.1 amd64', 'hello 1:1.1 arm64']);
    assert.deepEqual(one.packages, []);
    const some = [{ package: 'hello', version: '1:1.0', architecture: 'arm64' }];
    assert.deepEqual((await take(world, some)).removed, ['hello 1:1.0 arm64']);
    assert.deepEqual(await held(world), [
      'hello 1:1.0',
      'hello 1:1.2',
      'hello-doc 1:1.0',
      'hello-doc 1:1.1',
      'hello-doc 1:1.2',
    ]);
    const doc = await take(world, [{ package: 'hello-doc' }]);
    assert.equal(doc.removed?.length, 3);
    const arm64 = await world.index(amd64.replace('amd64', 'arm64'));
    assert.deepEqual(versionsOf(arm64), ['hello 1:1.2']);
    assert.deepEqual(await poolOf(world), [
      'hello_1.0_amd64.deb',
      'hello_1.2_amd64.deb',
      'hello_1.2_arm64.deb',
    ]);
    assert.equal(world.state?.packages, 3);
    assert.notEqual(world.state?.tree, before?.tree);
    assert.equal((await world.blobs.bytes(before?.tree ?? '')).length > 0, true);
    assert.equal((await take(world, [{ package: 'hello' }])).removed?.length, 3);
    assert.deepEqual([await held(world), world.state?.packages], [[], 0]);
  });

  it('is a source package with all that was built from it, by its own version', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(filesIn(makeUpload()), { suite: 'stable' });
    const built = { source: 'hello-src', architecture: 'all' };
    await world.publish({
      ...deb({ ...built, name: 'libhello', version: '9', source: 'hello-src (1:0.9-1)' }),
      ...deb({ name: 'hello-src-like', version: '1' }),
    });

    const old = await take(world, [{ source: 'hello-src', version: '1:0.9-1' }]);
    assert.deepEqual(old.removed, ['libhello 9 all']);
    const all = await take(world, [{ source: 'hello-src' }]);
    assert.ok(all.removed?.includes('hello-src 1:1.0+x~1-2 source'), `${all.message}`);
    assert.ok(all.removed?.includes('hello-x 1:1.0+x~1-2 all'));
    assert.deepEqual(await poolOf(world), ['hello-src-like_1_amd64.deb']);
  });

  it('is what is in a suite, or in all, with the files that no suite names any more', async (t) => {
    const world = await repositoryWorld(t, {
      suites: [{ name: 'a', codename: 'xx' }, { name: 'b' }],
    });
    const hello = deb({ name: 'hello', version: '1' });
    await world.publish(hello);
    await world.publish(hello, { suite: 'b' });

    const [remove] = [[{ package: 'hello' }]];
    assert.equal((await take(world, remove, { suite: 'xx' })).result, 'Published');
    assert.deepEqual([await held(world, 'a'), await held(world, 'b')], [[], ['hello 1']]);
    assert.deepEqual(await poolOf(world), ['hello_1_amd64.deb']);
    assert.equal((await take(world, remove, { suite: 'a' })).reason, 'PackageMissing');
    const nowhere = await take(world, remove, { suite: 'old' });
    assert.match(nowhere.message ?? '', /there is no suite old; there is a, b/);
    const other = await take(world, remove, { component: 'extra' });
    assert.match(other.message ?? '', /there is no component extra; there is main/);
    await world.publish(hello);
    assert.deepEqual((await take(world, remove)).removed, ['hello 1 amd64']);
    assert.deepEqual([await held(world, 'a'), await held(world, 'b')], [[], []]);
    assert.deepEqual(await poolOf(world), []);
  });

  it('is all of it or nothing, together with what comes', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish({
      ...deb({ name: 'old', version: '1' }),
      ...deb({ name: 'xx', version: '1' }),
    });
    const { state: before } = world;
    const next = deb({ name: 'new', version: '1' });
    const cases: readonly (readonly [readonly object[], Files, RegExp])[] = [
      [[{ package: 'old' }, { package: 'gone' }], next, /^there is no package gone$/],
      [[{ package: 'old', version: '2' }], {}, /no package old 2: its versions here are 1$/],
      [[{ package: 'old', architecture: 'all' }], {}, /no package old for all/],
      [[{ source: 'none' }], {}, /there is no source package none$/],
      [[{ package: 'old' }], { 'y.deb': Buffer.from('!<arch>\n') }, /^y\.deb: /],
      [
        [{ package: 'old' }],
        deb({ name: 'xx', version: '1', content: 'y' }),
        /xx 1 amd64 is there/,
      ],
    ];
    for (const [remove, files, message] of cases) {
      const refused = await take(world, remove, {}, files);
      assert.equal(refused.result, 'Refused');
      assert.match(refused.message ?? '', message);
    }
    assert.equal(world.state, before);

    const both = await take(world, [{ package: 'old' }], {}, next);
    assert.deepEqual([both.removed, both.packages], [['old 1 amd64'], ['new 1 amd64']]);
    assert.deepEqual(await held(world), ['new 1', 'xx 1']);
  });

  it('need not be there for those who say so', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(deb({ name: 'hello', version: '1' }));
    const { state: before } = world;
    const lenient = { ignoreMissing: true };

    const none = await take(world, [{ source: 'gone' }, { package: 'gone' }], lenient);
    assert.deepEqual([none.result, none.removed], ['Published', undefined]);
    assert.equal(world.state, before);
    const some = await take(world, [{ source: 'gone' }, { source: 'hello' }], lenient);
    assert.deepEqual(some.removed, ['hello 1 amd64']);
  });

  it('may come again, with other bytes too, whether in one publication or in several', async (t) => {
    const other = deb({ name: 'hello', version: '1', content: 'other' });
    const remove = [{ package: 'hello' }];
    for (const together of ['one upload', 'one publication', 'no'] as const) {
      const world = await repositoryWorld(t);
      await world.publish({
        ...deb({ name: 'hello', version: '1' }),
        ...deb({ name: 'xx', version: '1' }),
      });
      assert.equal((await world.publish(other)).reason, 'PackageConflict');
      const wishes =
        together === 'one upload'
          ? [world.wish(other, { remove })]
          : [world.wish({}, { remove }), world.wish(other)];
      const lots = together === 'no' ? wishes.map((wish) => [wish]) : [wishes];
      for (const lot of lots) {
        for (const { result, message } of await world.run(lot)) {
          assert.equal(result, 'Published', `${together}: ${message}`);
        }
      }
      const root = await world.layOut();
      const [content] = Object.values(other);
      assert.deepEqual(readFileSync(`${root}/pool/main/h/hello/hello_1_amd64.deb`), content);
      const [file] = world.wish(other).spec.files;
      assert.match(await world.index(amd64), new RegExp(`^SHA256: ${file?.sha256}$`, 'm'));
      assert.equal(world.state?.packages, 2);
    }
  });

  it('is gone at once, also when it came a moment before', async (t) => {
    const world = await repositoryWorld(t);
    await world.publish(deb({ name: 'xx', version: '1' }));
    const results = await world.run([
      world.wish(deb({ name: 'hello', version: '1' })),
      world.wish({}, { remove: [{ source: 'hello' }] }),
      world.wish({}, { remove: [{ package: 'hello' }] }),
      world.wish({}, { remove: [{ package: 'xx' }] }),
      world.wish(deb({ name: 'xx', version: '1' })),
    ]);
    assert.deepEqual(
      results.map(({ reason }) => reason),
      [undefined, undefined, 'PackageMissing', undefined, undefined],
    );
    assert.deepEqual(await held(world), ['xx 1']);
    assert.deepEqual(await poolOf(world), ['xx_1_amd64.deb']);
  });

  it('leaves the same bytes as if it had never come', async (t) => {
    const world = await repositoryWorld(t);
    const many = Array.from({ length: 300 }, (_, at) => deb({ name: `p${at}`, version: '1' }));
    const all: Files = Object.assign({}, ...many);
    await world.publish(all);
    const before = await world.index(amd64);
    const files = (await world.paths()).filter((path) => path.endsWith('Packages.gz'));
    for (const at of [0, 1, 150, 299]) {
      await take(world, [{ package: `p${at}` }]);
      assert.equal((await held(world)).length, 299);
      await world.publish(many[at] ?? {});
      assert.equal(await world.index(amd64), before);
    }
    assert.deepEqual(
      (await world.paths()).filter((path) => path.endsWith('Packages.gz')),
      files,
    );
  });
});
