import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { diskMessage, watchDisk, writtenBytes } from './disk.ts';
import type { End } from './ends.ts';
import { isLost } from './engine.ts';
import type { RunLog } from './log.ts';
import type { RunLimits } from './request.ts';
import type { Exit } from './verdict.ts';

/** How long the supervisor in the container may be late, until it counts as disabled by the build. */
const graceSeconds = 10;
const lookEveryMs = 2000;
/** So often in a row a build may be found with as many processes as it may have. */
const mostFullLooks = 5;

export interface Watched {
  readonly container: Docker.Container;
  readonly limits: RunLimits;
  readonly log: RunLog;
  /** Ends the run, and says why. */
  readonly end: (end: End) => Promise<void>;
}

/** Watches a running container until it has ended, and ends it when it goes beyond its limits. */
export async function watchRun(watched: Watched, signal: AbortSignal): Promise<Exit> {
  const { container, limits, log, end } = watched;
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const disk = watchDisk(container, { bytes: limits.diskBytes, mayHold: true }, (message) => {
    void end({ because: 'DiskLimit', message }).catch(() => {});
  });
  const looking = lookAgain(watched, stop);
  const following = log.follow(container, stop).catch((error: unknown) => {
    // what is missing is read at the end; a failure to keep it is not the engine's
    if (!isLost(error) && !stop.aborted) throw error;
  });
  try {
    // An engine that is killed leaves this without an answer: dockerode does not notice.
    const ended = container.wait({ abortSignal: stop });
    await Promise.race([ended, looking, following.then(() => ended)]);
    signal.throwIfAborted();
    await end_(following);
    return await exitOf(watched);
  } finally {
    disk.stop();
    done.abort();
    await Promise.allSettled([looking, following]);
  }
}

/** The log of what has ended is given a moment to come through; it is completed afterwards in any case. */
async function end_(following: Promise<void>): Promise<void> {
  await Promise.race([following, sleep(1000, undefined, { ref: false })]);
}

async function exitOf({ container, limits, end }: Watched): Promise<Exit> {
  const { State } = await container.inspect();
  if ((await writtenBytes(container)) > limits.diskBytes) {
    await end({ because: 'DiskLimit', message: diskMessage(limits.diskBytes) });
  }
  return { exitCode: State.ExitCode, outOfMemory: State.OOMKilled, error: State.Error };
}

/** What the supervisor does as well, from where a build can't reach; until the container has ended. */
async function lookAgain(
  { container, limits, log, end }: Watched,
  signal: AbortSignal,
): Promise<void> {
  let fullLooks = 0;
  while (!signal.aborted) {
    const { State } = await container.inspect();
    if (!State.Running) return;
    const startedAt = Date.parse(State.StartedAt);
    const seconds = (Date.now() - startedAt) / 1000;
    const silent = (performance.now() - log.heardAt) / 1000;
    if (seconds > limits.seconds + graceSeconds) {
      await end({ because: 'TimeLimit', message: `it took longer than ${limits.seconds} seconds` });
    } else if (silent > limits.silenceSeconds + graceSeconds) {
      const message = `it printed nothing for ${limits.silenceSeconds} seconds`;
      await end({ because: 'SilenceLimit', message });
    }
    fullLooks = (await isFull(container, limits.processes)) ? fullLooks + 1 : 0;
    if (fullLooks >= mostFullLooks) {
      const message = `it has as many processes as it may have: ${limits.processes}`;
      await end({ because: 'ProcessLimit', message });
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

async function isFull(container: Docker.Container, most: number): Promise<boolean> {
  try {
    const stats = await container.stats({ stream: false, 'one-shot': true });
    return (stats.pids_stats?.current ?? 0) >= most;
  } catch {
    return false; // whoever waits for its end is told
  }
}
