import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decompress } from '../../apt/decompress.ts';
import { scanPackages, scanSources, type PoolFile } from '../../apt/index-scan.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Blobs, TreeEntry } from '../../depot/depot.ts';
import { comparePaths } from '../../depot/tree-writer.ts';
import type { PoolIndex } from './indexes.ts';
import { readList, writeList } from './pool-list-file.ts';

/** When Release doesn't say how large an index is uncompressed, it may be this many times as large. */
const mostExpansion = 200;
const leastBound = 64 * 1024 * 1024;
const mostIndexBytes = 4 * 1024 * 1024 * 1024;
const keepUnusedMs = 7 * 24 * 3_600_000;

/**
 * The pool files that indexes name, as sorted lists. Reading an index is the dearest part of a
 * refresh, so the list of one is kept under the index's own hash: an index that didn't change is
 * never read twice. The folder is a cache: it may be deleted or damaged at any time.
 */
export class PoolLists {
  readonly #folder: string;
  readonly #blobs: Blobs;

  constructor(folder: string, blobs: Blobs) {
    this.#folder = folder;
    this.#blobs = blobs;
    mkdirSync(folder, { recursive: true });
  }

  /** The pool files of one index, sorted by path. Verifies the uncompressed index where it can. */
  async read(index: PoolIndex, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const file = join(this.#folder, `${index.blob.sha256}-${index.kind}`);
    const known = readList(file);
    if (known) return known;
    const entries = sorted(await this.#scan(index, signal), index.path);
    writeList(file, entries);
    return entries;
  }

  /** Forgets lists that nobody has read for a week. */
  prune(now: number): void {
    for (const name of readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      const used = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now;
      if (now - used > keepUnusedMs) rmSync(file, { force: true });
    }
  }

  async #scan(index: PoolIndex, signal: AbortSignal): Promise<TreeEntry[]> {
    const entries: TreeEntry[] = [];
    const plain = createHash('sha256');
    let size = 0;
    const source = await this.#blobs.read(index.blob.sha256);
    const text = decompress(source, index.compression, { maxBytes: boundOf(index) });
    const chunks = (async function* () {
      for await (const chunk of text) {
        signal.throwIfAborted();
        plain.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    })();
    const scan = index.kind === 'packages' ? scanPackages : scanSources;
    try {
      await scan(chunks, (file) => entries.push(asEntry(file)));
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      throw new CairnError(error.reason, `${index.path}: ${error.message}`, { cause: error });
    }
    const expected = index.plain?.hashes.SHA256;
    const got = plain.digest('hex');
    if (index.plain && (size !== index.plain.size || (expected && expected !== got))) {
      throw new CairnError(
        'UpstreamInconsistent',
        `${index.path} unpacks to something else than the ${index.plain.path} that Release lists`,
      );
    }
    return entries;
  }
}

function boundOf({ plain, blob }: PoolIndex): number {
  if (plain) return Math.min(plain.size, mostIndexBytes);
  return Math.min(mostIndexBytes, Math.max(leastBound, blob.size * mostExpansion));
}

function asEntry({ path, size, sha256 }: PoolFile): TreeEntry {
  if (sha256 === undefined) {
    throw new CairnError(
      'IndexInvalid',
      `it lists ${path} with a SHA512 only; Cairn keeps files by their SHA-256, so the archive ` +
        'has to list that as well: ask its owners',
    );
  }
  return { path, size, sha256 };
}

/** A sorted copy. */
export function sortedByPath(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return [...entries].sort(byPath);
}

function byPath(a: TreeEntry, b: TreeEntry): number {
  return comparePaths(a.path, b.path);
}

/** Sorted and without repetitions; the same path with other bytes means a broken archive. */
function sorted(entries: TreeEntry[], index: string): TreeEntry[] {
  entries.sort(byPath);
  let kept = 0;
  for (const entry of entries) {
    const last = entries[kept - 1];
    if (last?.path === entry.path) {
      if (last.sha256 !== entry.sha256 || last.size !== entry.size) {
        throw new CairnError(
          'UpstreamInconsistent',
          `${index} lists ${entry.path} twice, with different hashes or sizes`,
        );
      }
      continue;
    }
    entries[kept] = entry;
    kept += 1;
  }
  entries.length = kept;
  return entries;
}
