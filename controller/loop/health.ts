import { check, type Check } from '../health.ts';
import type { Informer } from './informer.ts';
import type { QueueStats } from './queue.ts';

const longestWaitMs = 5 * 60_000;
const longestDeafMs = 3 * 60_000;
/** How much longer than its time a run may take to end, as a part of that time: a minute of five. */
const graceOfRun = 0.2;

/**
 * Whether work moves: a controller that answers but does nothing is not alive. A run that was broken
 * off after `runTimeoutMs` and does not end holds its worker, and its object, until a restart.
 */
export function healthOf(
  { running, oldestWaitMs, idleWorkers }: QueueStats,
  informers: ReadonlyMap<string, Pick<Informer, 'failingMs'>>,
  runTimeoutMs: number,
): readonly Check[] {
  const stuck = [...running].filter(([, ms]) => ms > runTimeoutMs * (1 + graceOfRun));
  const deaf = [...informers].filter(([, informer]) => informer.failingMs() > longestDeafMs);
  const isStanding = oldestWaitMs > longestWaitMs && idleWorkers > 0;
  return [
    check(
      'workers',
      stuck.map(([key, ms]) => `${key} has been running for ${lasting(ms)}`),
    ),
    check('queue', isStanding ? [`it has not moved for ${lasting(oldestWaitMs)}`] : []),
    check(
      'informers',
      deaf.map(([kind, one]) => `${kind} can't be followed for ${lasting(one.failingMs())}`),
    ),
  ];
}

function lasting(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 120 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} minutes`;
}
