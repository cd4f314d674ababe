import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isCode } from './failures.ts';
import type { FileSystemSync } from './file-system-sync.ts';
import type { Layout } from './layout.ts';

/** As sh(1) says it of a program. */
const notFound = 127;

/**
 * Brings blobs to the disk. With coreutils' `sync -f` (syncfs(2)) the whole file system at once, so
 * that other instances' blobs are covered too; where that isn't to be had, `blobs` one by one and
 * then their directories, as fsync(2) asks for.
 */
export async function flush(
  layout: Layout,
  blobs: Iterable<string> | AsyncIterable<string>,
  whole: FileSystemSync,
): Promise<void> {
  if (await syncWhole(layout.root, whole)) return;
  const directories = new Set([layout.blobs]);
  for await (const sha256 of blobs) {
    const file = layout.blob(sha256);
    await fsyncIfThere(file);
    directories.add(dirname(file));
  }
  for (const directory of directories) await fsyncIfThere(directory);
}

/** False when this machine's `sync` is missing or too simple; throws when the disk fails. */
async function syncWhole(root: string, whole: FileSystemSync): Promise<boolean> {
  const { code, told } = await whole.sync(root);
  if (code === 0) return true;
  if (code === notFound || saysUsage(told)) return false;
  throw new Error(`sync -f ${root} failed (exit code ${code}): ${told}`);
}

function saysUsage(told: string): boolean {
  return /usage|(invalid|unrecognized|unknown) option/i.test(told);
}

async function fsyncIfThere(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'r');
    await handle.sync();
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
