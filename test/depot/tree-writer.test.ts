import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TreeEntry } from '../../depot/depot.ts';
import { openBlobs } from '../../depot/file-blobs.ts';
import { diffTrees, treeEntries } from '../../depot/tree-reader.ts';
import { mergeEntries, writeTree } from '../../depot/tree-writer.ts';
import { blobOf } from './blobs.contract.ts';
import { folder } from './depot-folder.ts';
import { entry, sorted, trees } from './tree-samples.ts';

const invalid = { reason: 'TreeInvalid' };

describe('a written tree', () => {
  it('can be checked with sha256sum once its files lie at their paths', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const paths = ['-', '-dash', '*star', 'a b/ c', 'a\\b', 'dists/x/InRelease', 'ü/日本', 'z😀'];
    const stored = paths
      .filter((path) => path !== '-')
      .map((path) => ({ path, ...blobs.put(Buffer.from(`content of ${path}`)) }));
    const { digest } = await writeTree(blobs, sorted(stored));
    const checkout = await folder(test);
    for (const { path, sha256 } of stored) {
      mkdirSync(dirname(join(checkout, path)), { recursive: true });
      copyFileSync(await blobs.path(sha256), join(checkout, path));
    }
    const tree = await blobs.path(digest);
    const check = () =>
      execFileSync('sh', ['-c', `cut -d' ' -f2- "$1" | sha256sum --strict -c`, 'sh', tree], {
        cwd: checkout,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });

    assert.equal(check().match(/: OK$/gm)?.length, stored.length);
    writeFileSync(join(checkout, 'dists/x/InRelease'), 'changed');
    assert.throws(check, /Command failed/);
  });

  it('says its digest, how many files it has and how large they are together', async (test) => {
    const blobs = await openBlobs(await folder(test));

    const tree = await writeTree(blobs, [entry('a', '1'), entry('b/c', '22')]);

    const text = readFileSync(await blobs.path(tree.digest));
    assert.deepEqual(tree, { digest: blobOf(text).sha256, files: 2, bytes: 3 });
  });

  it('may be empty', async (test) => {
    const blobs = await openBlobs(await folder(test));

    const tree = await writeTree(blobs, []);

    assert.deepEqual(tree, { digest: blobOf(Buffer.alloc(0)).sha256, files: 0, bytes: 0 });
    assert.deepEqual([...(await treeEntries(blobs, tree.digest))], []);
  });

  it('gives back its entries, whether they came at once or one by one', async (test) => {
    const blobs = await openBlobs(await folder(test));
    await fc.assert(
      fc.asyncProperty(trees, async (entries) => {
        async function* oneByOne(): AsyncGenerator<TreeEntry> {
          yield* entries;
        }

        const [a, b] = [await writeTree(blobs, entries), await writeTree(blobs, oneByOne())];

        assert.equal(a.digest, b.digest);
        assert.deepEqual([...(await treeEntries(blobs, a.digest))], entries);
      }),
      { numRuns: 50 },
    );
  });

  const bad: [string, TreeEntry[]][] = [
    ['in the wrong order', [entry('b'), entry('a')]],
    ['in the order of UTF-16', [entry('\u{1f600}'), entry('\uffee')]],
    ['twice the same', [entry('a'), entry('a')]],
    ['a file that is also a directory', [entry('a'), entry('a/b')]],
    [
      'a file that is also a directory, others between',
      [entry('a'), entry('a-b'), entry('a.c/d'), entry('a/b')],
    ],
    [
      'a file that is also a directory, deep down',
      [entry('x/a'), entry('x/a+/a'), entry('x/a/b/c')],
    ],
    ['an unsafe path', [entry('a/../../b')]],
    ['a size that is no size', [{ ...entry('a'), size: -1 }]],
    ['a hash that is no hash', [{ ...entry('a'), sha256: 'x' }]],
  ];
  for (const [what, entries] of bad) {
    it(`is refused with entries that are ${what}, and nothing is stored`, async (test) => {
      const blobs = await openBlobs(await folder(test));

      await assert.rejects(writeTree(blobs, entries), invalid);

      for await (const { sha256 } of blobs.list()) assert.fail(sha256);
    });
  }

  it('may have names that begin like a file', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const entries = sorted(
      ['a', 'a-b', 'a-b.c/d', 'a.b/a', 'a0', 'ab/a', 'b'].map((at) => entry(at)),
    );

    const { digest } = await writeTree(blobs, entries);

    assert.deepEqual([...(await treeEntries(blobs, digest))], entries);
  });
});

describe('merged entries', () => {
  it('are what a map of all paths has, the earlier source winning', () => {
    fc.assert(
      fc.property(fc.array(trees, { maxLength: 6 }), (sources) => {
        const expected = new Map<string, TreeEntry>();
        for (const each of sources.flat()) {
          if (!expected.has(each.path)) expected.set(each.path, each);
        }

        assert.deepEqual([...mergeEntries(sources, (a) => a)], sorted([...expected.values()]));
      }),
      { numRuns: 100 },
    );
  });

  it('collapse the same file and refuse different ones of the same path', () => {
    const same = mergeEntries([[entry('a', '1')], [entry('a', '1'), entry('b')]]);
    assert.deepEqual([...same], [entry('a', '1'), entry('b')]);

    const different = mergeEntries([[entry('a', '1')], [entry('a', '2')]]);
    assert.throws(() => [...different], invalid);
  });

  it('let the caller decide between different files of the same path', () => {
    const sources = ['1', '2', '3'].map((text) => [entry('a', text)]);

    assert.deepEqual([...mergeEntries(sources, (_, later) => later)], [entry('a', '3')]);
    assert.deepEqual([...mergeEntries(sources, (earlier) => earlier)], [entry('a', '1')]);
  });

  it('close their sources when nobody wants more', () => {
    let closed = 0;
    function* source(): Generator<TreeEntry> {
      try {
        for (const name of 'abcdef') yield entry(name);
      } finally {
        closed++;
      }
    }

    for (const { path } of mergeEntries([source(), source(), source()])) {
      if (path === 'b') break;
    }

    assert.equal(closed, 3);
  });
});

describe('the difference of two trees', () => {
  it('applied to the first gives the second', () => {
    fc.assert(
      fc.property(trees, trees, (a, b) => {
        const paths = new Map(a.map((each) => [each.path, each]));
        for (const { path, before, after } of diffTrees(a, b)) {
          assert.deepEqual(paths.get(path), before);
          assert.notDeepEqual(before, after);
          if (after === undefined) paths.delete(path);
          else paths.set(path, after);
        }
        assert.deepEqual(sorted([...paths.values()]), b);
      }),
      { numRuns: 100 },
    );
  });

  it('names what was added, changed and removed, in order', () => {
    const before = [entry('a'), entry('b', '1'), entry('d')];
    const after = [entry('b', '2'), entry('c'), entry('d')];

    assert.deepEqual(
      [...diffTrees(before, after)],
      [
        { path: 'a', before: entry('a') },
        { path: 'b', before: entry('b', '1'), after: entry('b', '2') },
        { path: 'c', after: entry('c') },
      ],
    );
  });
});
