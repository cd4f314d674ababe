import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { BlobReader, TreeEntry } from './depot.ts';
import { invalid, parseLines } from './tree-format.ts';
import { WholeLines } from './whole-lines.ts';

/** Also what an entry that somebody keeps holds in memory: its strings are slices of this text. */
const sliceBytes = 256 * 1024;

/**
 * All entries of a tree, to be read synchronously: for worker threads that compare and merge large
 * trees. Throws `BlobMissing`; `TreeInvalid`, at the end
 * only, when the tree doesn't match its digest.
 */
export async function treeEntries(
  blobs: BlobReader,
  digest: string,
): Promise<Generator<TreeEntry>> {
  return entriesOf(await blobs.path(digest), digest);
}

function* entriesOf(file: string, digest: string): Generator<TreeEntry> {
  const fd = openSync(file, 'r');
  try {
    const hash = createHash('sha256');
    const lines = new WholeLines(sliceBytes);
    for (;;) {
      const room = lines.room();
      const length = readSync(fd, room);
      if (length === 0) break;
      hash.update(room.subarray(0, length));
      yield* parseLines(lines.take(length));
    }
    lines.end();
    if (hash.digest('hex') !== digest) throw invalid(`tree ${digest} doesn't match its digest`);
  } finally {
    closeSync(fd);
  }
}
