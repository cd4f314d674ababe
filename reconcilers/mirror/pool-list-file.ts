import { createHash, hash, randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { TreeEntry } from '../../depot/depot.ts';
import { formatEntry, parseLines } from '../../depot/tree-format.ts';

const headBytes = 64 + 1;
const entriesAtOnce = 1000;

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

/** Writes it so that it is there as a whole or not at all, making the folder when it is gone. */
export function writeList(file: string, entries: readonly TreeEntry[]): void {
  const draft = `${file}.${randomUUID()}.tmp`;
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(draft, 'wx');
  try {
    writeFileSync(fd, ' '.repeat(headBytes));
    const digest = createHash('sha256');
    // Bit by bit: the text of a whole list is as large as all its entries are in memory.
    for (let at = 0; at < entries.length; at += entriesAtOnce) {
      const lines = entries.slice(at, at + entriesAtOnce).map(formatEntry);
      const bytes = Buffer.from(lines.join(''));
      digest.update(bytes);
      writeFileSync(fd, bytes);
    }
    writeSync(fd, `${digest.digest('hex')}\n`, 0, 'latin1');
  } finally {
    closeSync(fd);
  }
  renameSync(draft, file);
}
