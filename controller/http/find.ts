import type { Tree, TreeEntry } from '../../depot/depot.ts';
import type { Place } from './locate.ts';
import type { Mount } from './mount-table.ts';
import { isByHash, isReleaseFile } from './suites.ts';

export interface OpenTrees {
  open(digest: string): Promise<Tree>;
}

export interface Found {
  readonly place: Place;
  readonly mount: Mount;
  readonly entry: TreeEntry;
}

/**
 * Finds the file of a place; `hidden` when one could be in a private mount that the client may not
 * read. Throws `CairnError` when a tree can't be read.
 */
export async function findFile(
  trees: OpenTrees,
  place: Place,
  mayRead: boolean,
): Promise<Found | 'hidden' | undefined> {
  if (place.rest === '') return undefined;
  const readable = place.mounts.filter((mount) => mount.public || mayRead);
  const byHash = isByHash(place.rest);
  for (const layers of byHash ? [layersOf, ({ previous }: Mount) => previous] : [layersOf]) {
    for (const mount of readable) {
      const entry = await first(trees, layers(mount, place.rest), place.rest);
      if (entry) return { place, mount, entry };
    }
  }
  return readable.length < place.mounts.length ? 'hidden' : undefined;
}

/**
 * The trees that have the say on a path, first the one that wins. The Release files of an
 * environment come from its overlay alone: upstream's would undo a rollback.
 */
export function layersOf(mount: Mount, path: string): readonly string[] {
  if (mount.overlay === undefined) return [mount.tree];
  return isReleaseFile(mount, path) ? [mount.overlay] : [mount.overlay, mount.tree];
}

async function first(
  trees: OpenTrees,
  digests: readonly string[],
  path: string,
): Promise<TreeEntry | undefined> {
  for (const digest of digests) {
    const tree = await trees.open(digest);
    const entry = await tree.get(path);
    if (entry) return entry;
  }
  return undefined;
}
