import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { comparePaths } from '../../depot/compare-paths.ts';
import type { Tree, TreeChild, TreeEntry } from '../../depot/depot.ts';
import { openBlobs } from '../../depot/file-blobs.ts';
import { openTree, treeEntries, Trees } from '../../depot/tree-reader.ts';
import { writeTree } from '../../depot/tree-writer.ts';
import { blobOf } from './blobs.contract.ts';
import { folder } from './depot-folder.ts';
import { entry, largeTree, trees } from './tree-samples.ts';

const large = largeTree(20_000);

async function all(entries: AsyncIterable<TreeEntry>): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  for await (const each of entries) found.push(each);
  return found;
}

/** What `children` must say, computed the plain way. */
function childrenOf(entries: readonly TreeEntry[], directory: string): TreeChild[] | undefined {
  const prefix = directory === '' ? '' : `${directory}/`;
  const found = new Map<string, TreeChild>();
  for (const { path, sha256, size } of entries) {
    if (!path.startsWith(prefix)) continue;
    const [name = '', ...more] = path.slice(prefix.length).split('/');
    found.set(name, more.length > 0 ? { name } : { name, file: { sha256, size } });
  }
  if (found.size === 0 && directory !== '') return undefined;
  return [...found.values()].sort((a, b) => comparePaths(a.name, b.name));
}

function directoriesOf(entries: readonly TreeEntry[]): string[] {
  const found = new Set(['']);
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) found.add(parts.slice(0, depth).join('/'));
  }
  return [...found];
}

async function assertSame(tree: Tree, entries: readonly TreeEntry[]): Promise<void> {
  for (const each of entries) {
    assert.deepEqual(await tree.get(each.path), each);
    for (const near of [`${each.path}/x`, `${each.path}0`, each.path.slice(0, -1)]) {
      assert.deepEqual(
        await tree.get(near),
        entries.find(({ path }) => path === near),
      );
    }
  }
  for (const directory of [...directoriesOf(entries), 'a', 'missing', 'a/', '/']) {
    const prefix = directory === '' ? '' : `${directory}/`;
    const below = entries.filter(({ path }) => path.startsWith(prefix));
    assert.deepEqual(await tree.children(directory), childrenOf(entries, directory), directory);
    assert.deepEqual(await all(tree.entries(directory)), below);
  }
}

describe('an open tree', () => {
  it('answers like a plain list of its entries', async (test) => {
    const blobs = await openBlobs(await folder(test));
    await fc.assert(
      fc.asyncProperty(trees, async (entries) => {
        const { digest } = await writeTree(blobs, entries);

        await assertSame(await openTree(blobs, digest), entries);
      }),
      { numRuns: 40 },
    );
  });

  it('of many blocks finds every entry and every directory', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const { digest } = await writeTree(blobs, large);
    const tree = await openTree(blobs, digest);

    for (const each of large) assert.deepEqual(await tree.get(each.path), each);
    assert.equal(await tree.get('0'), undefined);
    assert.equal(await tree.get('zzz'), undefined);
    for (const directory of ['', 'pool', 'pool/main', 'pool/main/a', 'pool/main/j/package-999']) {
      assert.deepEqual(await tree.children(directory), childrenOf(large, directory));
    }
    assert.deepEqual(await all(tree.entries()), large);
    assert.deepEqual([...(await treeEntries(blobs, digest))], large);
  });

  it('with the longest paths there can be is no different', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const entries = Array.from({ length: 600 }, (_, i) =>
      entry(`${'日'.repeat(340)}${String(i).padStart(4, '0')}`),
    );
    const { digest } = await writeTree(blobs, entries);
    const tree = await openTree(blobs, digest);

    assert.deepEqual(await all(tree.entries()), entries);
    assert.deepEqual([...(await treeEntries(blobs, digest))], entries);
  });

  it('says without reading what it knows', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const { digest } = await writeTree(blobs, large);
    const tree = await openTree(blobs, digest);
    const path = large.at(9999)?.path ?? '';

    assert.equal(tree.peek(path), undefined);
    assert.equal(tree.peek('before everything'), null);
    const known = await tree.get(path);
    assert.deepEqual(tree.peek(path), known);
    assert.equal(tree.peek(`${path}0`), null);
  });

  it('answers many at once', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const { digest } = await writeTree(blobs, large);
    const tree = await openTree(blobs, digest);

    const found = await Promise.all(large.map(({ path }) => tree.get(path)));

    assert.deepEqual(found, large);
  });
});

