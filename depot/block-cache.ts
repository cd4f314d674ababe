/** A piece of a tree in memory. */
export interface CachedBlock {
  /** About how much memory it takes. */
  readonly bytes: number;
  /** Set by whoever uses the block; cleared when the cache looks for something to drop. */
  used: boolean;
  /** Called when the block is dropped. */
  drop(): void;
}

/**
 * Bounds the memory of blocks by dropping those that were not used for long (second chance: a hit
 * costs one assignment, unlike in a strict LRU order).
 */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Set<CachedBlock>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(block: CachedBlock): void {
    this.#blocks.add(block);
    this.#bytes += block.bytes;
    this.#shrink();
  }

  remove(block: CachedBlock): void {
    if (!this.#blocks.delete(block)) return;
    this.#bytes -= block.bytes;
    block.drop();
  }

  #shrink(): void {
    // Blocks put back at the end are met again by this loop, then without a second chance.
    for (const block of this.#blocks) {
      if (this.#bytes <= this.#maxBytes) return;
      if (block.used) {
        block.used = false;
        this.#blocks.delete(block);
        this.#blocks.add(block);
      } else {
        this.remove(block);
      }
    }
  }
}
