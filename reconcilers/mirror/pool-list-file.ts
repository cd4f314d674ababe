import { hash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TreeEntry } from '../../depot/depot.ts';
import { formatEntry, parseLines } from '../../depot/tree-format.ts';

const headBytes = 64 + 1;

/**
 * The list in a file of the cache: a line with the SHA-256 of the rest, then the lines of a tree.
 * Nothing syncs it, so a power cut may empty it or cut it off: undefined when it isn't what was
 * written, as when there is none.
 */
export function readList(file: string): readonly TreeEntry[] | undefined {
  try {
    const content = readFileSync(file);
    const lines = content.subarray(headBytes);
    if (content.toString('latin1', 0, headBytes) !== `${hash('sha256', lines)}\n`) return undefined;
    utimesSync(file, new Date(), new Date()); // what is read is not pruned
    return [...parseLines(lines)];
  } catch {
    return undefined;
  }
}

/** Writes it all at once, making the folder when it is gone. */
export function writeList(file: string, entries: readonly TreeEntry[]): void {
  const lines = entries.map(formatEntry).join('');
  const draft = `${file}.${randomUUID()}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(draft, `${hash('sha256', lines)}\n${lines}`);
  renameSync(draft, file);
}
