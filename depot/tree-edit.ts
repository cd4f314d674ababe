import { hash } from 'node:crypto';
import type { BlobReader, BlobWriter, TreeEntry } from './depot.ts';
import { comparePaths } from './compare-paths.ts';
import { formatEntry, invalid, parseLine, quoted } from './tree-format.ts';

export interface TreeEdit {
  /** Entries that come, or come in the place of those with the same path. */
  readonly put: Iterable<TreeEntry>;
  /** Paths that go; no matter whether they are there. `put` wins. */
  readonly remove: Iterable<string>;
}

export interface EditedTree {
  readonly digest: string;
  /** What is there now and was not, or was another file. */
  readonly added: readonly TreeEntry[];
  /** What was there and is not any more, or is another file. */
  readonly removed: readonly TreeEntry[];
}

/**
 * Stores a tree that differs from another in a few places. Costs about what reading its text costs,
 * and little for each entry that stays: for trees of tens of thousands. Throws `BlobMissing`;
 * `TreeInvalid` when the tree is damaged, and when a file would also be a directory.
 */
export async function editTree(
  blobs: BlobReader & Pick<BlobWriter, 'put'>,
  base: string,
  edit: TreeEdit,
): Promise<EditedTree> {
  const text = await blobs.bytes(base, Infinity);
  if (hash('sha256', text) !== base) throw invalid(`tree ${base} doesn't match its digest`);
  const lines = new Lines(text);
  const pieces: Buffer[] = [];
  const added: TreeEntry[] = [];
  const removed: TreeEntry[] = [];
  let done = 0;
  for (const [path, entry] of changesOf(edit)) {
    const at = lines.firstFrom(path);
    const old = lines.entryAt(at);
    const isThere = old?.path === path;
    if (!isThere && !entry) continue;
    pieces.push(text.subarray(done, at), Buffer.from(entry ? formatEntry(entry) : ''));
    done = isThere ? lines.endOf(at) : at;
    if (isThere && isSame(old, entry)) continue;
    if (isThere) removed.push(old);
    if (entry) added.push(entry);
  }
  const edited = Buffer.concat([...pieces, text.subarray(done)]);
  const result = new Lines(edited);
  for (const { path } of added) result.refuseFileAndDirectory(path);
  return { digest: blobs.put(edited).sha256, added, removed };
}

/** In the order of a tree; an entry is undefined where the path goes. */
function changesOf({ put, remove }: TreeEdit): [string, TreeEntry | undefined][] {
  const changes = new Map<string, TreeEntry | undefined>();
  for (const path of remove) changes.set(path, undefined);
  for (const entry of put) changes.set(entry.path, entry);
  return [...changes].sort(([a], [b]) => comparePaths(a, b));
}

function isSame(a: TreeEntry, b: TreeEntry | undefined): boolean {
  return b !== undefined && a.sha256 === b.sha256 && a.size === b.size;
}

const newline = 0x0a;
/** From the blank after the size: that, the digest, and two blanks. */
const toPath = 67;

/** The text of a tree, with the places of its lines found by bisection. */
class Lines {
  readonly #text: Buffer;

  constructor(text: Buffer) {
    this.#text = text;
    if (text.length > 0 && text.at(-1) !== newline) throw invalid('a tree ends within a line');
  }

  /** Where the first line begins whose path is this one or comes after it. */
  firstFrom(path: string): number {
    const wanted = Buffer.from(path);
    let low = 0;
    let high = this.#text.length;
    while (low < high) {
      const start = this.#startOf((low + high) >> 1);
      if (Buffer.compare(this.#pathAt(start), wanted) >= 0) high = start;
      else low = this.endOf(start);
    }
    return low;
  }

  entryAt(start: number): TreeEntry | undefined {
    if (start >= this.#text.length) return undefined;
    return parseLine(this.#text.toString('utf8', start, this.endOf(start) - 1));
  }

  endOf(start: number): number {
    return this.#text.indexOf(newline, start) + 1;
  }

  /** Throws `TreeInvalid` when this file lies below another, or another below it. */
  refuseFileAndDirectory(path: string): void {
    const below = this.entryAt(this.firstFrom(`${path}/`));
    if (below?.path.startsWith(`${path}/`)) throw clash(path, below.path);
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const above = path.slice(0, slash);
      if (this.entryAt(this.firstFrom(above))?.path === above) throw clash(above, path);
    }
  }

  /** Of the line that a byte belongs to. */
  #startOf(at: number): number {
    return at === 0 ? 0 : this.#text.lastIndexOf(newline, at - 1) + 1;
  }

  #pathAt(start: number): Buffer {
    const space = this.#text.indexOf(0x20, start);
    return this.#text.subarray(space + toPath, this.endOf(start) - 1);
  }
}

function clash(file: string, other: string): Error {
  return invalid(`${quoted(file)} is a file and, because of ${quoted(other)}, a directory`);
}
