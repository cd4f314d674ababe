import { createReadStream, constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { writeTar, type PutEntry } from '../../builders/docker/tar.ts';

/**
 * A folder as a tar stream, in the order of its names, without what is called `.git`. Symbolic links stay links; what is
 * neither file, folder nor link is left out.
 */
export function treeTar(folder: string): Readable {
  return writeTar((put) => putFolder(folder, '', put));
}

async function putFolder(root: string, path: string, put: PutEntry): Promise<void> {
  const names = (await readdir(join(root, path))).toSorted();
  for (const name of names) {
    if (name === '.git') continue;
    const inside = path === '' ? name : `${path}/${name}`;
    await putEntry(root, inside, put);
  }
}

async function putEntry(root: string, path: string, put: PutEntry): Promise<void> {
  const file = join(root, path);
  const { mode, size } = await lstat(file);
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFDIR) {
    await put({ name: path, type: 'directory', mode: 0o755 });
    return putFolder(root, path, put);
  }
  if (type === constants.S_IFLNK) {
    return put({ name: path, type: 'symlink', linkname: await readlink(file) });
  }
  if (type !== constants.S_IFREG) return undefined;
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const header = { name: path, size, mode: mode & 0o100 ? 0o755 : 0o644 };
  // No more than its header says, even if it grows.
  const end = Math.max(size - 1, 0);
  const content = createReadStream(file, { fd: handle, start: 0, end });
  return put(header, size === 0 ? emptied(content) : content);
}

function emptied(content: Readable): string {
  content.destroy();
  return '';
}
