import type { Build } from '../../crds/build.ts';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { Source } from '../../crds/source.ts';
import type { StoreReader } from '../../crds/store.ts';

/** How often a commit is tried whose builder was lost: most likely, it is the one that it gets lost by. */
const mostLost = 3;
/** How often one is tried that the archives have had nothing for: with these pauses, for four days. */
const mostWaits = 20;
const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * 3_600_000;

/** What may be otherwise by now. */
export interface Then {
  readonly now: Date;
  /** When an archive that builds install from last changed, in milliseconds. */
  readonly archivesChangedAt: number;
}

/**
 * Whether what came of a Build may be otherwise next time, without anybody's doing: its builder was lost; or the archives
 * did not have, or did not give, what it needs, and have changed since, or some time has passed.
 */
export function isTriedAgain({ metadata, spec, status }: Build, then: Then): boolean {
  const { attempt } = spec;
  if (status.result === 'BuilderLost') return attempt < mostLost;
  if (status.result !== 'DependencyWait' && status.result !== 'ChrootProblem') return false;
  if (attempt >= mostWaits) return false;
  if (then.archivesChangedAt >= Date.parse(metadata.creationTimestamp)) return true;
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
  return then.now.getTime() >= Date.parse(status.finishedAt ?? '') + pauseMs;
}

/** When what Cairn itself serves of a Source's archives last changed; 0 when it has none. */
export async function archivesChangedAt(
  { metadata: { namespace }, spec }: Source,
  store: Pick<StoreReader, 'get'>,
): Promise<number> {
  const { mirrorRef, environmentRef } = spec.build.base;
  const get = (kind: string, name: string) => store.get({ kind, namespace, name });
  const repository = (await get(RepositoryKind.kind, spec.repositoryRef.name)) as
    Repository | undefined;
  const refs = [
    ...(mirrorRef ? [{ kind: MirrorKind.kind, name: mirrorRef.name }] : []),
    ...(environmentRef ? [{ kind: EnvironmentKind.kind, name: environmentRef.name }] : []),
    ...(repository?.spec.dependencies ?? []),
  ];
  const times = await Promise.all(
    refs.map(async ({ kind, name }) => {
      const found = await get(kind, name);
      if (kind === MirrorKind.kind) return (found as Mirror | undefined)?.status.state?.completedAt;
      if (kind === RepositoryKind.kind)
        return (found as Repository | undefined)?.status.state?.date;
      if (kind !== EnvironmentKind.kind) return undefined; // a Snapshot never changes
      return (found as Environment | undefined)?.status.published?.promotedAt;
    }),
  );
  return Math.max(0, ...times.map((time) => (time === undefined ? 0 : Date.parse(time))));
}
