import type { Build } from '../../crds/build.ts';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { SourceKind, type Source } from '../../crds/source.ts';
import type { StoreReader } from '../../crds/store.ts';
import { ownSuite, type Offers } from '../archives/own-suite.ts';
import { dependenciesOf } from '../archives/dependencies.ts';
import { publishesInto } from '../archives/publishers.ts';
import { baseRefs, type ArchiveRef } from '../archives/served.ts';
import type { Dependency } from '../reconciler.ts';
import { isWaiting, type Then } from './retry.ts';

export interface WaitingDeps {
  readonly store: Pick<StoreReader, 'get'>;
  readonly offers: Offers;
}

/** What may have changed since a Build ended, and what to watch for more of that. */
export interface Changed extends Omit<Then, 'now'> {
  readonly keys: readonly Dependency[];
}

/** What has changed since the newest Build of a Source that its next one may succeed by. */
export async function changedSince(
  newest: Pick<Build, 'status'> | undefined,
  source: Source,
  deps: WaitingDeps,
): Promise<Changed> {
  if (newest && isWaiting(newest)) return archivesOf(source, newest, deps);
  const { heldBy } = newest?.status ?? {};
  if (heldBy !== undefined) return holderOf(source, heldBy, deps);
  return { keys: [], archivesChangedAt: 0, isLetGo: false };
}

/** Whether another Source that its packages belong to has gone, or publishes elsewhere. */
async function holderOf(source: Source, holder: string, { store }: WaitingDeps): Promise<Changed> {
  const {
    metadata: { namespace },
    spec,
  } = source;
  const { home, repository } = await homeOf(source, store);
  const isHeld =
    !repository || (await publishesInto(spec.repositoryRef, holder, repository, store));
  const keys = [
    home,
    { kind: SourceKind.kind, namespace, name: holder, aspect: 'declared' as const },
  ];
  return { keys, archivesChangedAt: 0, isLetGo: !isHeld };
}

/**
 * What a Build that waits for a dependency may get it from: the base of its Source, the dependencies of its Repository, and the
 * Repository itself, as soon as that has what is missing. Archives elsewhere say nothing of themselves.
 */
async function archivesOf(
  source: Source,
  waiting: Pick<Build, 'status'>,
  { store, offers }: WaitingDeps,
): Promise<Changed> {
  const {
    metadata: { namespace },
    spec,
  } = source;
  const { home, repository } = await homeOf(source, store);
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
  return { keys: [home, ...keys], archivesChangedAt: Math.max(0, ...known), isLetGo: false };
}

/** The Repository that a Source publishes into. */
async function homeOf({ metadata: { namespace }, spec }: Source, store: WaitingDeps['store']) {
  const home = { kind: RepositoryKind.kind, namespace, name: spec.repositoryRef.name };
  return { home, repository: (await store.get(home)) as Repository | undefined };
}

/** Snapshots never change. */
function changeOf({ kind }: ArchiveRef, object: unknown): string | undefined {
  if (object === undefined) return undefined;
  if (kind === MirrorKind.kind) return (object as Mirror).status.state?.completedAt;
  if (kind === EnvironmentKind.kind) return (object as Environment).status.published?.promotedAt;
  if (kind === RepositoryKind.kind) return (object as Repository).status.state?.changedAt;
  return undefined;
}
