import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from './archive.ts';

const root = path.join(cacheFolder, 'work');

/**
 * A new, empty folder for one tool. Nothing is removed before the end of the bench: for minutes
 * after many files were deleted, file systems make new ones more slowly, and whoever comes next
 * would pay.
 */
export function newWorkFolder(tool: string): string {
  mkdirSync(root, { recursive: true });
  return mkdtempSync(path.join(root, `${tool}-`));
}

export function removeWorkFolders(): void {
  rmSync(root, { recursive: true, force: true });
}
