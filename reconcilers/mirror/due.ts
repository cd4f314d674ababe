import { CronTime } from 'cron';
import type { MirrorSpec } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import { durationMs } from '../../crds/duration.ts';

/** What is known of the refreshes of a mirror since this process started. */
export interface Attempts {
  /** When the last one ended, in milliseconds; undefined before the first. */
  readonly endedAt: number | undefined;
  readonly succeeded: boolean;
  /** Failures in a row. */
  readonly failures: number;
}

const defaultIntervalMs = 3_600_000;
const leastIntervalMs = 1000;
const firstRetryMs = 2000;
const longestRetryMs = 15 * 60_000;

/**
 * When a mirror is to be refreshed next, in milliseconds. Pure. After a failure that is sooner than
 * the interval: 2 s, doubling to 15 min. Without any attempt since the start it is now, unless a
 * schedule says when: then a time that passed while Cairn was down counts as due.
 */
export function dueAt(
  { interval, schedule, timeZone }: Pick<MirrorSpec, 'interval' | 'schedule' | 'timeZone'>,
  attempts: Attempts,
  { complete, lastScheduledAt }: { complete: boolean; lastScheduledAt?: string | undefined },
): number {
  const { endedAt, succeeded, failures } = attempts;
  if (endedAt !== undefined && !succeeded) {
    const backoff = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
    const regular = interval ? Math.max(leastIntervalMs, durationMs(interval)) : backoff;
    return endedAt + Math.min(backoff, regular);
  }
  if (schedule === undefined) {
    const every = interval ? Math.max(leastIntervalMs, durationMs(interval)) : defaultIntervalMs;
    return endedAt === undefined ? 0 : endedAt + every;
  }
  if (!complete) return 0;
  return nextTime(
    schedule,
    timeZone,
    Math.max(endedAt ?? 0, Date.parse(lastScheduledAt ?? '') || 0),
  );
}

/** What is known as of `now`: what is dated later was noted before the clock was set back. */
export function asOf(
  now: number,
  attempts: Attempts,
  lastScheduledAt: string | undefined,
): [Attempts, string | undefined] {
  const isAhead = (time: number) => time > now;
  return [
    isAhead(attempts.endedAt ?? 0) ? { ...attempts, endedAt: undefined } : attempts,
    isAhead(Date.parse(lastScheduledAt ?? '')) ? undefined : lastScheduledAt,
  ];
}

/** Throws SpecInvalid when a spec has a schedule that is none. Ask before any work begins. */
export function checkSchedule({
  schedule,
  timeZone,
}: Pick<MirrorSpec, 'schedule' | 'timeZone'>): void {
  if (schedule !== undefined) nextTime(schedule, timeZone, 0);
}

/** The first time of a cron expression after `after`; throws SpecInvalid when it is none. */
export function nextTime(schedule: string, timeZone: string, after: number): number {
  try {
    return new CronTime(schedule, timeZone).getNextDateFrom(new Date(after), timeZone).toMillis();
  } catch (error) {
    throw new CairnError(
      'SpecInvalid',
      `spec.schedule "${schedule}" (${timeZone}): ${error instanceof Error ? error.message : ''}`,
      { cause: error },
    );
  }
}
