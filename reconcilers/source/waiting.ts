import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { Source } from '../../crds/source.ts';
import type { StoreReader } from '../../crds/store.ts';
import { dependenciesOf } from '../archives/dependencies.ts';
import type { ArchiveRef } from '../archives/served.ts';

/** What a Source is built of, among what Cairn itself serves. */
export interface BuiltOf {
  readonly keys: readonly ArchiveRef[];
  /** When something of it last changed, in milliseconds; 0 when nothing of it has anything yet. */
  readonly changedAt: number;
}

/**
 * What a Build that waits for a dependency may get it from: the base of its Source, and the dependencies of its Repository. Archives
 * elsewhere say nothing of themselves.
 */
export async function builtOf(
  { metadata: { namespace }, spec }: Source,
  store: Pick<StoreReader, 'get'>,
): Promise<BuiltOf> {
  const key = (kind: string, name: string): ArchiveRef => ({ kind, namespace, name });
  const { mirrorRef, environmentRef } = spec.build.base;
  const home = key(RepositoryKind.kind, spec.repositoryRef.name);
  const repository = (await store.get(home)) as Repository | undefined;
  const dependencies = repository ? await dependenciesOf(repository, store) : [];
  const keys = [
    ...(mirrorRef ? [key(MirrorKind.kind, mirrorRef.name)] : []),
    ...(environmentRef ? [key(EnvironmentKind.kind, environmentRef.name)] : []),
    ...dependencies.flatMap((one) => ('ref' in one ? [one.ref] : [])),
  ];
  const times = await Promise.all(keys.map(async (one) => changeOf(one, await store.get(one))));
  const known = times.flatMap((time) => (time === undefined ? [] : [Date.parse(time)]));
  return { keys: [home, ...keys], changedAt: Math.max(0, ...known) };
}

/** Snapshots never change. */
function changeOf({ kind }: ArchiveRef, object: unknown): string | undefined {
  if (object === undefined) return undefined;
  if (kind === MirrorKind.kind) return (object as Mirror).status.state?.completedAt;
  if (kind === EnvironmentKind.kind) return (object as Environment).status.published?.promotedAt;
  if (kind === RepositoryKind.kind) return (object as Repository).status.state?.date;
  return undefined;
}
