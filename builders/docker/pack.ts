import type { Readable } from 'node:stream';
import { writeTar } from './tar.ts';

/** A tar stream of a few small files, root's and readable by all. Folders are made as they are needed. */
export function packFiles(files: Readonly<Record<string, string>>): Readable {
  return writeTar(async (put) => {
    for (const [name, content] of Object.entries(files)) {
      const header = {
        name: name.replace(/^\//, ''),
        mode: 0o644,
        mtime: new Date(0),
        uid: 0,
        gid: 0,
      };
      await put(header, content);
    }
  });
}
