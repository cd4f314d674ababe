import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const troubles: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'no space is left',
  ENOTDIR: 'a part of that path is not a directory',
  ENOENT: 'a part of that path leads nowhere',
  EEXIST: 'a part of that path leads nowhere',
  ELOOP: 'a part of that path is a link to itself',
};

/** Makes the data directory when it isn't there. Throws an Error for people when it is of no use. */
export function makeDataDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const trouble = troubles[code] ?? String(error);
    const advice = 'name another with --data';
    throw new Error(`can't use the data directory ${directory}: ${trouble}; ${advice}`, {
      cause: error,
    });
  }
}

/**
 * As `mkdir -p`. Node's own `recursive` never returns where the kernel says ENOENT below a directory
 * that is there, as it does in /proc, and hides why nothing can be made on a read-only file system.
 */
function makeDirectory(directory: string): void {
  if (isDirectory(directory)) return;
  if (!isDirectory(dirname(directory))) makeDirectory(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (error) {
    if (!isDirectory(directory)) throw error; // else another process was quicker
  }
}

/** Throws when there is something else. */
function isDirectory(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats && !stats.isDirectory()) throw Object.assign(new Error(path), { code: 'ENOTDIR' });
  return stats !== undefined;
}
