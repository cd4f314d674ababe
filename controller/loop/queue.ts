import { backoffMs } from './backoff.ts';
import { WaitingLine, type Priority } from './waiting-line.ts';

export type { Priority } from './waiting-line.ts';

/** Time as the queue sees it, so that tests can hold it. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Calls back once after so long; what it yields cancels that. */
  after(ms: number, callback: () => void): () => void;
}

/** Told of everything that happens, for metrics. Durations are in milliseconds. */
export interface QueueObserver {
  added?(key: string, priority: Priority): void;
  started?(key: string, waitedMs: number): void;
  finished?(key: string, tookMs: number): void;
  retried?(key: string): void;
}

export interface QueueOptions {
  /** Does the work of one key; must not reject. `signal` aborts at shutdown. */
  readonly work: (key: string, signal: AbortSignal, priority: Priority) => Promise<void>;
  /** How many keys are worked on at once. */
  readonly workers?: number;
  readonly clock?: Clock;
  /** 0 to 1, as Math.random. */
  readonly random?: () => number;
  readonly observer?: QueueObserver;
}

/** Runs longer than what a Node timer can hold are looked at earlier, which does no harm. */
const longestTimerMs = 2 ** 31 - 1;
const defaultWorkers = 4;

interface Timer {
  readonly due: number;
  readonly cancel: () => void;
}

/**
 * Keys that need a look. One key is never worked on twice at once; adding one that waits changes
 * nothing (but may make it more urgent), adding one that runs costs one more run after it.
 */
export class WorkQueue {
  readonly #work: QueueOptions['work'];
  readonly #workers: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #observer: QueueObserver;
  readonly #line = new WaitingLine();
  readonly #running = new Map<string, number>();
  readonly #urgent = new Set<string>();
  readonly #again = new Map<string, Priority>();
  readonly #timers = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();
  readonly #quiet = new Set<() => void>();
  readonly #stop = new AbortController();

  constructor(options: QueueOptions) {
    this.#work = options.work;
    this.#workers = options.workers ?? defaultWorkers;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
    this.#observer = options.observer ?? {};
  }

  add(key: string, priority: Priority = 1): void {
    if (this.#stop.signal.aborted) return;
    if (this.#running.has(key)) {
      this.#again.set(key, urgent(priority, this.#again.get(key)));
      return;
    }
    if (this.#line.add(key, priority, this.#clock.now())) this.#observer.added?.(key, priority);
    this.#startNext();
  }

  /** Adds the key after so long; of several such wishes the earliest counts, until the next run. */
  addAfter(key: string, ms: number, priority: Priority = 2): void {
    if (this.#stop.signal.aborted) return;
    const wait = Math.min(Math.max(ms, 0), longestTimerMs);
    const due = this.#clock.now() + wait;
    const earlier = this.#timers.get(key);
    if (earlier && earlier.due <= due) return;
    earlier?.cancel();
    const cancel = this.#clock.after(wait, () => {
      this.#timers.delete(key);
      this.add(key, priority);
    });
    this.#timers.set(key, { due, cancel });
  }

  /** Adds the key after its back-off, which doubles from one failure to the next. */
  retry(key: string): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#observer.retried?.(key);
    this.addAfter(key, backoffMs(failures, this.#random()), 2);
  }

  /** The key has succeeded, or has become another matter: its next failure is its first. */
  forgive(key: string): void {
    this.#failures.delete(key);
  }

  /** Nothing is left to do for the key: it neither waits nor comes back by itself. */
  drop(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
    this.#failures.delete(key);
    this.#again.delete(key);
    this.#line.remove(key);
    this.#tellIfQuiet();
  }

  /** How many keys wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Whether something runs that a person waits for. */
  get isUrgent(): boolean {
    return this.#urgent.size > 0;
  }

  /** Nothing waits and nothing runs; timers may be pending. */
  isQuiet(): boolean {
    return this.#line.size === 0 && this.#running.size === 0;
  }

  /** Resolves once `isQuiet`. */
  quiet(): Promise<void> {
    if (this.isQuiet()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#quiet.add(resolve);
    return promise;
  }

  /** What waits and runs now. */
  stats(): QueueStats {
    const now = this.#clock.now();
    return {
      depth: this.#line.depth(),
      oldestWaitMs: this.#line.oldestWaitMs(now),
      running: new Map([...this.#running].map(([key, since]) => [key, now - since])),
      idleWorkers: this.#workers - this.#running.size,
    };
  }

  /**
   * Takes nothing in any more, aborts what runs, and waits for it so long. Yields the keys that
   * still run then.
   */
  async shutdown(graceMs: number): Promise<readonly string[]> {
    this.#stop.abort();
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#again.clear();
    this.#line.clear();
    this.#tellIfQuiet();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(graceMs, resolve);
    await Promise.race([this.quiet(), late]);
    cancel();
    return [...this.#running.keys()];
  }

  #startNext(): void {
    while (this.#running.size < this.#workers) {
      const now = this.#clock.now();
      const next = this.#line.take(now);
      if (!next) break;
      this.#timers.get(next.key)?.cancel();
      this.#timers.delete(next.key);
      this.#observer.started?.(next.key, now - next.since);
      this.#running.set(next.key, now);
      if (next.priority === 0) this.#urgent.add(next.key);
      void this.#run(next.key, next.priority);
    }
    this.#tellIfQuiet();
  }

  async #run(key: string, priority: Priority): Promise<void> {
    const start = this.#clock.now();
    try {
      await this.#work(key, this.#stop.signal, priority);
    } finally {
      this.#running.delete(key);
      this.#urgent.delete(key);
      this.#observer.finished?.(key, this.#clock.now() - start);
      const again = this.#again.get(key);
      this.#again.delete(key);
      if (again !== undefined) this.add(key, again);
      this.#startNext();
    }
  }

  #tellIfQuiet(): void {
    if (!this.isQuiet()) return;
    for (const resolve of this.#quiet) resolve();
    this.#quiet.clear();
  }
}

export interface QueueStats {
  /** How many wait, by priority. */
  readonly depth: Readonly<Record<Priority, number>>;
  readonly oldestWaitMs: number;
  /** For how many milliseconds each running key has been running. */
  readonly running: ReadonlyMap<string, number>;
  readonly idleWorkers: number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

function urgent(one: Priority, other: Priority | undefined): Priority {
  return other !== undefined && other < one ? other : one;
}
