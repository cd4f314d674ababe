import type { CachedBlock } from './block-cache.ts';
import { comparePaths } from './compare-paths.ts';
import type { TreeEntry } from './depot.ts';
import { decodeLines, parseLine, pathOfLine } from './tree-format.ts';

/** What an entry of the array of lines and the head of a string take. */
const bytesPerLine = 40;

/** Some successive lines of a tree. Only the lines that are asked for become objects. */
export class TreeBlock implements CachedBlock {
  readonly bytes: number;
  used = true;
  readonly drop: () => void;
  readonly #lines: readonly string[];

  constructor(bytes: Buffer, drop: () => void) {
    this.#lines = decodeLines(bytes.subarray(0, -1)).split('\n');
    this.bytes = bytes.length + this.#lines.length * bytesPerLine;
    this.drop = drop;
  }

  get(path: string): TreeEntry | undefined {
    const entry = this.at(this.lowerBound(path));
    return entry?.path === path ? entry : undefined;
  }

  /** The entry of a line; undefined past the end. */
  at(line: number): TreeEntry | undefined {
    const text = this.#lines[line];
    return text === undefined ? undefined : parseLine(text);
  }

  /** The first line whose path is not before `key`; one past the last line if all are. */
  lowerBound(key: string): number {
    let [low, high] = [0, this.#lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePaths(pathOfLine(this.#lines[middle] ?? ''), key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
