import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { maxChangelogBytes } from './debian/changelog.ts';
import { invalid } from './failure.ts';
import type { PackagingPlan, PlannedFile } from './request.ts';
import { subfolder } from './tree.ts';

/**
 * Writes the files of a plan into the checkout that it was made of. Each one is whole or not there;
 * nothing is written through a symbolic link. A checkout that this was broken off in is to be made anew: an
 * entry that is put before others would come twice.
 */
export async function applyPackaging(plan: PackagingPlan, folder: string): Promise<void> {
  const root = await subfolder(folder, plan.subdirectory ?? '');
  for (const file of plan.files) await writePlanned(root, file);
}

async function writePlanned(root: string, file: PlannedFile): Promise<void> {
  const target = path.join(root, file.path);
  await realFolders(root, path.dirname(file.path));
  const before = file.prepend === true ? await contentOf(target, file.path) : Buffer.alloc(0);
  const draft = path.join(path.dirname(target), `.cairn-${randomBytes(8).toString('hex')}`);
  try {
    const handle = await open(draft, 'wx', file.mode);
    try {
      await handle.writeFile(Buffer.concat([Buffer.from(file.content), before]));
      await handle.chmod(file.mode); // whatever the umask is
    } finally {
      await handle.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes the folders of a file that are missing; each one that is there has to be one. */
async function realFolders(root: string, folder: string): Promise<void> {
  let at = root;
  for (const part of folder.split('/')) {
    at = path.join(at, part);
    const found = await lstat(at).catch(() => undefined);
    if (!found) await mkdir(at);
    else if (!found.isDirectory()) throw invalid(folder, 'expected a folder');
  }
}

async function contentOf(file: string, name: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    if (size > maxChangelogBytes) throw invalid(name, 'too large');
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
