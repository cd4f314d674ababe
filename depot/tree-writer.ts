import type { BlobWriter, TreeEntry } from './depot.ts';
import { formatEntry } from './tree-format.ts';
import { TreeOrder } from './tree-order.ts';

export { comparePaths } from './compare-paths.ts';
export { mergeEntries } from './tree-merge.ts';

export interface WrittenTree {
  /** Names the tree: the SHA-256 of its text, which is a blob now. */
  readonly digest: string;
  readonly files: number;
  /** The sizes of all files together. */
  readonly bytes: number;
}

/** Lines are handed on in pieces of about so many characters. */
const pieceLength = 256 * 1024;

/**
 * Stores a tree. The entries must be sorted by `comparePaths` and unique; throws `TreeInvalid` for
 * any other and for unsafe paths, and then stores nothing. Doesn't check that the files are in the depot.
 */
export async function writeTree(
  blobs: BlobWriter,
  entries: Iterable<TreeEntry> | AsyncIterable<TreeEntry>,
): Promise<WrittenTree> {
  const text = new TreeText();
  const pieces = Symbol.iterator in entries ? text.of(entries) : text.ofAsync(entries);
  const { sha256 } = await blobs.write(pieces);
  return { digest: sha256, files: text.files, bytes: text.bytes };
}

class TreeText {
  files = 0;
  bytes = 0;
  readonly #order = new TreeOrder();
  #piece = '';

  async *of(entries: Iterable<TreeEntry>): AsyncGenerator<Buffer> {
    for (const entry of entries) {
      if (this.#add(entry)) yield this.#take();
    }
    yield this.#take();
  }

  async *ofAsync(entries: AsyncIterable<TreeEntry>): AsyncGenerator<Buffer> {
    for await (const entry of entries) {
      if (this.#add(entry)) yield this.#take();
    }
    yield this.#take();
  }

  /** True when there is enough for a piece. */
  #add(entry: TreeEntry): boolean {
    this.#piece += formatEntry(entry);
    this.#order.next(entry.path);
    this.files++;
    this.bytes += entry.size;
    return this.#piece.length >= pieceLength;
  }

  #take(): Buffer {
    const piece = Buffer.from(this.#piece);
    this.#piece = '';
    return piece;
  }
}
