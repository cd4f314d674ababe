import { CairnError } from '../../crds/reasons.ts';
import type { Blob, TreeEntry } from '../../depot/depot.ts';
import { isSame } from '../../depot/tree-align.ts';
import { diffTrees } from '../../depot/tree-diff.ts';
import { mergeEntries } from '../../depot/tree-writer.ts';
import { sortedByPath } from './pool-lists.ts';
import type { Shrink } from './request.ts';

/** A mirror's tree before it is written: sorted, every path once. */
export interface Assembly {
  readonly entries: readonly TreeEntry[];
  readonly files: number;
  readonly bytes: number;
  /** Pool files among them. */
  readonly packages: number;
}

/**
 * Merges Release files, indexes and pool lists into one tree. The same path may be named by several
 * indexes; with different bytes it can't be served, and the archive is refused.
 */
export function assemble(
  indexes: readonly TreeEntry[],
  poolLists: readonly (readonly TreeEntry[])[],
): Assembly {
  const sorted = once(sortedByPath(indexes));
  const entries = [...mergeEntries([sorted, ...poolLists.map(once)], conflict)];
  let bytes = 0;
  for (const { size } of entries) bytes += size;
  return { entries, files: entries.length, bytes, packages: entries.length - sorted.length };
}

/** Every path once: indexes of the same content have the same name in `by-hash`. */
function once(sorted: readonly TreeEntry[]): readonly TreeEntry[] {
  return sorted.filter((entry, at) => {
    const before = sorted[at - 1];
    if (before?.path !== entry.path) return true;
    if (!isSame(before, entry)) conflict(before, entry);
    return false;
  });
}

function conflict(a: TreeEntry, b: TreeEntry): never {
  throw new CairnError(
    'UpstreamInconsistent',
    `${a.path} is listed twice, as ${shown(a)} and as ${shown(b)}`,
  );
}

function shown({ sha256, size }: TreeEntry): string {
  return `${sha256.slice(0, 16)}… (${size} bytes)`;
}

export interface Change {
  /** Entries that are new or have other bytes. */
  readonly added: readonly TreeEntry[];
  /** Pool files whose path is gone. */
  readonly removed: number;
  /** Files in the old tree, indexes apart. */
  readonly before: number;
}

/** What changes from the tree before to the new one. `inDists` tells indexes from pool files. */
export function changeOf(before: Iterable<TreeEntry>, after: readonly TreeEntry[]): Change {
  const added: TreeEntry[] = [];
  let removed = 0;
  let count = 0;
  const counted = (function* () {
    for (const entry of before) {
      if (!isIndex(entry.path)) count += 1;
      yield entry;
    }
  })();
  for (const { path, after: entry } of diffTrees(counted, after)) {
    if (entry) added.push(entry);
    else if (!isIndex(path)) removed += 1;
  }
  return { added, removed, before: count };
}

/** Up to so many files may always go. */
const alwaysAllowed = 10;

/** The shrink to hold, if too much vanishes at once. `tree` names the state that would come. */
export function shrinkOf(
  { removed, before }: Change,
  tree: Blob,
  maxShrinkPercent: number,
): Shrink | undefined {
  if (removed <= alwaysAllowed || removed * 100 <= before * maxShrinkPercent) return undefined;
  return { digest: tree.sha256, vanishing: removed, of: before };
}

function isIndex(path: string): boolean {
  return path.startsWith('dists/') || path.includes('/by-hash/');
}
