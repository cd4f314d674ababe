import type { BaseRequest } from '../../builders/docker/base.ts';
import type { DeclaredArchive } from '../../builders/docker/archives.ts';
import { publicKeys } from '../../apt/openpgp.ts';
import type { Build } from '../../crds/build.ts';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { mountPath } from '../../crds/mount-path.ts';
import { CairnError } from '../../crds/reasons.ts';
import { repositoryPath, RepositoryKind, type Repository } from '../../crds/repository.ts';
import { SnapshotKind, type Snapshot } from '../../crds/snapshot.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { secretValue, type Secrets } from '../secrets.ts';
import type { KeyStore } from '../signing/key-store.ts';
import { signersOf } from '../signing/signers.ts';

export interface ArchiveDeps {
  readonly store: StoreReader;
  readonly blobs: Pick<BlobReader, 'bytes'>;
  readonly keyStore: KeyStore;
  readonly secrets: Secrets;
  /** How this process itself is reached, without a slash at the end; undefined while it does not listen. */
  readonly ownUrl: () => string | undefined;
  readonly readToken: () => string;
  readonly now: () => Date;
}

const mostKeyBytes = 1 << 20;

interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Served {
  readonly path: string;
  readonly suites: readonly { readonly suite: string; readonly components: readonly string[] }[];
  readonly key: string;
  readonly frozen: boolean;
}

/**
 * What a Build's root file system is made of, and what may be installed into it: what its Source names as
 * base, and what its Repository names as dependencies. Throws `DependencyNotReady`.
 */
export async function archivesOf(
  { metadata: { namespace }, spec }: Build,
  repository: Repository,
  deps: ArchiveDeps,
): Promise<{ readonly base: BaseRequest; readonly archives: readonly DeclaredArchive[] }> {
  const { mirrorRef, snapshotRef, environmentRef, image, suites } = spec.build.base;
  const declared = [
    { kind: MirrorKind.kind, ref: mirrorRef },
    { kind: SnapshotKind.kind, ref: snapshotRef },
    { kind: EnvironmentKind.kind, ref: environmentRef },
  ].flatMap(({ kind, ref }) => (ref ? [{ kind, namespace, name: ref.name }] : []));
  const ofBase = await Promise.all(declared.map((ref) => servedBy(ref, suites, deps)));
  const refs = repository.spec.dependencies.map((ref) => ({ ...ref, namespace }));
  const ofRepository = await Promise.all(refs.map((ref) => servedBy(ref, undefined, deps)));
  const external = await Promise.all(
    repository.spec.externalDependencies.map((one) => externalOf(one, namespace, deps)),
  );
  return {
    base: image === undefined ? { kind: 'archives' } : { kind: 'image', name: image },
    archives: [...ofBase.flat(), ...ofRepository.flat(), ...external],
  };
}

async function externalOf(
  one: Repository['spec']['externalDependencies'][number],
  namespace: string,
  { secrets }: ArchiveDeps,
): Promise<DeclaredArchive> {
  const { url, key, keyRef, components } = one;
  return {
    uri: url,
    suites: one.suites ?? one.series ?? [],
    components,
    key: key ?? (keyRef ? await secretValue(secrets, { ...keyRef, namespace }) : ''),
  };
}

/** What Cairn serves for an object, each suite with the components that it has. */
async function servedBy(
  ref: Ref,
  wanted: readonly string[] | undefined,
  deps: ArchiveDeps,
): Promise<readonly DeclaredArchive[]> {
  const own = deps.ownUrl();
  if (own === undefined) throw notReady(ref, 'this server does not listen yet');
  const served = await lookUp(ref, deps);
  const archives = served.flatMap(({ path, suites, key, frozen }) =>
    suites
      .filter(({ suite }) => wanted === undefined || wanted.includes(suite))
      .map(({ suite, components }) => ({
        uri: `${own}/${path}`,
        suites: [suite],
        components: suite.endsWith('/') ? [] : components,
        ...{ key, frozen, headers: { authorization: `Bearer ${deps.readToken()}` } },
      })),
  );
  if (archives.length > 0) return archives;
  throw notReady(ref, `it has no suite ${(wanted ?? []).join(', ')}`);
}

async function lookUp(ref: Ref, deps: ArchiveDeps): Promise<readonly Served[]> {
  const object = await deps.store.get(ref);
  if (!object) throw notReady(ref, 'it does not exist');
  if (ref.kind === MirrorKind.kind) return ofMirror(ref, object as Mirror, deps);
  if (ref.kind === RepositoryKind.kind) return ofRepository(ref, object as Repository, deps);
  if (ref.kind === SnapshotKind.kind) return ofSnapshot(ref, object as Snapshot, deps);
  return ofEnvironment(ref, object as Environment, deps);
}

async function ofMirror(ref: Ref, mirror: Mirror, deps: ArchiveDeps): Promise<readonly Served[]> {
  const { state } = mirror.status;
  if (!state) throw notReady(ref, 'it has nothing yet');
  const key = await keyOf(ref, state.keyring, deps);
  const path = `mirrors/${ref.name}/${mountPath(state.url)}`;
  return [{ path, suites: state.suites, key, frozen: false }];
}

async function ofRepository(
  ref: Ref,
  repository: Repository,
  deps: ArchiveDeps,
): Promise<readonly Served[]> {
  const { state } = repository.status;
  if (!state) throw notReady(ref, 'it has nothing yet');
  const key = await keyOf(ref, state.keyring, deps);
  return [{ path: repositoryPath(repository), suites: state.suites, key, frozen: false }];
}

async function ofSnapshot(
  ref: Ref,
  { status }: Snapshot,
  deps: ArchiveDeps,
): Promise<readonly Served[]> {
  if (!status.members) throw notReady(ref, 'it is not taken yet');
  return Promise.all(
    status.members.map(async ({ path, suites, keyring }) => {
      const key = await keyOf(ref, keyring, deps);
      return { path: `snapshots/${ref.name}/${path}`, suites, key, frozen: true };
    }),
  );
}

async function ofEnvironment(
  ref: Ref,
  environment: Environment,
  deps: ArchiveDeps,
): Promise<readonly Served[]> {
  const { published } = environment.status;
  if (!published) throw notReady(ref, 'it serves nothing yet');
  const { keys } = await signersOf({ ...environment, owner: 'environment' }, deps, deps.now());
  const key = publicKeys(keys);
  return published.members.map(({ path, suites }) => ({
    ...{ path: `environments/${ref.name}/${path}`, suites, key, frozen: false },
  }));
}

async function keyOf(ref: Ref, keyring: string | undefined, { blobs }: ArchiveDeps) {
  if (keyring !== undefined) return (await blobs.bytes(keyring, mostKeyBytes)).toString();
  throw new CairnError(
    'SpecInvalid',
    `${ref.kind} ${ref.name} is not signed: nothing can be built on it`,
  );
}

function notReady({ kind, name }: Ref, why: string): CairnError {
  return new CairnError('DependencyNotReady', `${kind} ${name}: ${why}`);
}
