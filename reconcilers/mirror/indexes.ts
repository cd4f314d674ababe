import { hash } from 'node:crypto';
import { preferredCompressions, type Compression } from '../../apt/decompress.ts';
import type { ReleaseFile } from '../../apt/release.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Blob, Blobs, TreeEntry } from '../../depot/depot.ts';
import type { Upstream } from '../fetch/upstream.ts';
import type { ImageList } from './installer-images.ts';
import type { Counter } from './progress.ts';
import type { OfferedSuite } from './releases.ts';
import type { RefreshRequest } from './request.ts';
import {
  isImageList,
  isOptional,
  namesPoolFiles,
  type IndexGroup,
  type Selection,
} from './select.ts';

/** An index that names pool files, in the form that is quickest to read. */
export interface PoolIndex {
  readonly kind: 'packages' | 'sources';
  /** For messages: `dists/stable/main/binary-amd64/Packages.gz`. */
  readonly path: string;
  readonly blob: Blob;
  readonly compression: Compression;
  /** The size and hash of the uncompressed index, where Release lists it. */
  readonly plain: ReleaseFile | undefined;
}

export interface FetchedSuite {
  /** The Release files and indexes, by-hash names included. Not sorted. */
  readonly entries: readonly TreeEntry[];
  readonly poolIndexes: readonly PoolIndex[];
  readonly imageLists: readonly ImageList[];
  readonly missing: readonly string[];
}

interface Outside {
  readonly upstream: Upstream;
  readonly blobs: Blobs;
  readonly request: RefreshRequest;
  readonly counter: Counter;
  readonly signal: AbortSignal;
  /** Upstream has had its chances to settle: what is wrong now is how it is. */
  readonly isLastAttempt: boolean;
}

/** apt asks for the strongest; the first two are enough to trust a file. */
const strongest = ['SHA512', 'SHA256', 'SHA1', 'MD5Sum'] as const;

/**
 * Fetches every selected index of a suite, by-hash first, verified against the Release that pins
 * them. An index that upstream lists and doesn't have is recorded, or fails the refresh, as the spec says.
 */
export async function fetchIndexes(
  offered: OfferedSuite,
  selection: Selection,
  outside: Outside,
): Promise<FetchedSuite> {
  const entries: TreeEntry[] = releaseEntries(offered, outside.blobs);
  const poolIndexes: PoolIndex[] = [];
  const imageLists: ImageList[] = [];
  const missing: string[] = [];
  const files = selection.groups.flatMap(({ variants }) => variants);
  outside.counter.expect(
    files.length,
    files.reduce((sum, { size }) => sum + size, 0),
  );
  await Promise.all(
    selection.groups.map(async (group) => {
      const found = await fetchGroup(offered, group, outside, missing);
      for (const { file, blob } of found) {
        entries.push(...namesOf(offered.directory, file, blob));
        if (isImageList(group)) {
          imageLists.push({ directory: offered.directory + folderOf(file.path), blob });
        }
      }
      const kind = namesPoolFiles(group);
      if (kind) poolIndexes.push(poolIndex(kind, offered, group, found, outside.blobs));
    }),
  );
  return { entries, poolIndexes, imageLists, missing };
}

interface FoundVariant {
  readonly file: ReleaseFile;
  readonly blob: Blob;
}

async function fetchGroup(
  offered: OfferedSuite,
  group: IndexGroup,
  outside: Outside,
  missing: string[],
): Promise<readonly FoundVariant[]> {
  const fetched = await Promise.all(
    group.variants.map(async (file) => ({
      file,
      blob: await fetchIndex(offered, group, file, outside),
    })),
  );
  const found = fetched.filter((one): one is FoundVariant => one.blob !== undefined);
  for (const { file, blob } of fetched) {
    if (blob || isOptional(group, file)) continue;
    if (outside.request.spec.missingFiles.indexes === 'Fail') throw absent(offered, file);
    missing.push(offered.directory + file.path);
  }
  return found;
}

async function fetchIndex(
  { directory, release }: OfferedSuite,
  group: IndexGroup,
  file: ReleaseFile,
  { upstream, blobs, counter, signal, request, isLastAttempt }: Outside,
): Promise<Blob | undefined> {
  const { SHA256: sha256, SHA512: sha512 } = file.hashes;
  if (file.size === 0) return blobs.put(Buffer.alloc(0));
  if (sha256 !== undefined && (await blobs.size(sha256)) === file.size) {
    counter.skip(file.size);
    return { sha256, size: file.size };
  }
  const plainPath = directory + file.path;
  const paths = release.acquireByHash ? [byHash(directory, file), plainPath] : [plainPath];
  try {
    const blob = await upstream.blob(
      paths,
      { size: file.size, sha256, sha512 },
      { blobs, signal, onBytes: (count) => counter.bytes(count) },
    );
    counter.file();
    return blob;
  } catch (error) {
    if (!(error instanceof CairnError) || error.reason !== 'HashMismatch') throw error;
    // Without a Contents or a translation apt works; without Packages it would lose packages.
    const isRecorded = request.spec.missingFiles.indexes === 'Record' && !namesPoolFiles(group);
    if (isRecorded && isLastAttempt) return undefined;
    throw new CairnError(
      'UpstreamInconsistent',
      `${error.message}; upstream may be in the middle of an update`,
      { cause: error },
    );
  }
}

function absent({ directory }: OfferedSuite, { path }: ReleaseFile): CairnError {
  return new CairnError('FileMissing', `Release lists ${directory}${path}, which is not there`);
}

function releaseEntries({ directory, files }: OfferedSuite, blobs: Blobs): TreeEntry[] {
  return [...files].map(([name, bytes]) => ({ path: directory + name, ...blobs.put(bytes) }));
}

/** An index under its own name and under by-hash, for every hash that Release lists for it. */
function namesOf(directory: string, file: ReleaseFile, blob: Blob): TreeEntry[] {
  const folder = directory + folderOf(file.path);
  const names = [directory + file.path];
  for (const type of strongest) {
    const hex = file.hashes[type];
    if (hex) names.push(`${folder}by-hash/${type}/${hex}`);
  }
  return names.map((path) => ({ path, ...blob }));
}

/** `main/binary-amd64/` of `main/binary-amd64/Packages.gz`. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function byHash(directory: string, file: ReleaseFile): string {
  const folder = directory + folderOf(file.path);
  const type = file.hashes.SHA512 ? 'SHA512' : 'SHA256';
  return `${folder}by-hash/${type}/${file.hashes[type] ?? ''}`;
}

function poolIndex(
  kind: PoolIndex['kind'],
  offered: OfferedSuite,
  group: IndexGroup,
  found: readonly FoundVariant[],
  blobs: Blobs,
): PoolIndex {
  for (const compression of preferredCompressions) {
    const variant = found.find(({ file }) => file.path === group.base + compression);
    if (variant) {
      const path = offered.directory + variant.file.path;
      return { kind, path, blob: variant.blob, compression, plain: group.plain };
    }
  }
  if (group.variants.every(({ size }) => size === 0)) {
    const blob = { sha256: hash('sha256', ''), size: 0 };
    blobs.put(Buffer.alloc(0));
    return { kind, path: group.base, blob, compression: '', plain: undefined };
  }
  const what = found.length > 0 ? 'can be read' : 'is there';
  throw new CairnError(
    'UpstreamInconsistent',
    `Release lists ${offered.directory}${group.base}, and none of its forms ${what} ` +
      `(${group.variants.map(({ path }) => path).join(', ')})`,
  );
}
