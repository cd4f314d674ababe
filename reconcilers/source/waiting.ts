import type { Build } from '../../crds/build.ts';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { Source } from '../../crds/source.ts';
import type { StoreReader } from '../../crds/store.ts';
import { ownSuite, type Offers } from '../archives/own-suite.ts';
import { dependenciesOf } from '../archives/dependencies.ts';
import { baseRefs, type ArchiveRef } from '../archives/served.ts';

export interface WaitingDeps {
  readonly store: Pick<StoreReader, 'get'>;
  readonly offers: Offers;
}

/** What a Source is built of, among what Cairn itself serves. */
export interface BuiltOf {
  readonly keys: readonly ArchiveRef[];
  /** When something of it last changed, in milliseconds; 0 when nothing of it has anything yet. */
  readonly changedAt: number;
}

/**
 * What a Build that waits for a dependency may get it from: the base of its Source, the dependencies of its Repository, and the
 * Repository itself, as soon as that has what is missing. Archives elsewhere say nothing of themselves.
 */
export async function builtOf(
  { metadata: { namespace }, spec }: Source,
  waiting: Pick<Build, 'status'>,
  { store, offers }: WaitingDeps,
): Promise<BuiltOf> {
  const home = { kind: RepositoryKind.kind, namespace, name: spec.repositoryRef.name };
  const repository = (await store.get(home)) as Repository | undefined;
  const dependencies = repository ? await dependenciesOf(repository, store) : [];
  const keys = [
    ...baseRefs(namespace, spec.build.base),
    ...dependencies.flatMap((one) => ('ref' in one ? [one.ref] : [])),
  ];
  const { missing = [] } = waiting.status;
  const own = repository && (await ownSuite(spec, missing, repository, offers)) ? [home] : [];
  const times = await Promise.all(
    [...own, ...keys].map(async (one) => changeOf(one, await store.get(one))),
  );
  const known = times.flatMap((time) => (time === undefined ? [] : [Date.parse(time)]));
  return { keys: [home, ...keys], changedAt: Math.max(0, ...known) };
}

/** Snapshots never change. */
function changeOf({ kind }: ArchiveRef, object: unknown): string | undefined {
  if (object === undefined) return undefined;
  if (kind === MirrorKind.kind) return (object as Mirror).status.state?.completedAt;
  if (kind === EnvironmentKind.kind) return (object as Environment).status.published?.promotedAt;
  if (kind === RepositoryKind.kind) return (object as Repository).status.state?.changedAt;
  return undefined;
}
