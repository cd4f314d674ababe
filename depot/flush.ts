import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { isCode } from './failures.ts';
import type { Layout } from './layout.ts';

const run = promisify(execFile);

/**
 * Brings blobs to the disk. With coreutils' `sync -f` (syncfs(2)) the whole file system at once, so
 * that other instances' blobs are covered too; where that isn't to be had, `blobs` one by one and
 * then their directories, as fsync(2) asks for.
 */
export async function flush(
  layout: Layout,
  blobs: Iterable<string> | AsyncIterable<string>,
  syncCommand: string,
): Promise<void> {
  if (await syncFileSystem(layout.root, syncCommand)) return;
  const directories = new Set([layout.blobs]);
  for await (const sha256 of blobs) {
    const file = layout.blob(sha256);
    await fsyncIfThere(file);
    directories.add(dirname(file));
  }
  for (const directory of directories) await fsyncIfThere(directory);
}

/** False when this machine's `sync` is missing or too simple; throws when the disk fails. */
async function syncFileSystem(root: string, command: string): Promise<boolean> {
  try {
    // A fixed environment: whether `-f` is known is told from the English message.
    await run(command, ['-f', root], { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } });
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT') || saysUsage(error)) return false;
    throw error;
  }
}

function saysUsage(error: unknown): boolean {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return /usage|(invalid|unrecognized|unknown) option/i.test(stderr);
}

async function fsyncIfThere(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'r');
    await handle.sync();
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
