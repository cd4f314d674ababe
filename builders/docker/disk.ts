import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';

export interface DiskWatch {
  stop(): void;
}

export interface DiskLimit {
  readonly bytes: number;
  /** Whether it may be held still for a moment, so that its files can be counted. No command can be started in it meanwhile. */
  readonly mayHold: boolean;
}

const pauseMs = 1000;
/** Counting takes long when there are very many files, which cost more than their bytes. */
const mostCountingMs = 30_000;
/** So often in a row counting may fail, which it does with containerd's image store when a folder goes away meanwhile. */
const mostFailures = 5;

/**
 * Looks again and again how much a container has written, and tells once when that is more than it may. The engine has to walk
 * through the files for that, so a pause is at least ten times as long as a look took.
 */
export function watchDisk(
  container: Docker.Container,
  { bytes: mostBytes, mayHold }: DiskLimit,
  onFull: (message: string) => void,
): DiskWatch {
  const stopped = new AbortController();
  let failures = 0;
  void watch();
  return { stop: () => stopped.abort() };

  async function watch(): Promise<void> {
    let lastMs = 0;
    while (!stopped.signal.aborted) {
      const pause = Math.max(pauseMs, 10 * lastMs);
      await sleep(pause, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
      if (stopped.signal.aborted) return;
      const before = performance.now();
      const size = await count().catch(() => 0); // whoever follows the run is told of an engine that is gone
      lastMs = performance.now() - before;
      if (stopped.signal.aborted) return;
      if (size > mostBytes) return onFull(diskMessage(mostBytes));
      if (lastMs > mostCountingMs) return onFull('it has written more files than can be counted');
    }
  }

  async function count(): Promise<number> {
    try {
      const size = await writtenBytes(container);
      failures = 0;
      return size;
    } catch (error) {
      failures += 1;
      if (mayHold && failures >= mostFailures) return await countHeld(container);
      throw error;
    }
  }
}

/** What makes and removes files all the time can't be counted while it does so, nor may it go uncounted. */
async function countHeld(container: Docker.Container): Promise<number> {
  await container.pause().catch(() => {}); // it may have been left so by the last time
  try {
    return await writtenBytes(container);
  } finally {
    await container.unpause();
  }
}

export function diskMessage(mostBytes: number): string {
  return `it has written more than ${mostBytes} bytes`;
}

/** What a container has written, in its own layer. */
export async function writtenBytes(container: Docker.Container): Promise<number> {
  // dockerode has the option, and the engine the answer; the types have neither
  const options: object = { size: true };
  const answer: object = await container.inspect(options);
  return 'SizeRw' in answer && typeof answer.SizeRw === 'number' ? answer.SizeRw : 0;
}
