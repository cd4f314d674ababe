import { publicKeys, readSigningKey } from '../../apt/openpgp.ts';
import type { Entry } from '../../apt/write/stanzas.ts';
import { asCairnError, type Reason } from '../../crds/reasons.ts';
import type { RepositoryState, UploadResult } from '../../crds/repository.ts';
import type { Blobs, Tree, TreeEntry } from '../../depot/depot.ts';
import { openTree, treeEntries } from '../../depot/tree-reader.ts';
import { comparePaths, mergeEntries, writeTree } from '../../depot/tree-writer.ts';
import { Indexes } from './indexes.ts';
import { nameOf, type Find } from './packages.ts';
import { readUpload } from './read-upload.ts';
import type { Published, PublishRequest } from './request.ts';
import { writeSuites } from './suites.ts';

/**
 * Makes the next state of a repository: everything in it is durable when this returns, and nothing
 * refers to it yet. An Upload comes in as a whole or is refused; the others come in nevertheless.
 */
export async function publish(request: PublishRequest, blobs: Blobs): Promise<Published> {
  const { previous, spec, inputs } = request;
  const before = previous && (await openTree(blobs, previous.tree));
  const pool = new Map<string, TreeEntry>();
  const find: Find = async (path) => pool.get(path) ?? (await before?.get(path));
  const indexes = await Indexes.read(spec, blobs, find);
  const results = await takeIn(request, { indexes, pool, find, blobs });
  const isAnew = previous?.inputs !== inputs;
  const removed = indexes.write({ sweep: isAnew });
  const isSame = [...indexes.all()].every(({ facts }) => facts === undefined);
  if (isSame && !isAnew && !request.renew) return { state: previous, results };
  const state = await write(request, { indexes, before, pool, removed, isAnew, blobs });
  return { state, results };
}

interface Intake {
  readonly indexes: Indexes;
  /** What comes into the pool, by path. */
  readonly pool: Map<string, TreeEntry>;
  readonly find: Find;
  readonly blobs: Blobs;
}

/** These are no Upload's fault. */
const ours: ReadonlySet<Reason> = new Set([
  'DepotFull',
  'DepotUnavailable',
  'TreeInvalid',
  'IndexInvalid',
]);

async function takeIn(request: PublishRequest, intake: Intake): Promise<UploadResult[]> {
  const { indexes, pool, find, blobs } = intake;
  const results: UploadResult[] = [];
  for (const { uid, spec } of request.uploads) {
    try {
      const packages = await readUpload(spec, { spec: request.spec, blobs, find });
      await indexes.add(packages, find);
      for (const file of packages.flatMap(({ files }) => files)) pool.set(file.path, file);
      const names = packages.map(({ entry }) => nameOf(entry));
      results.push({ uid, result: 'Published', packages: names });
    } catch (error) {
      const { reason, message } = asCairnError(error);
      if (ours.has(reason)) throw error;
      results.push({
        uid,
        result: 'Refused',
        packages: [],
        reason,
        message: message.slice(0, 4000),
      });
    }
  }
  return results;
}

interface Change {
  readonly indexes: Indexes;
  readonly before: Tree | undefined;
  readonly pool: ReadonlyMap<string, TreeEntry>;
  readonly removed: readonly Entry[];
  /** Any index may have gone since, with what it names. */
  readonly isAnew: boolean;
  readonly blobs: Blobs;
}

async function write(request: PublishRequest, change: Change): Promise<RepositoryState> {
  const { indexes, before, pool, blobs } = change;
  const { previous, date, validUntil, inputs, generation } = request;
  const keys = await Promise.all(request.keys.map(readSigningKey));
  const { entries, suites } = await writeSuites(request, { indexes, before, blobs, keys });
  const stays = staying(change);
  const kept = previous ? await treeEntries(blobs, previous.tree) : [];
  const coming = [...entries, ...pool.values().filter(({ path }) => stays(path))];
  coming.sort((a, b) => comparePaths(a.path, b.path));
  let packages = 0;
  const tree = await writeTree(
    blobs,
    counted(mergeEntries([olderPool(kept, stays), coming]), () => (packages += 1)),
  );
  const keyring = blobs.put(Buffer.from(publicKeys(keys)));
  await blobs.sync();
  return {
    tree: tree.digest,
    date,
    ...(validUntil === undefined ? {} : { validUntil }),
    ...{ inputs, generation, packages, suites },
    files: tree.files,
    bytes: tree.bytes,
    keyring: keyring.sha256,
  };
}

/** Whether a pool file stays, or comes. */
function staying({ indexes, removed, isAnew }: Change): (path: string) => boolean {
  if (isAnew) {
    const named = indexes.named();
    return (path) => named.has(path);
  }
  const gone = indexes.unnamed(removed);
  return (path) => !gone.has(path);
}

const poolRoot = 'pool/';

function* olderPool(
  entries: Iterable<TreeEntry>,
  stays: (path: string) => boolean,
): Generator<TreeEntry> {
  for (const entry of entries) {
    if (entry.path.startsWith(poolRoot) && stays(entry.path)) yield entry;
  }
}

function* counted(entries: Iterable<TreeEntry>, onPoolFile: () => void): Generator<TreeEntry> {
  for (const entry of entries) {
    if (entry.path.startsWith(poolRoot)) onPoolFile();
    yield entry;
  }
}
