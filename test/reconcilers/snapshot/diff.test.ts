import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import type { FrozenMember } from '../../../crds/snapshot.ts';
import type { MembersDiff } from '../../../reconcilers/snapshot/diff-shape.ts';
import { diffMembers } from '../../../reconcilers/snapshot/diff.ts';
import { packagesText, testDepot, type Listed, type TestDepot } from './frozen.ts';

const index = 'dists/stable/main/binary-amd64/Packages';

/** The comparison of two states of one index. */
async function diffOf(
  t: TestContext,
  before: readonly Listed[],
  after: readonly Listed[],
): Promise<MembersDiff> {
  const depot = await testDepot(t);
  return compare(
    depot,
    [await depot.freeze({ [index]: before })],
    [await depot.freeze({ [index]: after })],
  );
}

function compare(
  { blobs, trees }: TestDepot,
  before: readonly FrozenMember[],
  after: readonly FrozenMember[],
): Promise<MembersDiff> {
  return diffMembers({ blobs, trees }, before, after, new AbortController().signal);
}

function entriesOf(diff: MembersDiff) {
  return diff.mounts.flatMap(({ suites }) => suites.flatMap(({ entries }) => entries));
}

function briefly(diff: MembersDiff): readonly string[] {
  return entriesOf(diff).map(({ change, package: name, before = '', after = '' }) =>
    `${change} ${name} ${before} ${after}`.replace(/ +/g, ' ').trim(),
  );
}

