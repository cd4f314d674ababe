import type { Clock } from '../../../controller/loop/queue.ts';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so. */
export class HeldClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Calls what becomes due, in order, and lets what it started go on. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await turns();
    for (;;) {
      const next = [...this.#timers].sort((one, other) => one.due - other.due)[0];
      if (!next || next.due > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await turns();
    }
    this.#now = end;
  }

  /** How long until the next timer, if there is one. */
  nextIn(): number | undefined {
    const due = [...this.#timers].map((timer) => timer.due);
    return due.length === 0 ? undefined : Math.min(...due) - this.#now;
  }
}

/** Lets pending promises and immediates run. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
