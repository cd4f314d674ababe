import type { TreeEntry } from './depot.ts';
import { aligned, isSame } from './tree-align.ts';
import { invalid, quoted } from './tree-format.ts';

/** Decides between two files of the same path and different content; `a` is of the earlier source. */
export type OnConflict = (a: TreeEntry, b: TreeEntry) => TreeEntry;

/**
 * Merges sorted entries into one sorted sequence. The same file in several sources comes once; the
 * same path with other content goes to `onConflict`, which throws `TreeInvalid` by default. Sources
 * that aren't sorted, and files below files, are left for `writeTree` to refuse.
 */
export function* mergeEntries(
  sources: readonly Iterable<TreeEntry>[],
  onConflict: OnConflict = refuse,
): Generator<TreeEntry> {
  const [first, second] = sources;
  if (first === undefined) return;
  if (second === undefined) return yield* first;
  const half = sources.length >> 1;
  const left = half === 1 ? first : mergeEntries(sources.slice(0, half), onConflict);
  const right = mergeEntries(sources.slice(half), onConflict);
  for (const [a, b] of aligned(left, right)) {
    if (a === undefined) yield b;
    else if (b === undefined || isSame(a, b)) yield a;
    else yield onConflict(a, b);
  }
}

function refuse(a: TreeEntry, b: TreeEntry): never {
  throw invalid(`${quoted(a.path)} is there twice, as ${a.sha256} and as ${b.sha256}`);
}
