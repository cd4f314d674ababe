import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a small file so that it is there as a whole or as it was before, also after a power cut; by default only its
 * owner can read it. What a process that was killed has left of a draft is never read.
 */
export function replaceDurably(file: string, text: string, mode = 0o600): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(draft, text, { flush: true, flag: 'wx', mode });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  fsyncPath(dirname(file));
}

/** Has the disk know which files a folder has. */
export function fsyncPath(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
