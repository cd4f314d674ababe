import type { FrozenMember } from '../../crds/snapshot.ts';
import type { BlobReader, Tree } from '../../depot/depot.ts';
import { compareTables, compareText, type TracedChange } from './diff-compare.ts';
import { packagesIndexes, sameIndex, type PackagesIndex } from './diff-indexes.ts';
import type { Change, IndexDiff, MembersDiff, MountDiff } from './diff-shape.ts';
import { rollUpBySource } from './diff-sources.ts';
import { differingPackages } from './diff-tables.ts';

/** What a comparison reads from. */
export interface DiffDepot {
  readonly blobs: BlobReader;
  readonly trees: { open(digest: string): Promise<Tree> };
}

/**
 * Compares the binary packages of two lists of frozen members: by mount, suite, component and
 * architecture. An index whose digest is the same on both sides is not read. Throws `BlobMissing`,
 * `TreeInvalid`, `IndexInvalid`, and what the signal was aborted with.
 */
export async function diffMembers(
  depot: DiffDepot,
  before: readonly FrozenMember[],
  after: readonly FrozenMember[],
  signal: AbortSignal,
): Promise<MembersDiff> {
  const mounts: MountDiff[] = [];
  const scopes: (readonly TracedChange[])[] = [];
  const paths = new Set([...before, ...after].map(({ path }) => path));
  for (const path of [...paths].sort(compareText)) {
    const at = (members: readonly FrozenMember[]) =>
      members.filter((member) => member.path === path);
    const found = await diffMount(depot, at(before), at(after), signal);
    if (found.length === 0) continue;
    mounts.push({ path, suites: found.map(asIndexDiff) });
    for (const scope of Map.groupBy(found, ({ index }) => index.suite).values()) {
      scopes.push(scope.flatMap(({ traced }) => traced));
    }
  }
  return { summary: summarize(scopes), mounts, sources: rollUpBySource(scopes) };
}

interface ChangedIndex {
  readonly index: Pick<PackagesIndex, 'suite' | 'component' | 'architecture'>;
  readonly traced: readonly TracedChange[];
}

/** Several mirrors of one archive, of a suite each perhaps, share a mount. */
async function diffMount(
  depot: DiffDepot,
  before: readonly FrozenMember[],
  after: readonly FrozenMember[],
  signal: AbortSignal,
): Promise<readonly ChangedIndex[]> {
  const trees = (members: readonly FrozenMember[]) => members.map(({ tree }) => tree).join();
  if (trees(before) === trees(after)) return [];
  const [old, now] = await Promise.all([indexesOf(depot, before), indexesOf(depot, after)]);
  const changed: ChangedIndex[] = [];
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    signal.throwIfAborted();
    changed.push(...(await diffIndex(depot, old.get(key), now.get(key), signal)));
  }
  return changed.sort(
    ({ index: a }, { index: b }) =>
      compareText(a.suite, b.suite) ||
      compareText(a.component, b.component) ||
      compareText(a.architecture, b.architecture),
  );
}

/** Of an index that two of them have, the first one's is served. */
async function indexesOf(
  { trees }: DiffDepot,
  members: readonly FrozenMember[],
): Promise<Map<string, PackagesIndex>> {
  const found = new Map<string, PackagesIndex>();
  for (const { tree, suites } of members) {
    for (const [key, index] of await packagesIndexes(await trees.open(tree), suites)) {
      if (!found.has(key)) found.set(key, index);
    }
  }
  return found;
}

async function diffIndex(
  { blobs }: DiffDepot,
  before: PackagesIndex | undefined,
  after: PackagesIndex | undefined,
  signal: AbortSignal,
): Promise<readonly ChangedIndex[]> {
  const index = after ?? before;
  if (!index || (before && after && sameIndex(before, after))) return [];
  const pair = await differingPackages(blobs, before, after, signal);
  return [...new Set([...pair.before.keys(), ...pair.after.keys()])]
    .map((architecture) => ({
      index: { suite: index.suite, component: index.component, architecture },
      traced: compareTables(pair.before.get(architecture), pair.after.get(architecture)),
    }))
    .filter(({ traced }) => traced.length > 0);
}

function asIndexDiff({ index, traced }: ChangedIndex): IndexDiff {
  return { ...index, entries: traced.map(({ entry }) => entry) };
}

function summarize(scopes: readonly (readonly TracedChange[])[]): Record<Change, number> {
  const seen = new Set<string>();
  const summary: Record<Change, number> = {
    upgraded: 0,
    downgraded: 0,
    added: 0,
    removed: 0,
    changed: 0,
  };
  for (const { entry } of scopes.flat()) {
    const key = `${entry.change} ${entry.package} ${entry.before ?? ''} ${entry.after ?? ''}`;
    if (seen.has(key)) continue;
    seen.add(key);
    summary[entry.change] += 1;
  }
  return summary;
}
