import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TreeEntry } from '../../depot/depot.ts';
import { openBlobs } from '../../depot/file-blobs.ts';
import { editTree } from '../../depot/tree-edit.ts';
import { writeTree } from '../../depot/tree-writer.ts';
import { tempDir } from '../world/temp.ts';
import { entry, sorted, trees } from './tree-samples.ts';

test('an edited tree is what writing it anew makes', async (t) => {
  const blobs = await openBlobs(tempDir(t));
  const edits = fc.tuple(trees, trees, trees);
  await fc.assert(
    fc.asyncProperty(edits, async ([before, put, remove]) => {
      const { digest } = await writeTree(blobs, before);
      const removed = remove.map(({ path }) => path);
      const after = new Map(before.map((one) => [one.path, one]));
      for (const path of removed) after.delete(path);
      for (const one of put) after.set(one.path, one);
      const wanted = await writeTree(blobs, sorted([...after.values()])).catch(
        (error: unknown) => error as Error,
      );

      const edit = editTree(blobs, digest, { put, remove: removed });

      if (wanted instanceof Error) return assert.rejects(edit, { reason: 'TreeInvalid' });
      const edited = await edit;
      assert.equal(edited.digest, wanted.digest);
      assert.deepEqual(edited.added, differing([...after.values()], before));
      assert.deepEqual(edited.removed, differing(before, [...after.values()]));
    }),
    { numRuns: 500 },
  );
});

/** Those of some entries that others don't have, in order. */
function differing(some: readonly TreeEntry[], others: readonly TreeEntry[]): TreeEntry[] {
  const known = new Set(others.map(({ path, sha256 }) => `${sha256} ${path}`));
  return sorted(some.filter(({ path, sha256 }) => !known.has(`${sha256} ${path}`)));
}

test('a tree that is damaged or missing is not edited', async (t) => {
  const blobs = await openBlobs(tempDir(t));
  const edit = { put: [entry('a')], remove: [] };
  const { sha256 } = blobs.put(Buffer.from('1 2  a'));

  await assert.rejects(editTree(blobs, sha256, edit), { reason: 'TreeInvalid' });
  await assert.rejects(editTree(blobs, '0'.repeat(64), edit), { reason: 'BlobMissing' });
});
