import { asCairnError, type Reason } from '../../crds/reasons.ts';
import type { HiddenPackage, UploadResult } from '../../crds/repository.ts';
import type { Upload } from '../../crds/upload.ts';
import type { BlobReader, Tree, TreeEntry } from '../../depot/depot.ts';
import { HiddenPackages } from './hidden.ts';
import type { Indexes } from './indexes.ts';
import { checkHolder, PackageHeld } from './owners.ts';
import { nameOf, type Find } from './packages.ts';
import { readUpload } from './read-upload.ts';
import { checkReceipts } from './receipts.ts';
import type { PublishRequest } from './request.ts';

/** A repository while Uploads come into it. */
export interface Intake {
  readonly indexes: Indexes;
  readonly before: Tree | undefined;
  /** What comes into the pool, by path. */
  readonly pool: Map<string, TreeEntry>;
  readonly blobs: BlobReader;
}

/** These are no Upload's fault. */
const ours: ReadonlySet<Reason> = new Set([
  'DepotFull',
  'DepotUnavailable',
  'TreeInvalid',
  'IndexInvalid',
]);

/** Of one Upload, in a status. */
const mostNames = 500;

/** What became of Uploads, and of packages of Sources by that. */
export interface TakenIn {
  readonly results: UploadResult[];
  readonly hidden: HiddenPackage[];
}

/** Takes Uploads in, one after the other, each as a whole or not at all. */
export async function takeIn(request: PublishRequest, intake: Intake): Promise<TakenIn> {
  const { before, pool, indexes } = intake;
  const hidden = new HiddenPackages(request.previous?.hidden);
  /** Pool files that have gone with what was removed. */
  const gone = new Set<string>();
  const find: Find = async (path) =>
    pool.get(path) ?? (gone.has(path) ? undefined : await before?.get(path));
  const around = { ...intake, find, hidden };
  const results: UploadResult[] = [];
  for (const { uid, spec } of request.uploads) {
    try {
      const { names, removed, leaving, files } = await takeOne(request, spec, around);
      for (const path of leaving) {
        gone.add(path);
        pool.delete(path);
      }
      for (const file of files) pool.set(file.path, file);
      const own = removed.length > 0 ? { removed: removed.slice(0, mostNames) } : {};
      results.push({ uid, result: 'Published', packages: names, ...own });
    } catch (error) {
      const { reason, message } = asCairnError(error);
      if (ours.has(reason)) throw error;
      const heldBy = error instanceof PackageHeld ? { heldBy: error.source } : {};
      const told = { reason, message: message.slice(0, 4000), ...heldBy };
      results.push({ uid, result: 'Refused', packages: [], ...told });
    }
  }
  return { results, hidden: hidden.now((suite, name) => indexes.versions(suite, name)) };
}

interface Around extends Intake {
  readonly find: Find;
  readonly hidden: HiddenPackages;
}

/** The files are read first, while what they may need of the pool is still there. */
async function takeOne(
  request: PublishRequest,
  spec: Upload['spec'],
  { indexes, blobs, find, hidden }: Around,
) {
  const of = { namespace: request.namespace, repository: request.name };
  checkReceipts(spec.files, of, request.receiptSecret);
  const removal = indexes.find(request.spec, spec);
  const target = { spec: request.spec, blobs, find };
  const packages = spec.files.length > 0 ? await readUpload(spec, target) : [];
  const look = (...[entry, alike, suite]: Parameters<HiddenPackages['note']>) => {
    checkHolder(entry, alike, suite, spec);
    hidden.note(entry, alike, suite);
  };
  await indexes.change({ add: packages, removal, look }, find);
  const files = packages.flatMap((one) => one.files);
  const names = packages.map(({ entry }) => nameOf(entry));
  return { names, removed: removal.names, leaving: removal.paths, files };
}
