import { hash } from 'node:crypto';
import type { FileHasher } from './file-facts.ts';

/** Indexes that were written of late; what is forgotten is hashed again. */
const most = 32;
const known = new Map<string, readonly FileHasher[]>();

/** The hashes of a file's text after each of its blocks, if this process has written that file. */
export function prefixHashes(file: Uint8Array): readonly FileHasher[] {
  return known.get(hash('sha256', file)) ?? [];
}

/** Keeps them for the next change of the file: most of its text will be the same. */
export function keepPrefixHashes(file: Uint8Array, hashes: readonly FileHasher[]): void {
  const digest = hash('sha256', file);
  known.delete(digest);
  known.set(digest, hashes);
  const [oldest] = known.keys();
  if (known.size > most && oldest !== undefined) known.delete(oldest);
}
