import { hash } from 'node:crypto';
import { blocksOf, lastBefore, unpackBlock, type PackedBlock } from './blocks.ts';
import { splitEntries, type Entry } from './stanzas.ts';

/** Blocks that stay unpacked: some megabytes each. */
const mostUnpacked = 8;

/** A compressed index of ours to look into. Throws `IndexInvalid` when it is damaged. */
export class IndexFile {
  readonly #blocks: readonly PackedBlock[];
  readonly #unpacked = new Map<PackedBlock, ReadonlyMap<string, readonly Entry[]>>();

  /** Left out: an empty one. */
  constructor(file: Buffer | undefined) {
    this.#blocks = file === undefined ? [] : blocksOf(file);
  }

  /** All versions of a package, for all architectures. */
  versions(name: string): readonly Entry[] {
    const block = this.#blocks[Math.max(lastBefore(this.#blocks, name), 0)];
    return (block && this.#entriesOf(block).get(name)) ?? [];
  }

  *entries(): Generator<Entry> {
    for (const block of this.#blocks) yield* entriesIn(block);
  }

  /** The blocks that it is packed in: the same packages have the same digest. */
  *packedBlocks(): Generator<{ readonly digest: string; readonly text: () => string }> {
    for (const block of this.#blocks) {
      yield { digest: hash('sha256', block.packed), text: () => unpackBlock(block).toString() };
    }
  }

  #entriesOf(block: PackedBlock): ReadonlyMap<string, readonly Entry[]> {
    const known = this.#unpacked.get(block);
    if (known) return known;
    const made = Map.groupBy(entriesIn(block), (entry) => entry.package);
    this.#unpacked.set(block, made);
    const [oldest] = this.#unpacked.keys();
    if (this.#unpacked.size > mostUnpacked && oldest) this.#unpacked.delete(oldest);
    return made;
  }
}

function entriesIn(block: PackedBlock): Entry[] {
  return splitEntries(unpackBlock(block).toString('utf8'));
}
