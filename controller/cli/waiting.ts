import { durationMs } from '../../crds/duration.ts';
import type { ApiClient, Target } from './api-client.ts';
import { exit, UsageError, type Io, type Options } from './command.ts';
import { follow } from './follow.ts';
import type { Goal } from './goal.ts';
import { asAnyObject, type AnyObject } from './objects.ts';
import { Outage } from './outage.ts';
import { formatProgress } from './progress-line.ts';
import { nameOf } from './targets.ts';

export const timeoutOption = {
  timeout: {
    type: 'string',
    value: 'DURATION',
    default: '60s',
    description: 'how long to wait, such as 90s or 1h; 0 only looks once',
  },
} as const satisfies Options;

/** Milliseconds of `--timeout`. Throws `UsageError`. */
export function parseTimeout(text: string): number {
  if (/^0+s?$/.test(text)) return 0;
  const duration = /^[0-9]+$/.test(text) ? `${text}s` : text;
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$/.test(duration)) {
    throw new UsageError(
      `expected a duration such as 90s or 1h instead of ${JSON.stringify(text)}`,
    );
  }
  return Math.min(durationMs(duration), 2 ** 31 - 1); // what a timer can hold: 24 days
}

export interface Wait {
  readonly client: ApiClient;
  readonly targets: readonly Target[];
  readonly goal: Goal;
  readonly timeoutMs: number;
}

/**
 * Waits until every target reaches the goal, existing or not, and says so for each. Returns the
 * exit status: `notAsDesired` after saying what is in the way of those that did not in time. A
 * server that is being started is waited for; throws `Unreachable` when none answers at the end.
 */
export async function waitFor({ client, targets, goal, timeoutMs }: Wait, io: Io): Promise<number> {
  const pending = new Map(targets.map((target) => [target, undefined as AnyObject | undefined]));
  const timeout = AbortSignal.timeout(Math.max(1, timeoutMs));
  const signal = AbortSignal.any(timeoutMs === 0 ? [io.signal] : [io.signal, timeout]);
  const groups = Map.groupBy(targets, ({ kind, namespace }) => `${kind.kind}/${namespace}`);
  const outage = new Outage(io);
  const once = timeoutMs === 0;
  try {
    await Promise.all(
      [...groups.values()].map((group) =>
        waitForGroup({ client, group, goal, pending, once, outage, signal }, io),
      ),
    );
  } catch (thrown) {
    if (!timeout.aborted || io.signal.aborted || once) throw thrown;
    if (outage.failure) throw outage.failure;
  }
  io.progress('');
  for (const [target, object] of pending) {
    io.err(`timed out waiting for ${nameOf(target)}: ${goal.explain(object)}`);
  }
  return pending.size === 0 ? exit.good : exit.notAsDesired;
}

interface GroupWait {
  readonly client: ApiClient;
  /** Of one kind and namespace. */
  readonly group: readonly Target[];
  readonly goal: Goal;
  /** What is not reached yet, with the newest state of it. */
  readonly pending: Map<Target, AnyObject | undefined>;
  readonly once: boolean;
  readonly outage: Outage;
  readonly signal: AbortSignal;
}

async function waitForGroup(wait: GroupWait, io: Io): Promise<void> {
  const { client, group, pending, once, outage, signal } = wait;
  const [first] = group;
  if (!first) return;
  const { kind, namespace } = first;
  const followAll = () => follow(client, kind, { namespace }, signal);
  for await (const { objects } of once ? followAll() : outage.bridge(followAll, signal)) {
    for (const target of group) {
      if (pending.has(target))
        look(target, objects.get(`${target.namespace}/${target.name}`), wait, io);
    }
    showProgress(pending, io);
    if (once || !group.some((target) => pending.has(target))) return;
  }
}

function look(
  target: Target,
  found: Parameters<typeof asAnyObject>[0] | undefined,
  { goal, pending }: GroupWait,
  io: Io,
): void {
  const object = found && asAnyObject(found);
  pending.set(target, object);
  if (!goal.isReached(object)) return;
  pending.delete(target);
  io.progress('');
  io.out(`${nameOf(target)} ${goal.reached}`);
}

function showProgress(pending: ReadonlyMap<Target, AnyObject | undefined>, io: Io): void {
  const [next] = pending;
  if (next) io.progress(formatProgress(nameOf(next[0]), next[1], io.columns));
}
