import { rmSync, statfsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fanOut, isSha256, type Layout } from '../layout.ts';

/** Without a limit of its own, a cache leaves so much of its file system to others. */
const freeShare = 0.15;
/** What is made room for at once, so that it isn't for every blob. */
const evictedShare = 0.1;
/** What was asked for or came so recently stays: somebody may be about to open it. */
const graceMs = 10 * 60_000;
const slots = 60 * 24 * 60;

interface Use {
  readonly file: string;
  readonly size: number;
  /** Minutes since it was asked for or came, at most 60 days. */
  readonly idle: number;
}

/**
 * Keeps the blobs on the local disk within bounds: those go first that nobody has asked for the
 * longest, and never those that the bucket doesn't have yet.
 */
export class Cache {
  readonly #layout: Layout;
  readonly #limit: number | undefined;
  /** As found at the last look, to guess from what is free now. */
  #last: { readonly used: number; readonly free: number } | undefined;

  constructor(layout: Layout, limit: number | undefined) {
    this.#layout = layout;
    this.#limit = limit;
  }

  /** Looks at each blob only when there may be too many. Returns the bytes that were freed. */
  async keepWithinBounds(now: number): Promise<number> {
    const { free, total } = spaceOf(this.#layout.root);
    if (this.#last && this.#excess(this.#last.used + this.#last.free - free, free, total) <= 0) {
      return 0;
    }
    const bytes = await this.#bytesByIdleness(now);
    const used = bytes.reduce((sum, each) => sum + each, 0);
    const excess = this.#excess(used, free, total);
    const freed = excess > 0 ? await this.#evict(bytes, excess + used * evictedShare, now) : 0;
    this.#last = { used: used - freed, free: spaceOf(this.#layout.root).free };
    return freed;
  }

  /** How many bytes there are too many. */
  #excess(used: number, free: number, total: number): number {
    if (this.#limit !== undefined) return used - this.#limit;
    return Math.min(used, total * freeShare - free);
  }

  /** A count for each minute of idleness: the files themselves would fill the memory. */
  async #bytesByIdleness(now: number): Promise<Float64Array> {
    const bytes = new Float64Array(slots);
    for await (const { size, idle } of this.#uses(now)) {
      bytes[idle] = (bytes[idle] ?? 0) + size;
    }
    return bytes;
  }

  async #evict(bytes: Float64Array, wanted: number, now: number): Promise<number> {
    let from = slots - 1;
    for (let sum = bytes[from] ?? 0; sum < wanted && from > graceMs / 60_000; from -= 1) {
      sum += bytes[from - 1] ?? 0;
    }
    let freed = 0;
    for await (const { file, size, idle } of this.#uses(now)) {
      if (idle < from || freed >= wanted) continue;
      rmSync(file, { force: true });
      freed += size;
    }
    return freed;
  }

  /** The blobs that may go. */
  async *#uses(now: number): AsyncGenerator<Use> {
    for (const prefix of fanOut()) {
      const directory = join(this.#layout.blobs, prefix);
      for (const name of await readdir(directory)) {
        if (!isSha256(name)) continue;
        const file = join(directory, name);
        const stat = statSync(file, { throwIfNoEntry: false });
        // Two links: it waits in the outbox.
        if (!stat?.isFile() || stat.nlink > 1) continue;
        const idleMs = Math.max(now - Math.max(stat.atimeMs, stat.ctimeMs), 0);
        const idle = Math.min(Math.floor(idleMs / 60_000), slots - 1);
        yield { file, size: stat.size, idle };
      }
    }
  }
}

function spaceOf(root: string): { free: number; total: number } {
  const { bsize, bavail, blocks } = statfsSync(root);
  return { free: bsize * bavail, total: bsize * blocks };
}
