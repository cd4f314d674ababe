import { IndexFile } from '../../apt/write/index-file.ts';
import type { PackageCount } from '../../crds/repository.ts';
import type { NewIndex } from './indexes.ts';

/**
 * How many packages there are in each suite: as many as before and those that have come since, less
 * those that have gone. Without `before` they are counted one by one.
 */
export function countPackages(
  indexes: Iterable<NewIndex>,
  before: readonly PackageCount[] | undefined,
): PackageCount[] {
  const counts = new Map<string, PackageCount>();
  for (const { suite, architecture, gz, growth } of indexes) {
    const old = before?.find((one) => one.suite === suite);
    const count = counts.get(suite) ?? structuredClone(old) ?? { suite, binary: {}, source: 0 };
    const more = before ? growth : new IndexFile(gz).entries().reduce((sum) => sum + 1, 0);
    if (architecture === 'source') count.source += more;
    else count.binary[architecture] = (count.binary[architecture] ?? 0) + more;
    counts.set(suite, count);
  }
  return [...counts.values()];
}

/** How many files of each kind there are in a pool. */
export interface PoolCount {
  packages: number;
  binaryPackages: number;
  sourcePackages: number;
}

export const noPool: PoolCount = { packages: 0, binaryPackages: 0, sourcePackages: 0 };

const poolRoot = 'pool/';

export function isPoolFile({ path }: { readonly path: string }): boolean {
  return path.startsWith(poolRoot);
}

/** Counts a file that has come (1), or gone (-1). */
export function countFile(count: PoolCount, { path }: { readonly path: string }, more = 1): void {
  if (!path.startsWith(poolRoot)) return;
  count.packages += more;
  if (path.endsWith('.deb')) count.binaryPackages += more;
  if (path.endsWith('.dsc')) count.sourcePackages += more;
}
