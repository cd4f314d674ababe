/** What is in a data directory, read by other means than the product's. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The names of all blobs. Throws when the bytes of one don't match its name. */
export function checkedBlobs(data: string): ReadonlySet<string> {
  const root = join(data, 'depot/sha256');
  const names = new Set<string>();
  if (!existsSync(root)) return names;
  for (const directory of readdirSync(root)) {
    for (const name of readdirSync(join(root, directory))) {
      const content = readFileSync(join(root, directory, name));
      const digest = createHash('sha256').update(content).digest('hex');
      if (digest !== name) throw new Error(`the bytes of blob ${name} have the hash ${digest}`);
      names.add(name);
    }
  }
  return names;
}

/** Files that somebody is writing, or has left behind. */
export function unfinished(data: string): readonly string[] {
  return ['tmp', 'partial'].flatMap((name) =>
    readdirSync(join(data, 'depot', name), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((file) => `${name}/${file.name}`),
  );
}

export interface TreeFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** The entries of a tree: lines of `<size> <sha256>  <path>`. */
export function treeFiles(data: string, digest: string): readonly TreeFile[] {
  const text = readFileSync(join(data, 'depot/sha256', digest.slice(0, 2), digest), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, size = '', sha256 = '', path = ''] =
        /^(\d+) ([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      return { path, sha256, size: Number(size) };
    });
}

/** What SQLite finds wrong with the store's file; nobody else may be using it. */
export function storeProblems(data: string): readonly string[] {
  const database = new DatabaseSync(join(data, 'cairn.db'));
  try {
    const rows = database.prepare('PRAGMA integrity_check').all();
    return rows.map((row) => String(row['integrity_check'])).filter((text) => text !== 'ok');
  } finally {
    database.close();
  }
}
