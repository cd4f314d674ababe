/** The files of this repository, for tests about the repository itself. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

/** Fetched, made by a build, or made by whoever follows the README's tour. Dot files are left out too. */
const left = new Set(['node_modules', 'cairn-data', 'config']);

/** Every file, relative to the root, sorted. */
export function repositoryFiles(folder = ''): readonly string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith('.') && !left.has(name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? repositoryFiles(path) : [path];
    })
    .sort();
}