describe('a tree that is not what its digest says', () => {
  const cases: [string, (text: string) => string][] = [
    ['with another size in it', (text) => text.replace(/^1 /, '2 ')],
    ['that is cut off at the end of a line', (text) => text.slice(0, text.indexOf('\n') + 1)],
    ['that is cut off within a line', (text) => text.slice(0, -5)],
    ['that is empty', () => ''],
    ['that is something else', () => 'x'.repeat(3_000_000)],
  ];
  for (const [what, damage] of cases) {
    it(`is refused: one ${what}`, async (test) => {
      const blobs = await openBlobs(await folder(test));
      const { digest } = await writeTree(blobs, [entry('a'), entry('b')]);
      const file = await blobs.path(digest);
      const text = `1 ${entry('a').sha256}  a\n1 ${entry('b').sha256}  b\n`;
      writeFileSync(file, damage(text));

      await assert.rejects(openTree(blobs, digest), { reason: 'TreeInvalid' });
      await assert.rejects(async () => [...(await treeEntries(blobs, digest))], {
        reason: 'TreeInvalid',
      });
    });
  }

  it('is refused even though it is a blob: not every blob is a tree', async (test) => {
    const blobs = await openBlobs(await folder(test));
    for (const text of ['hello\n', 'hello', '\n', `1 ${'a'.repeat(64)}  a\n\n`]) {
      const { sha256 } = blobs.put(Buffer.from(text));

      await assert.rejects(async () => [...(await treeEntries(blobs, sha256))], {
        reason: 'TreeInvalid',
      });
    }
    await assert.rejects(openTree(blobs, blobOf(Buffer.from('hello\n')).sha256), {
      reason: 'TreeInvalid',
    });
  });

  it('says so when the blob is missing', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const trees = new Trees(blobs);
    const { digest } = await writeTree(await openBlobs(await folder(test)), [entry('a')]);

    await assert.rejects(openTree(blobs, digest), { reason: 'BlobMissing' });
    await assert.rejects(trees.open(digest), { reason: 'BlobMissing' });
    await writeTree(blobs, [entry('a')]);
    assert.ok(await trees.open(digest));
    await trees.close();
  });
});

describe('many open trees', () => {
  it('are opened once, and those not used for long are closed', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    const digests: string[] = [];
    for (const name of 'abcdefgh') digests.push((await writeTree(blobs, [entry(name)])).digest);
    const trees = new Trees(blobs, { maxOpen: 3 });
    const [first = '', second = ''] = digests;

    assert.equal(await trees.open(first), await trees.open(first));
    assert.equal(trees.opened(first), await trees.open(first));
    assert.equal(trees.opened(second), undefined);
    await Promise.all(digests.map((digest) => trees.open(digest)));
    for (const digest of digests) await (await trees.open(digest)).get('a');

    assert.ok(openFiles(root) <= 3);
    await trees.close();
    assert.equal(openFiles(root), 0);
  });

  it('stay open as long as they are asked for', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const written = await Promise.all([...'abc'].map((name) => writeTree(blobs, [entry(name)])));
    const [a = '', b = '', c = ''] = written.map(({ digest }) => digest);
    const trees = new Trees(blobs, { maxOpen: 2 });

    for (const digest of [a, b, a, c]) await trees.open(digest);

    assert.ok(trees.opened(a));
    assert.equal(trees.opened(b), undefined);
    await trees.close();
  });

  it('answer while they are being closed, and afterwards', async (test) => {
    const root = await folder(test);
    const blobs = await openBlobs(root);
    const { digest } = await writeTree(blobs, large);
    const small = await Promise.all([...'abcd'].map((name) => writeTree(blobs, [entry(name)])));
    const trees = new Trees(blobs, { maxOpen: 1, maxCachedBytes: 100_000 });

    const tree = await trees.open(digest);
    const some = large.filter((_, i) => i % 50 === 0);
    const asking = some.map(({ path }) => tree.get(path));
    const opening = small.map((each) => trees.open(each.digest));

    assert.deepEqual(await Promise.all(asking), some);
    await Promise.all(opening);
    assert.deepEqual(await Promise.all(some.map(({ path }) => tree.get(path))), some);
    await trees.close();
    assert.deepEqual(await tree.get(large[0]?.path ?? ''), large[0]);
    assert.equal(openFiles(root), 0);
  });

  it('keep in memory no more than they are allowed to', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const { digest } = await writeTree(blobs, large);
    const trees = new Trees(blobs, { maxCachedBytes: 200_000 });
    const tree = await trees.open(digest);

    for (const { path } of large) await tree.get(path);

    const known = large.filter(({ path }) => tree.peek(path) !== undefined);
    assert.ok(known.length > 0);
    assert.ok(known.length < 2000);
    await trees.close();
  });

  it('notice when the file of a tree was cut off behind their back', async (test) => {
    const blobs = await openBlobs(await folder(test));
    const { digest } = await writeTree(blobs, large);
    const tree = await openTree(blobs, digest);
    truncateSync(await blobs.path(digest), 1000);

    await assert.rejects(tree.get(large.at(-1)?.path ?? ''), { reason: 'TreeInvalid' });
  });
});

/** How many files below a folder this process has open. */
function openFiles(root: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd)).startsWith(root);
    } catch {
      return false;
    }
  }).length;
}
