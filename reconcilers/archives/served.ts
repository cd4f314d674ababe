import type { Build } from '../../crds/build.ts';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import { repositoryPath, RepositoryKind, type Repository } from '../../crds/repository.ts';
import { SnapshotKind, type Snapshot } from '../../crds/snapshot.ts';
import type { StoreReader } from '../../crds/store.ts';

/** A Mirror, Snapshot, Environment or Repository that somebody names. */
export interface ArchiveRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** What Cairn itself serves that a root file system is made of: of several fields one is there, or none. */
export function baseRefs(
  namespace: string,
  { mirrorRef, snapshotRef, environmentRef }: Build['spec']['build']['base'],
): readonly ArchiveRef[] {
  return [
    { kind: MirrorKind.kind, ref: mirrorRef },
    { kind: SnapshotKind.kind, ref: snapshotRef },
    { kind: EnvironmentKind.kind, ref: environmentRef },
  ].flatMap(({ kind, ref }) => (ref ? [{ kind, namespace, name: ref.name }] : []));
}

/** An archive that Cairn serves now. */
export interface Served {
  /** Below the server's URL. */
  readonly path: string;
  readonly suites: readonly { readonly suite: string; readonly components: readonly string[] }[];
  /** Whose keys: those of a keyring in the depot, or those of an Environment. Left out: nobody has signed it. */
  readonly signedBy?: { readonly keyring: string } | { readonly environment: Environment };
  /** Its Release files stay as they are, and pass their Valid-Until one day. */
  readonly frozen: boolean;
}

/** What Cairn serves for an object. Throws `DependencyNotReady`, which says why it serves nothing. */
export async function servedFor(
  ref: ArchiveRef,
  store: Pick<StoreReader, 'get'>,
): Promise<readonly Served[]> {
  const object = await store.get(ref);
  if (!object) throw archiveNotReady(ref, 'it does not exist');
  // The store validated each as such.
  switch (ref.kind) {
    case MirrorKind.kind:
      return ofMirror(ref, object as Mirror);
    case RepositoryKind.kind:
      return ofRepository(ref, object as Repository);
    case SnapshotKind.kind:
      return ofSnapshot(ref, object as Snapshot);
    case EnvironmentKind.kind:
      return ofEnvironment(ref, object as Environment);
    default:
      throw archiveNotReady(ref, 'it is no archive');
  }
}

export function archiveNotReady({ kind, name }: ArchiveRef, why: string): CairnError {
  return new CairnError('DependencyNotReady', `${kind} ${name}: ${why}`);
}

function ofMirror(ref: ArchiveRef, { status: { state } }: Mirror): readonly Served[] {
  if (!state) throw archiveNotReady(ref, 'it has nothing yet');
  const { suites, keyring } = state;
  return [{ path: `mirrors/${ref.name}`, suites, ...signedBy(keyring), frozen: false }];
}

function ofRepository(ref: ArchiveRef, repository: Repository): readonly Served[] {
  const { state } = repository.status;
  if (!state) throw archiveNotReady(ref, 'it has nothing yet');
  const { suites, keyring } = state;
  return [{ path: repositoryPath(repository), suites, ...signedBy(keyring), frozen: false }];
}

function ofSnapshot(ref: ArchiveRef, { status: { members } }: Snapshot): readonly Served[] {
  if (!members) throw archiveNotReady(ref, 'it is not taken yet');
  return members.map(({ path, suites, keyring }) => ({
    ...{ path: `snapshots/${ref.name}/${path}`, suites, frozen: true },
    ...signedBy(keyring),
  }));
}

function ofEnvironment(ref: ArchiveRef, environment: Environment): readonly Served[] {
  const { published } = environment.status;
  if (!published) throw archiveNotReady(ref, 'it serves nothing yet');
  return published.members.map(({ path, suites }) => ({
    ...{ path: `environments/${ref.name}/${path}`, suites, frozen: false },
    signedBy: { environment },
  }));
}

function signedBy(keyring: string | undefined): Pick<Served, 'signedBy'> {
  return keyring === undefined ? {} : { signedBy: { keyring } };
}
