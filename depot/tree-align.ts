import { comparePaths } from './compare-paths.ts';
import type { TreeEntry } from './depot.ts';

type Pair = [TreeEntry, TreeEntry] | [TreeEntry, undefined] | [undefined, TreeEntry];

/** Both sequences side by side: entries of the same path together, all others alone. */
export function* aligned(left: Iterable<TreeEntry>, right: Iterable<TreeEntry>): Generator<Pair> {
  const [lefts, rights] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  try {
    let [a, b] = [take(lefts), take(rights)];
    while (a !== undefined || b !== undefined) {
      const order = compare(a, b);
      if (order < 0 && a !== undefined) yield [a, undefined];
      else if (order > 0 && b !== undefined) yield [undefined, b];
      else if (a !== undefined && b !== undefined) yield [a, b];
      if (order <= 0) a = take(lefts);
      if (order >= 0) b = take(rights);
    }
  } finally {
    // Trees that are read hold a file open until their iterator is told that nobody wants more.
    lefts.return?.();
    rights.return?.();
  }
}

function take(entries: Iterator<TreeEntry>): TreeEntry | undefined {
  const next = entries.next();
  return next.done ? undefined : next.value;
}

function compare(a: TreeEntry | undefined, b: TreeEntry | undefined): number {
  if (a === undefined) return 1;
  return b === undefined ? -1 : comparePaths(a.path, b.path);
}

/** Whether two entries of the same path are the same file. */
export function isSame(a: TreeEntry, b: TreeEntry): boolean {
  return a.sha256 === b.sha256 && a.size === b.size;
}
