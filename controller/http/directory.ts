import type { OpenTrees } from './find.ts';
import type { Place } from './locate.ts';
import { mountsOf, type Mount } from './mount-table.ts';
import { isReleaseFile } from './suites.ts';

export interface DirectoryEntry {
  readonly name: string;
  /** Bytes of a file; absent for directories. */
  readonly size?: number;
}

export interface Directory {
  /** Sorted by name, directories first. */
  readonly entries: readonly DirectoryEntry[];
  /** Something private may be here that the client does not see. */
  readonly hidden: boolean;
}

/**
 * Lists a directory: what the trees have there, and the mounts below. Undefined when there is none
 * that the client may see and none that it might not see.
 */
export async function listDirectory(
  trees: OpenTrees,
  place: Place,
  mayRead: boolean,
): Promise<Directory | undefined> {
  const found = new Map<string, DirectoryEntry>();
  const below = mountsOf(place.area).filter((mount) => isBelow(mount, place.inside));
  const isVisible = (mount: Mount) => mount.public || mayRead;
  for (const mount of below.filter(isVisible)) {
    const name = nextSegment(mount.path, place.inside);
    found.set(name, { name });
  }
  for (const mount of place.mounts.filter(isVisible)) {
    for (const entry of await inTrees(trees, mount, place.rest)) {
      if (!found.has(entry.name)) found.set(entry.name, entry);
    }
  }
  const hidden = ![...below, ...place.mounts].every(isVisible);
  if (found.size === 0 && !hidden) return undefined;
  return { entries: [...found.values()].sort(directoriesFirst), hidden };
}

async function inTrees(trees: OpenTrees, mount: Mount, path: string): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  const layers = mount.overlay === undefined ? [mount.tree] : [mount.overlay, mount.tree];
  for (const digest of layers) {
    const tree = await trees.open(digest);
    for (const { name, file } of (await tree.children(path)) ?? []) {
      const inside = path === '' ? name : `${path}/${name}`;
      const replaced = file && digest !== layers[0] && isReleaseFile(mount, inside);
      if (!replaced) entries.push(file ? { name, size: file.size } : { name });
    }
  }
  return entries;
}

function isBelow({ path }: Mount, inside: string): boolean {
  return inside === '' ? path !== '' : path.startsWith(`${inside}/`);
}

function nextSegment(path: string, inside: string): string {
  const rest = inside === '' ? path : path.slice(inside.length + 1);
  return rest.split('/', 1)[0] ?? rest;
}

function directoriesFirst(a: DirectoryEntry, b: DirectoryEntry): number {
  const kinds = Number(a.size !== undefined) - Number(b.size !== undefined);
  return kinds || (a.name < b.name ? -1 : 1);
}
