import type { Build } from '../../crds/build.ts';

/** How often a commit is tried whose builder was lost: most likely, it is the one that it gets lost by. */
const mostLost = 3;
/** How often one is tried that archives, or git servers, have had nothing for: with these pauses, for four days. */
const mostWaits = 20;
const firstPauseMs = 5 * 60_000;
const longestPauseMs = 6 * 3_600_000;

/** What may be otherwise by now. */
export interface Then {
  readonly now: Date;
  /** When an archive that builds install from last changed, in milliseconds. */
  readonly archivesChangedAt: number;
  /** Whether the Source whose packages it has made publishes them no more. */
  readonly isLetGo: boolean;
}

/**
 * Whether what came of a Build may be otherwise next time, though it is declared as before: its builder was lost; the
 * archives did not have, or did not give, what it needs, and have changed since, or some time has passed; or another Source
 * that its packages belonged to has gone.
 */
export function isTriedAgain({ metadata, spec, status }: Build, then: Then): boolean {
  const { attempt } = spec;
  if (status.result === 'BuilderLost') return attempt < mostLost;
  if (attempt >= mostWaits) return false;
  if (status.heldBy !== undefined) return then.isLetGo;
  if (!isWaiting({ status })) return false;
  if (then.archivesChangedAt >= Date.parse(metadata.creationTimestamp)) return true;
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs);
  return then.now.getTime() >= Date.parse(status.finishedAt ?? '') + pauseMs;
}

/** Whether it has ended badly, and not because somebody wanted it to end. */
export function hasFailed({ status: { result } }: Pick<Build, 'status'>): boolean {
  return result !== undefined && !['Succeeded', 'Superseded', 'Cancelled'].includes(result);
}

/** Whether it found the world in a state in which it could not be built: archives, or the servers of submodules. */
export function isWaiting({ status: { result } }: Pick<Build, 'status'>): boolean {
  return result === 'DependencyWait' || result === 'ChrootProblem';
}
