import type { Informer } from './informer.ts';
import type { QueueStats } from './queue.ts';

/** For the liveness probe: a controller that answers but does nothing is not alive. */
export interface Health {
  readonly live: boolean;
  /** Sentences for people. */
  readonly problems: readonly string[];
}

const longestRunMs = 5 * 60_000;
const longestWaitMs = 5 * 60_000;
const longestDeafMs = 3 * 60_000;

export function healthOf(
  { running, oldestWaitMs, idleWorkers }: QueueStats,
  informers: ReadonlyMap<string, Pick<Informer, 'failingMs'>>,
): Health {
  const stuck = [...running].filter(([, ms]) => ms > longestRunMs);
  const deaf = [...informers].filter(([, informer]) => informer.failingMs() > longestDeafMs);
  const isStanding = oldestWaitMs > longestWaitMs && idleWorkers > 0;
  const problems = [
    ...stuck.map(([key, ms]) => `${key} has been running for ${minutes(ms)}`),
    ...(isStanding ? [`the queue has not moved for ${minutes(oldestWaitMs)}`] : []),
    ...deaf.map(([kind, one]) => `${kind} can't be followed for ${minutes(one.failingMs())}`),
  ];
  return { live: problems.length === 0, problems };
}

function minutes(ms: number): string {
  return `${Math.floor(ms / 60_000)} minutes`;
}
