import type { FileHasher } from './file-facts.ts';

/** Indexes that were written of late; what is forgotten is hashed again. */
const most = 32;
const known = new Map<string, readonly FileHasher[]>();

/** The hashes of a file's text after each of its blocks, if this process has written that file. */
export function prefixHashes(sha256: string): readonly FileHasher[] {
  return known.get(sha256) ?? [];
}

/** Keeps them for the next change of the file: most of its text will be the same. */
export function keepPrefixHashes(sha256: string, hashes: readonly FileHasher[]): void {
  known.delete(sha256);
  known.set(sha256, hashes);
  const [oldest] = known.keys();
  if (known.size > most && oldest !== undefined) known.delete(oldest);
}
