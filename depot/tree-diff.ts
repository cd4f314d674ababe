import type { TreeEntry } from './depot.ts';
import { aligned, isSame } from './tree-align.ts';

export interface Difference {
  readonly path: string;
  /** Absent for what was added. */
  readonly before?: TreeEntry;
  /** Absent for what was removed. */
  readonly after?: TreeEntry;
}

/** What changed from one sorted sequence of entries to another, in order. */
export function* diffTrees(a: Iterable<TreeEntry>, b: Iterable<TreeEntry>): Generator<Difference> {
  for (const [before, after] of aligned(a, b)) {
    if (before === undefined) yield { path: after.path, after };
    else if (after === undefined) yield { path: before.path, before };
    else if (!isSame(before, after)) yield { path: before.path, before, after };
  }
}
