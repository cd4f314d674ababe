import { writeSync } from 'node:fs';

/** Two places of a shared memory: how long this process leads, and a count that the main thread raises. */
export interface Shared {
  /** See `LeaseThreadData`. */
  readonly until: Float64Array;
  readonly beats: Uint32Array;
}

/** How often the main thread shows that it moves, and how often somebody looks. */
const beatMs = 500;

export function sharedMemory(memory = new SharedArrayBuffer(16)): Shared & {
  readonly memory: SharedArrayBuffer;
} {
  return { memory, until: new Float64Array(memory, 0, 1), beats: new Uint32Array(memory, 8, 1) };
}

/** Shows that this thread's event loop moves; what it yields ends that. */
export function beat({ beats }: Pick<Shared, 'beats'>): () => void {
  const timer = setInterval(() => Atomics.add(beats, 0, 1), beatMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Kills this process when its main thread has not moved for so long. The lease would be renewed for
 * ever, and the data directory be locked: no other replica could work. Looks are counted, and not
 * time: a machine that was suspended has done neither.
 */
export function watchMainThread({ until, beats }: Shared, longestMs: number): () => void {
  let last = Atomics.load(beats, 0);
  let looks = 0;
  const timer = setInterval(() => {
    const now = Atomics.load(beats, 0);
    looks = now === last ? looks + 1 : 0;
    last = now;
    if (looks * beatMs < longestMs) return;
    until[0] = 0;
    writeSync(2, `cairn: the main thread has not moved for ${longestMs / 1000} s: ending it\n`);
    process.kill(process.pid, 'SIGKILL');
  }, beatMs);
  return () => clearInterval(timer);
}