describe('a comparison of snapshots', () => {
  it('tells upgrades, downgrades, additions and removals from each other', async (t) => {
    const diff = await diffOf(
      t,
      [
        { name: 'aa', version: '1.0~rc1-1' },
        { name: 'bb', version: '1:2.0-1' },
        { name: 'cc', version: '1' },
        { name: 'same', version: '1' },
      ],
      [
        { name: 'aa', version: '1.0-1' },
        { name: 'bb', version: '3.0-1' },
        { name: 'dd', version: '1' },
        { name: 'same', version: '1' },
      ],
    );
    assert.deepEqual(briefly(diff), [
      'upgraded aa 1.0~rc1-1 1.0-1',
      'downgraded bb 1:2.0-1 3.0-1',
      'removed cc 1',
      'added dd 1',
    ]);
    assert.deepEqual(diff.summary, {
      upgraded: 1,
      downgraded: 1,
      added: 1,
      removed: 1,
      changed: 0,
    });
    assert.deepEqual(
      diff.mounts.map(({ path, suites }) => [
        path,
        suites[0]?.suite,
        suites[0]?.component,
        suites[0]?.architecture,
      ]),
      [['deb.example.org/debian', 'stable', 'main', 'amd64']],
    );
  });

  it('shows a package that changed without a new version, with both digests', async (t) => {
    const diff = await diffOf(
      t,
      [{ name: 'aa', version: '1', content: 'one' }],
      [{ name: 'aa', version: '1', content: 'two' }],
    );
    const [entry] = entriesOf(diff);
    assert.equal(entry?.change, 'changed');
    assert.match(entry?.beforeSha256 ?? '', /^[0-9a-f]{64}$/);
    assert.notEqual(entry?.beforeSha256, entry?.afterSha256);
    assert.deepEqual(diff.sources, [
      {
        source: 'aa',
        change: 'changed',
        before: '1',
        after: '1',
        packages: ['aa'],
        architectures: ['amd64'],
      },
    ]);
  });

  it('takes two spellings of one version for no upgrade', async (t) => {
    const spellings = async (before: string, after: string) =>
      (await diffOf(t, [{ name: 'aa', version: before }], [{ name: 'aa', version: after }]))
        .sources;
    for (const [before, after] of [
      ['1.0', '1.0-0'],
      ['1.00', '1.0'],
    ] as const) {
      const [row, ...more] = await spellings(before, after);
      assert.deepEqual(
        [row?.change, row?.before, row?.after, more],
        ['changed', before, after, []],
      );
    }
  });

  it('compares newest with newest where an archive keeps several versions', async (t) => {
    const versions = (...list: string[]) => list.map((version) => ({ name: 'docker', version }));
    assert.deepEqual(briefly(await diffOf(t, versions('9', '10'), versions('9', '10', '11'))), [
      'upgraded docker 10 11',
    ]);
    assert.deepEqual(briefly(await diffOf(t, versions('9', '10'), versions('10', '11'))), [
      'removed docker 9',
      'upgraded docker 10 11',
    ]);
    assert.deepEqual(briefly(await diffOf(t, versions('9', '10'), versions('9'))), [
      'downgraded docker 10 9',
    ]);
    assert.deepEqual(briefly(await diffOf(t, versions('9', '10'), versions('10'))), [
      'removed docker 9',
    ]);
  });

  it('rolls binaries up by source, those that come and go with an upgrade included', async (t) => {
    const diff = await diffOf(
      t,
      [
        { name: 'libssl1', version: '1.0-1', source: 'openssl' },
        { name: 'openssl', version: '1.0-1' },
        { name: 'tool', version: '2.0-1+b1', source: 'toolbox (2.0-1)' },
      ],
      [
        { name: 'libssl3', version: '3.0-1', source: 'openssl' },
        { name: 'openssl', version: '3.0-1' },
        { name: 'tool', version: '2.0-1+b2', source: 'toolbox (2.0-1)' },
      ],
    );
    assert.deepEqual(diff.sources, [
      {
        source: 'openssl',
        change: 'upgraded',
        before: '1.0-1',
        after: '3.0-1',
        packages: ['libssl1', 'libssl3', 'openssl'],
        architectures: ['amd64'],
      },
      {
        source: 'toolbox',
        change: 'upgraded',
        before: '2.0-1+b1',
        after: '2.0-1+b2',
        packages: ['tool'],
        architectures: ['amd64'],
      },
    ]);
  });

  it('counts a package for all architectures once, though several indexes list it', async (t) => {
    const depot = await testDepot(t);
    const state = (version: string) => {
      const listed = [{ name: 'docs', version, architecture: 'all' }];
      return depot.freeze({ [index]: listed, [index.replace('amd64', 'arm64')]: listed });
    };
    const diff = await compare(depot, [await state('1')], [await state('2')]);
    assert.deepEqual(
      diff.mounts[0]?.suites.map(({ architecture }) => architecture),
      ['amd64', 'arm64'],
    );
    assert.equal(diff.summary.upgraded, 1);
    assert.deepEqual(
      diff.sources.map(({ architectures }) => architectures),
      [['all']],
    );
  });

  it('does not read indexes that are the same', async (t) => {
    const depot = await testDepot(t);
    const unreadable = Buffer.from('this is no xz file');
    const state = (version: string) =>
      depot.freeze({
        [index]: [{ name: 'aa', version }],
        'dists/stable/contrib/binary-amd64/Packages.xz': unreadable,
      });
    assert.deepEqual(briefly(await compare(depot, [await state('1')], [await state('2')])), [
      'upgraded aa 1 2',
    ]);
  });

  it('reads every form of an index, whatever the other side has', async (t) => {
    const depot = await testDepot(t);
    const listed = (version: string) => [{ name: 'aa', version }];
    const xz = execFileSync('xz', ['-c'], { input: packagesText(listed('3')) });
    const bzip2 = execFileSync('bzip2', ['-c'], { input: packagesText(listed('4')) });
    const states = [
      await depot.freeze({ [`${index}.gz`]: listed('1') }),
      await depot.freeze({ [`${index}.zst`]: listed('2') }),
      await depot.freeze({ [`${index}.xz`]: xz }),
      await depot.freeze({ [`${index}.bz2`]: bzip2 }),
    ];
    const found: string[] = [];
    for (const [at, state] of states.slice(1).entries()) {
      found.push(...briefly(await compare(depot, states.slice(at, at + 1), [state])));
    }
    assert.deepEqual(found, ['upgraded aa 1 2', 'upgraded aa 2 3', 'upgraded aa 3 4']);
  });

  it('finds the same in indexes that are not sorted', async (t) => {
    const before = range(200).map((n) => ({ name: `p${n}`, version: '1' }));
    const after = range(200).flatMap((n) => {
      if (n % 50 === 7) return [];
      return [{ name: `p${n}`, version: n % 20 === 3 ? '2' : '1' }];
    });
    const byName = (a: Listed, b: Listed) => (a.name < b.name ? -1 : 1);
    const sorted = await diffOf(t, before.toSorted(byName), after.toSorted(byName));
    assert.equal(sorted.summary.upgraded, 10);
    assert.equal(sorted.summary.removed, 4);
    assert.deepEqual(await diffOf(t, before.toReversed(), after), sorted);
  });

  it('compares flat repositories by the architectures of their packages', async (t) => {
    const depot = await testDepot(t);
    const state = (version: string) =>
      depot.freeze(
        {
          Packages: [
            { name: 'tool', version, architecture: 'amd64' },
            { name: 'tool', version: '1', architecture: 'arm64' },
          ],
        },
        { suitePaths: { './': './' } },
      );
    const diff = await compare(depot, [await state('1')], [await state('2')]);
    assert.deepEqual(diff.mounts[0]?.suites, [
      {
        suite: './',
        component: '',
        architecture: 'amd64',
        entries: [{ change: 'upgraded', package: 'tool', source: 'tool', before: '1', after: '2' }],
      },
    ]);
  });

  it('keeps suites apart that lie in each other, and mirrors that share an archive', async (t) => {
    const depot = await testDepot(t);
    const suitePaths = { stable: 'dists/stable', 'stable/updates': 'dists/stable/updates' };
    const updates = 'dists/stable/updates/main/binary-amd64/Packages';
    const nested = (version: string) =>
      depot.freeze(
        { [index]: [{ name: 'aa', version: '1' }], [updates]: [{ name: 'bb', version }] },
        { suitePaths },
      );
    const testing = (version: string) =>
      depot.freeze(
        { 'dists/testing/main/binary-amd64/Packages': [{ name: 'cc', version }] },
        { mirror: 'debian-testing', suitePaths: { testing: 'dists/testing' } },
      );
    const diff = await compare(
      depot,
      [await nested('1'), await testing('1')],
      [await nested('2'), await testing('2')],
    );
    assert.deepEqual(
      diff.mounts.map(({ path, suites }) => [
        path,
        suites.map(({ suite, component }) => `${suite} ${component}`),
      ]),
      [['deb.example.org/debian', ['stable/updates main', 'testing main']]],
    );
  });

  it('shows a whole archive as added or removed', async (t) => {
    const depot = await testDepot(t);
    const state = await depot.freeze({ [index]: [{ name: 'aa', version: '1' }] });
    assert.deepEqual(briefly(await compare(depot, [], [state])), ['added aa 1']);
    assert.deepEqual(briefly(await compare(depot, [state], [])), ['removed aa 1']);
  });

  it('says what is wrong with a broken index', async (t) => {
    const broken = packagesText([{ name: 'aa', version: '1' }])
      .toString()
      .replace(/Version.*\n/, '');
    const depot = await testDepot(t);
    const before = await depot.freeze({ [index]: [] });
    const after = await depot.freeze({ [index]: Buffer.from(broken) });
    await assert.rejects(compare(depot, [before], [after]), {
      reason: 'IndexInvalid',
      message: /aa.*Version/,
    });
  });
});

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}
