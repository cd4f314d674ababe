import { setImmediate as breathe } from 'node:timers/promises';
import { providedBy, type Provided } from '../../apt/relations.ts';
import type { IndexFile } from '../../apt/write/index-file.ts';

/** Some tens of megabytes; all of Debian provides about a hundred thousand names. */
const mostKept = 500_000;
/** What a block counts at least, however little it provides. */
const perBlock = 10;

/**
 * The names that packages provide, by the blocks of indexes that they are in: what has been read once is not
 * unpacked again, and a publication changes one block or two. It is a cache, and bounded.
 */
export class ProvidedNames {
  /** By the digest of a block; what was used last is last. */
  readonly #known = new Map<string, readonly Provided[]>();
  readonly #most: number;
  #size = 0;

  constructor(most = mostKept) {
    this.#most = most;
  }

  /** Whether a package of an index provides what is wanted. Throws `IndexInvalid`. */
  async some(index: IndexFile, isWanted: (provided: Provided) => boolean): Promise<boolean> {
    for (const block of index.packedBlocks()) {
      const known = this.#known.get(block.digest);
      const provided = known ?? namesIn(block.text());
      this.#keep(block.digest, provided);
      if (provided.some(isWanted)) return true;
      // Tens of thousands of packages are unpacked at first, beside all else that this thread does.
      if (!known) await breathe();
    }
    return false;
  }

  #keep(digest: string, provided: readonly Provided[]): void {
    const isKnown = this.#known.delete(digest);
    this.#known.set(digest, provided);
    if (!isKnown) this.#size += sizeOf(provided);
    for (const [oldest, names] of this.#known) {
      if (this.#size <= this.#most) break;
      this.#known.delete(oldest);
      this.#size -= sizeOf(names);
    }
  }
}

function sizeOf(provided: readonly Provided[]): number {
  return perBlock + provided.length;
}

/** A field ends where the next line does not begin with a blank: deb822(5). */
const field = /^provides:([^\n]*(?:\n[ \t][^\n]*)*)/gim;

function namesIn(text: string): readonly Provided[] {
  return [...text.matchAll(field)].flatMap(([, list = '']) => providedBy(list));
}
