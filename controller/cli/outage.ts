import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from './command.ts';
import { Unreachable } from './http-exchange.ts';

const pauseMs = 250;

/** The time in which no server answers, for those who have the patience to wait for one. */
export class Outage {
  /** Why there is no answer; undefined while there is one. */
  failure: Unreachable | undefined;
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  /**
   * Yields what `follow` yields, and follows anew when no server answers: it is being started, or
   * started again. Says so once. Throws what can't pass by itself.
   */
  async *bridge<News>(follow: () => AsyncIterable<News>, signal: AbortSignal) {
    for (;;) {
      try {
        for await (const news of follow()) {
          this.failure = undefined;
          yield news;
        }
        return;
      } catch (thrown) {
        if (!(thrown instanceof Unreachable && thrown.isPassing)) throw thrown;
        if (!this.failure) this.#io.err(`${thrown.why}; trying again until the time is over`);
        this.failure = thrown;
        await sleep(pauseMs, undefined, { signal });
      }
    }
  }
}
