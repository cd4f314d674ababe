import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { comparePaths } from './compare-paths.ts';
import { decodeLines, invalid, parseLine } from './tree-format.ts';
import { WholeLines } from './whole-lines.ts';

const sliceBytes = 1024 * 1024;
const blockBytes = 32 * 1024;

/**
 * Where a tree's blocks of about 32 KiB are and with which path each begins: some thousandth of
 * the tree, enough to find the one block in which a path can be.
 */
export class TreeIndex {
  readonly #offsets: number[] = [];
  readonly #firstPaths: string[] = [];
  #end = 0;

  /** Reads a tree once. Throws `TreeInvalid` when it isn't what its digest says. */
  static async read(handle: FileHandle, digest: string): Promise<TreeIndex> {
    const index = new TreeIndex();
    const hash = createHash('sha256');
    const lines = new WholeLines(sliceBytes);
    for (;;) {
      const room = lines.room();
      const { bytesRead } = await handle.read(room, 0, room.length);
      if (bytesRead === 0) break;
      hash.update(room.subarray(0, bytesRead));
      index.#add(lines.take(bytesRead));
    }
    lines.end();
    if (hash.digest('hex') === digest) return index;
    throw invalid(`tree ${digest} doesn't match its digest`);
  }

  get blocks(): number {
    return this.#offsets.length;
  }

  /** The last block that begins at or before a path; -1 when the path comes before everything. */
  find(path: string): number {
    let [low, high] = [0, this.#firstPaths.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePaths(this.#firstPaths[middle] ?? '', path) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Where a block is in the file. */
  extent(block: number): { offset: number; length: number } {
    const offset = this.#offsets[block] ?? this.#end;
    return { offset, length: (this.#offsets[block + 1] ?? this.#end) - offset };
  }

  #add(lines: Buffer): void {
    let start = 0;
    while (start < lines.length) {
      const firstEnd = lines.indexOf(0x0a, start);
      this.#offsets.push(this.#end + start);
      this.#firstPaths.push(parseLine(decodeLines(lines.subarray(start, firstEnd))).path);
      const end = lines.indexOf(0x0a, Math.max(firstEnd, start + blockBytes - 1));
      start = end < 0 ? lines.length : end + 1;
    }
    this.#end += lines.length;
  }
}
