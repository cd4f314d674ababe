import { hash } from 'node:crypto';
import type { Build } from '../../crds/build.ts';
import { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { SourceKind, type Source } from '../../crds/source.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';
import type { RunContext } from '../reconciler.ts';
import { isSame, packagesOf, type MadePackage } from './packages.ts';

/** How packages are taken out of a Repository: see `repository/upload-manifest.ts`. */
export type RemovePackages = (
  store: StoreReader & Pick<StoreWriter, 'create'>,
  removal: {
    readonly repository: Pick<Repository, 'metadata'>;
    readonly name: string;
    readonly remove: readonly { readonly source: string }[];
    readonly ignoreMissing: true;
  },
) => Promise<unknown>;

export interface RemovalDeps {
  readonly store: StoreReader & Pick<StoreWriter, 'create' | 'updateStatus' | 'delete'>;
  readonly removePackages: RemovePackages;
}

/** Then it is not waited for Builds any more: they end by themselves, or somebody holds them. */
const patienceMs = 300_000;

/**
 * Has the packages of a Source that is deleted taken out of their Repositories, if it wants that: its Builds
 * are ended first, so that nothing is published after that. What is asked for is durable when this returns;
 * the Repository does it as soon as it can, which nobody waits for. What another Source has made as well stays.
 * Throws `DependencyNotReady` while Builds are there.
 */
export async function removeMade(
  source: Source,
  builds: readonly Build[],
  { store, removePackages }: RemovalDeps,
  { now }: Pick<RunContext, 'now'>,
): Promise<void> {
  if (source.spec.deletionPolicy !== 'Remove') return;
  const packages = packagesOf(source, builds);
  if (packages.length > (source.status.packages?.length ?? 0)) {
    // Builds take what they know with them.
    const status = { ...source.status, packages: [...packages] };
    await store.updateStatus({ ...source, status });
  }
  for (const { kind, metadata } of builds) {
    const { namespace, name, uid } = metadata;
    await store.delete({ kind, namespace, name }, { uid }).catch(ignoreGone);
  }
  const { namespace, uid, deletionTimestamp = '' } = source.metadata;
  const isPatient = now().getTime() - Date.parse(deletionTimestamp) < patienceMs;
  if (builds.length > 0 && isPatient) {
    throw new CairnError('DependencyNotReady', 'its Builds are being ended');
  }
  const others = await madeByOthers(source, store);
  const own = packages.filter((one) => !others.some((other) => isSame(one, other)));
  for (const [name, made] of Map.groupBy(own, ({ repository }) => repository)) {
    const key = { kind: RepositoryKind.kind, namespace, name };
    const repository = (await store.get(key)) as Repository | undefined;
    if (!repository || repository.metadata.deletionTimestamp !== undefined) continue;
    await removePackages(store, {
      ...{ repository, ignoreMissing: true },
      name: `source-${uid}-${hash('sha256', name).slice(0, 12)}`,
      remove: made.map(({ source }) => ({ source })),
    });
  }
}

/** What other Sources have made, of those that stay. */
async function madeByOthers(
  { metadata: { namespace, uid } }: Source,
  store: StoreReader,
): Promise<readonly MadePackage[]> {
  const { items } = await store.list(SourceKind.kind, { namespace });
  return (items as readonly Source[])
    .filter(({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined)
    .flatMap(({ status }) => status.packages ?? []);
}

export function ignoreGone(error: unknown): void {
  if (!(error instanceof StoreError) || error.reason !== 'NotFound') throw error;
}
