import { publicKeys, readSigningKey } from '../../apt/openpgp.ts';
import type { Entry } from '../../apt/write/stanzas.ts';
import type { RepositoryState } from '../../crds/repository.ts';
import type { Blobs, Tree, TreeEntry } from '../../depot/depot.ts';
import { editTree } from '../../depot/tree-edit.ts';
import { openTree, treeEntries } from '../../depot/tree-reader.ts';
import { comparePaths, mergeEntries, writeTree } from '../../depot/tree-writer.ts';
import { countFile, countPackages, isPoolFile, noPool, type PoolCount } from './counts.ts';
import { Indexes } from './indexes.ts';
import { stillOwed } from './owed.ts';
import type { Published, PublishRequest } from './request.ts';
import { writeSuites } from './suites.ts';
import { takeIn } from './take-in.ts';

/**
 * Makes the next state of a repository: everything in it is durable when this returns, and nothing
 * refers to it yet. An Upload comes in as a whole or is refused; the others come in nevertheless.
 */
export async function publish(request: PublishRequest, blobs: Blobs): Promise<Published> {
  const { previous, spec, inputs } = request;
  const before = previous && (await openTree(blobs, previous.tree));
  const pool = new Map<string, TreeEntry>();
  const indexes = await Indexes.read(spec, blobs, async (path) => before?.get(path));
  const { results, hidden } = await takeIn(request, { indexes, before, pool, blobs });
  const isAnew = previous?.inputs !== inputs;
  const removed = indexes.write({ sweep: isAnew });
  const isSame = [...indexes.all()].every(({ facts }) => facts === undefined);
  if (isSame && !isAnew && !request.renew && !request.slow) return { state: previous, results };
  const change = { indexes, before, pool, removed, isAnew, isSame, blobs };
  const state = { ...(await write(request, change)), ...(hidden.length > 0 && { hidden }) };
  return { state, results, ...(request.slow && { notes: request.slow.notes }) };
}

interface Change {
  readonly indexes: Indexes;
  readonly before: Tree | undefined;
  readonly pool: ReadonlyMap<string, TreeEntry>;
  readonly removed: readonly Entry[];
  /** Any index may have gone since, with what it names. */
  readonly isAnew: boolean;
  /** What can be installed is what it was. */
  readonly isSame: boolean;
  readonly blobs: Blobs;
}

async function write(request: PublishRequest, change: Change): Promise<RepositoryState> {
  const { indexes, before, pool, isSame, blobs } = change;
  const { previous, date, validUntil, inputs, generation } = request;
  const keys = await Promise.all(request.keys.map(readSigningKey));
  const { entries, suites } = await writeSuites(request, { indexes, before, blobs, keys });
  const dists = { entries, pool: [...pool.values()] };
  const size =
    previous && !change.isAnew
      ? await edited(previous, change, dists)
      : await writtenAnew(previous, change, dists);
  const keyring = blobs.put(Buffer.from(publicKeys(keys)));
  await blobs.sync();
  return {
    ...size,
    counts: countPackages(indexes.all(), change.isAnew ? undefined : previous?.counts),
    date,
    changedAt: (isSame && !change.isAnew && previous?.changedAt) || date,
    ...(validUntil === undefined ? {} : { validUntil }),
    ...{ inputs, generation, suites },
    keyring: keyring.sha256,
    ...stillOwed(request, { entries, isSame }),
  };
}

type Size = Pick<RepositoryState, 'tree' | 'files' | 'bytes'> & PoolCount;

interface Coming {
  /** All that is below `dists/`. */
  readonly entries: readonly TreeEntry[];
  /** What is new in the pool. */
  readonly pool: readonly TreeEntry[];
}

/** The tree of before with what has changed. */
async function edited(
  previous: RepositoryState,
  { indexes, before, removed, blobs }: Change,
  { entries, pool }: Coming,
): Promise<Size> {
  const gone = indexes.unnamed(removed);
  const old: string[] = [];
  for await (const { path } of before?.entries('dists') ?? []) old.push(path);
  const put = [...entries, ...pool.filter(({ path }) => !gone.has(path))];
  const edit = await editTree(blobs, previous.tree, { put, remove: [...old, ...gone] });
  const { files, bytes, packages, binaryPackages, sourcePackages } = previous;
  const count = { packages, binaryPackages, sourcePackages };
  for (const entry of edit.added) countFile(count, entry);
  for (const entry of edit.removed) countFile(count, entry, -1);
  const sum = (of: (entry: TreeEntry) => number) =>
    edit.added.reduce((total, entry) => total + of(entry), 0) -
    edit.removed.reduce((total, entry) => total + of(entry), 0);
  return {
    tree: edit.digest,
    files: files + sum(() => 1),
    bytes: bytes + sum(({ size }) => size),
    ...count,
  };
}

/** Any index may have gone since, with what it names. */
async function writtenAnew(
  previous: RepositoryState | undefined,
  { indexes, blobs }: Change,
  { entries, pool }: Coming,
): Promise<Size> {
  const named = indexes.named();
  const kept = previous ? await treeEntries(blobs, previous.tree) : [];
  const coming = [...entries, ...pool.filter(({ path }) => named.has(path))];
  coming.sort((a, b) => comparePaths(a.path, b.path));
  const count = { ...noPool };
  const all = mergeEntries([olderPool(kept, named), coming]);
  const tree = await writeTree(blobs, counted(all, count));
  return { tree: tree.digest, files: tree.files, bytes: tree.bytes, ...count };
}

function* olderPool(
  entries: Iterable<TreeEntry>,
  named: ReadonlySet<string>,
): Generator<TreeEntry> {
  for (const entry of entries) {
    if (isPoolFile(entry) && named.has(entry.path)) yield entry;
  }
}

function* counted(entries: Iterable<TreeEntry>, count: PoolCount): Generator<TreeEntry> {
  for (const entry of entries) {
    countFile(count, entry);
    yield entry;
  }
}
