import type { BaseRequest } from '../../builders/docker/base.ts';
import type { DeclaredArchive } from '../../builders/docker/archives.ts';
import { publicKeys } from '../../apt/openpgp.ts';
import type { Build } from '../../crds/build.ts';
import { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { dependenciesOf, type Dependency } from '../archives/dependencies.ts';
import {
  archiveNotReady,
  baseRefs,
  servedFor,
  type ArchiveRef,
  type Served,
} from '../archives/served.ts';
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

/** What containers call this server, wherever it listens; never looked up (.internal is for private use, ICANN 2024). */
const ownHost = 'cairn.internal';

const mostKeyBytes = 1 << 20;

/**
 * What a Build's root file system is made of, and what may be installed into it: what its Source names as
 * base, what its Repository names as dependencies, and `own`, a suite of the Repository itself. Throws
 * `DependencyNotReady`.
 */
export async function archivesOf(
  { metadata: { namespace }, spec }: Build,
  repository: Repository,
  own: string | undefined,
  deps: ArchiveDeps,
): Promise<{ readonly base: BaseRequest; readonly archives: readonly DeclaredArchive[] }> {
  const { image, suites } = spec.build.base;
  const declared = baseRefs(namespace, spec.build.base);
  const ofBase = await Promise.all(declared.map((ref) => declaredFor(ref, suites, deps)));
  const self = { kind: RepositoryKind.kind, namespace, name: repository.metadata.name };
  const ofOwn = own === undefined ? [] : await declaredFor(self, [own], deps);
  const dependencies = await dependenciesOf(repository, deps.store);
  const ofRepository = await Promise.all(
    dependencies.map(async (one) =>
      'ref' in one ? declaredFor(one.ref, undefined, deps) : [await externalOf(one, deps)],
    ),
  );
  return {
    base:
      image === undefined
        ? { kind: 'archives', archives: ofBase.flat() }
        : { kind: 'image', name: image },
    archives: [...ofBase.flat(), ...ofRepository.flat(), ...ofOwn],
  };
}

async function externalOf(
  { external, namespace }: Extract<Dependency, { readonly external: unknown }>,
  { secrets }: ArchiveDeps,
): Promise<DeclaredArchive> {
  const { url, suites, series, key, keyRef, components } = external;
  return {
    uri: url,
    suites: suites ?? series ?? [],
    components,
    key: key ?? (keyRef ? await secretValue(secrets, { ...keyRef, namespace }) : ''),
  };
}

/** What Cairn serves for an object, each suite with the components that it has. */
async function declaredFor(
  ref: ArchiveRef,
  wanted: readonly string[] | undefined,
  deps: ArchiveDeps,
): Promise<readonly DeclaredArchive[]> {
  const own = deps.ownUrl();
  if (own === undefined) throw archiveNotReady(ref, 'this server does not listen yet');
  const served = await servedFor(ref, deps.store);
  const archives = await Promise.all(
    served.map(async (one) => {
      const key = await keyOf(ref, one, deps);
      return one.suites
        .filter(({ suite }) => wanted === undefined || wanted.includes(suite))
        .map(({ suite, components }) => ({
          uri: `${own}/${one.path}`,
          alias: `http://${ownHost}/${one.path}`,
          mayRedirect: true,
          suites: [suite],
          components: suite.endsWith('/') ? [] : components,
          ...{ key, frozen: one.frozen, headers: { authorization: `Bearer ${deps.readToken()}` } },
        }));
    }),
  );
  if (archives.flat().length > 0) return archives.flat();
  throw archiveNotReady(ref, `it has no suite ${(wanted ?? []).join(', ')}`);
}

async function keyOf(ref: ArchiveRef, { signedBy }: Served, deps: ArchiveDeps): Promise<string> {
  if (signedBy === undefined) {
    const told = `${ref.kind} ${ref.name} is not signed: nothing can be built on it`;
    throw new CairnError('SpecInvalid', told);
  }
  if ('keyring' in signedBy) {
    return (await deps.blobs.bytes(signedBy.keyring, mostKeyBytes)).toString();
  }
  const { environment } = signedBy;
  const { keys } = await signersOf({ ...environment, owner: 'environment' }, deps, deps.now());
  return publicKeys(keys);
}
