import fc from 'fast-check';
import { comparePaths } from '../../depot/compare-paths.ts';
import type { TreeEntry } from '../../depot/depot.ts';
import { blobOf } from './blobs.contract.ts';

/** An entry whose content is `text`, for tests in which the file itself doesn't matter. */
export function entry(path: string, text = path): TreeEntry {
  return { path, ...blobOf(Buffer.from(text)) };
}

export function sorted(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.toSorted((a, b) => comparePaths(a.path, b.path));
}

/** Names that are near each other, around the slash and beyond ASCII, so that orders get tested. */
const name = fc.oneof(
  fc.constantFrom('a', 'a-b', 'a b', 'a.b', 'a0', 'ab', 'b', 'é', '\ue000', '😀', 'pool'),
  fc.stringMatching(/^[a-c.-]{3,5}$/).filter((text) => !/^\.+$/.test(text)),
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

/** Valid sets of entries, sorted: of paths where one lies below the other, only one is kept. */
export const trees: fc.Arbitrary<TreeEntry[]> = fc
  .array(fc.tuple(path, fc.constantFrom('x', 'y', 'z')), { maxLength: 60 })
  .map((pairs) => {
    const kept: TreeEntry[] = [];
    for (const [at, text] of pairs) {
      if (kept.every((other) => !clash(other.path, at))) kept.push(entry(at, text));
    }
    return sorted(kept);
  });

function clash(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** A tree of many blocks: some megabytes, shaped like a package pool. */
export function largeTree(files: number): TreeEntry[] {
  const blob = blobOf(Buffer.from('x'));
  return sorted(
    Array.from({ length: files }, (_, i) => ({
      ...blob,
      path: `pool/main/${'abcdefghij'[i % 10]}/package-${i % 1000}/package-${i % 1000}_${i}_amd64.deb`,
    })),
  );
}
