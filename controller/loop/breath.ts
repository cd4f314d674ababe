import { setImmediate as immediate } from 'node:timers/promises';

/** For so long the event loop may be kept from taking in what arrives. */
const longestMs = 10;

/**
 * Lets the event loop have its turn now and then. Runs that wait for nothing but each other, ten
 * thousand of them after a start, would keep everything else waiting until the last of them ends.
 */
export class Breath {
  #since = performance.now();
  #last: Promise<void> = Promise.resolve();

  /**
   * To be awaited before a piece of work; mostly there is nothing to wait for. While something
   * `urgent` goes on, which takes many turns of the event loop, each piece gets a turn of its own.
   */
  async take(urgent = false): Promise<void> {
    if (!urgent && performance.now() - this.#since < longestMs) return;
    this.#last = this.#last.then(() => immediate());
    await this.#last;
    this.#since = performance.now();
  }
}
