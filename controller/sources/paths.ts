import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { kinds } from '../../crds/index.ts';
import type { KubeObject } from '../../crds/object.ts';
import type { InventoryEntry, StoreReader } from '../../crds/store.ts';
import { readManifests, type Reading } from './manifests.ts';
import { planChanges, type Plan } from './plan.ts';

/**
 * Reads the manifests of a directory, or of one file, as a config source would: for `cairn
 * validate`. Files are named relative to the path's repository, out of which nothing may lead (the
 * directory itself when it is in none). Throws when there is no such path.
 */
export async function validatePath(path: string): Promise<Reading> {
  const start = resolve(path);
  const isDirectory = (await stat(start)).isDirectory();
  const own = isDirectory ? start : dirname(start);
  const root = (await repositoryOf(own)) ?? own;
  return readManifests(root, { path: relative(root, start) });
}

/**
 * What applying a path would change in a store, without doing it: for `cairn plan`. Without an
 * inventory nothing is pruned.
 */
export async function planPath(
  path: string,
  { store, inventory = [] }: { store: StoreReader; inventory?: readonly InventoryEntry[] },
): Promise<{ readonly reading: Reading; readonly plan: Plan }> {
  const reading = await validatePath(path);
  const objects = await allObjects(store);
  return { reading, plan: planChanges({ reading, inventory, objects }) };
}

/** Every object that a config source may declare. */
export async function allObjects(store: Pick<StoreReader, 'list'>): Promise<KubeObject[]> {
  const declared = kinds.filter(({ internal }) => !internal);
  const lists = await Promise.all(declared.map(({ kind }) => store.list(kind)));
  return lists.flatMap(({ items }) => items);
}

/** The nearest directory from here upwards that is a git repository. */
export async function repositoryOf(directory: string): Promise<string | undefined> {
  const isOne = await stat(join(directory, '.git')).then(
    () => true,
    () => false,
  );
  if (isOne) return directory;
  const above = dirname(directory);
  return above === directory ? undefined : repositoryOf(above);
}
