import type { MirroredSuite, MirrorState } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import { timestamp } from '../../crds/timestamp.ts';
import type { Blobs } from '../../depot/depot.ts';
import { writeTree } from '../../depot/tree-writer.ts';
import type { Assembly } from './assemble.ts';
import type { OfferedSuite } from './releases.ts';
import type { RefreshRequest } from './request.ts';
import type { Selection } from './select.ts';

/** So many missing files are named in the status. */
const mostMissingTold = 100;

/** All that a new state is made of. */
export interface Commitment {
  readonly suites: readonly OfferedSuite[];
  readonly selections: readonly Selection[];
  readonly assembly: Assembly;
  readonly specDigest: string;
  readonly missing: readonly string[];
}

/**
 * Writes the tree of a new state, makes everything in it durable, and returns the state: the value
 * that a status then refers to.
 */
export async function commit(
  request: RefreshRequest,
  run: { readonly blobs: Blobs; readonly now: () => Date },
  { suites, selections, assembly, specDigest, missing }: Commitment,
): Promise<MirrorState> {
  const { blobs } = run;
  const gone = new Set(missing);
  const entries = assembly.entries.filter(({ path }) => !gone.has(path));
  const tree = await writeTree(blobs, entries).catch(asInconsistent);
  const keyring =
    request.keyring === undefined ? undefined : blobs.put(Buffer.from(request.keyring));
  await blobs.sync();
  const now = run.now();
  return {
    tree: tree.digest,
    url: request.spec.url,
    download: request.spec.download,
    generation: request.generation,
    specDigest,
    completedAt: timestamp(now),
    files: tree.files,
    bytes: tree.bytes,
    packages: assembly.packages - (assembly.entries.length - entries.length),
    ...(keyring ? { keyring: keyring.sha256 } : {}),
    suites: suites.map((suite, at) => mirrored(suite, selections[at], request, now)),
    missing: missing.slice(0, mostMissingTold),
  };
}

/** No tree can be made of it, such as of a file below a file: that is how upstream lists it. */
function asInconsistent(error: unknown): never {
  const isInvalid = error instanceof CairnError && error.reason === 'TreeInvalid';
  throw isInvalid ? new CairnError('UpstreamInconsistent', error.message, { cause: error }) : error;
}

function mirrored(
  { suite, directory, release, digest, signedBy, validators }: OfferedSuite,
  selection: Selection | undefined,
  { previous, spec }: RefreshRequest,
  now: Date,
): MirroredSuite {
  const held = previous?.suites.find((old) => old.suite === suite);
  const { origin, label, codename, validUntil } = release;
  const { etag, lastModified } = validators;
  return {
    suite,
    path: directory.replace(/\/$/, ''),
    release: digest,
    date: timestamp(release.date),
    publishedAt: held?.release === digest ? held.publishedAt : after(held?.publishedAt, now),
    components: [...(selection?.components ?? [])],
    architectures: [...(selection?.architectures ?? [])],
    sources: spec.include.sources,
    signedBy: [...signedBy],
    ...(validUntil ? { validUntil: timestamp(validUntil) } : {}),
    ...(origin === undefined ? {} : { origin }),
    ...(label === undefined ? {} : { label }),
    ...(codename === undefined ? {} : { codename }),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

/** Now, but at least a second after the state before: clients compare Last-Modified in seconds. */
function after(previous: string | undefined, now: Date): string {
  const least = previous ? new Date(previous).getTime() + 1000 : 0;
  return timestamp(new Date(Math.max(now.getTime(), least)));
}
