import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secrets } from '../reconcilers/secrets.ts';

const maxValueBytes = 1024 * 1024;
const maxKeys = 100;

/**
 * Secrets as files, `<folder>/<name>/<key>`, the layout in which Kubernetes mounts them. Read anew
 * each time, so a rotated secret counts at once. A trailing newline isn't part of the value. They
 * are for objects of any namespace. What begins with two dots is how Kubernetes swaps all of them at once.
 */
export function secretFolder(folder: string): Secrets {
  return async ({ name }) => {
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) return undefined;
    const keys = await readdir(join(folder, name)).catch(() => undefined);
    if (!keys) return undefined;
    const values: Record<string, string> = {};
    for (const key of keys.filter((key) => !key.startsWith('..')).slice(0, maxKeys)) {
      const value = await readFile(join(folder, name, key)).catch(() => undefined);
      if (value && value.length <= maxValueBytes) {
        values[key] = value.toString('utf8').replace(/\r?\n$/, '');
      }
    }
    return values;
  };
}
