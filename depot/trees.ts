import { BlockCache } from './block-cache.ts';
import type { BlobReader } from './depot.ts';
import { openTree, type IndexedTree } from './indexed-tree.ts';

export interface TreesOptions {
  /** How many trees to keep open; each holds a file open. */
  readonly maxOpen?: number;
  /** For the recently used blocks of all trees together. */
  readonly maxCachedBytes?: number;
}

interface Slot {
  readonly opening: Promise<IndexedTree>;
  tree?: IndexedTree;
}

/**
 * The trees that are in use, each opened once. The one not asked for the longest is closed first;
 * who still holds it can go on reading.
 */
export class Trees {
  readonly #blobs: BlobReader;
  readonly #maxOpen: number;
  readonly #cache: BlockCache;
  /** In order of use, the latest last. */
  readonly #slots = new Map<string, Slot>();

  constructor(
    blobs: BlobReader,
    { maxOpen = 64, maxCachedBytes = 64 * 1024 * 1024 }: TreesOptions = {},
  ) {
    this.#blobs = blobs;
    this.#maxOpen = maxOpen;
    this.#cache = new BlockCache(maxCachedBytes);
  }

  /** Throws `BlobMissing` or `TreeInvalid`; the next call tries again. */
  open(digest: string): Promise<IndexedTree> {
    const slot = this.#slots.get(digest) ?? this.#start(digest);
    this.#touch(digest, slot);
    return slot.opening;
  }

  /** A tree that is open already, without waiting. */
  opened(digest: string): IndexedTree | undefined {
    const slot = this.#slots.get(digest);
    if (slot?.tree === undefined) return undefined;
    this.#touch(digest, slot);
    return slot.tree;
  }

  /** Closes every tree. */
  async close(): Promise<void> {
    await Promise.all([...this.#slots.keys()].map((digest) => this.#evict(digest)));
  }

  #start(digest: string): Slot {
    const opening = openTree(this.#blobs, digest, { cache: this.#cache, keepOpen: true });
    const slot: Slot = { opening };
    opening.then(
      (tree) => (slot.tree = tree),
      () => this.#forget(digest, slot),
    );
    return slot;
  }

  #touch(digest: string, slot: Slot): void {
    this.#slots.delete(digest);
    this.#slots.set(digest, slot);
    const [oldest] = this.#slots.keys();
    if (this.#slots.size <= this.#maxOpen || oldest === undefined) return;
    // Nobody waits for this, and a file that was only read has nothing to lose when it is closed.
    this.#evict(oldest).catch(() => undefined);
  }

  async #evict(digest: string): Promise<void> {
    const slot = this.#slots.get(digest);
    this.#slots.delete(digest);
    // A tree that couldn't be opened has nothing to close; whoever opened it is told.
    const tree = await slot?.opening.catch(() => undefined);
    await tree?.close();
  }

  #forget(digest: string, slot: Slot): void {
    if (this.#slots.get(digest) === slot) this.#slots.delete(digest);
  }
}
