import type { Dispatcher } from 'undici';

/**
 * Gives a sink one thing after the other. Pausing alone does not: at the end of a connection undici
 * hands over all that is left. Nor may anything be aborted while its parser runs, which would
 * break an assertion there that nobody can catch: failures are told a little later.
 */
export class Turns {
  readonly #isOver: () => boolean;
  readonly #fail: (error: unknown) => void;
  #last: Promise<void> | undefined;
  #isEnded = false;

  constructor(isOver: () => boolean, fail: (error: unknown) => void) {
    this.#isOver = isOver;
    this.#fail = fail;
  }

  take(receiving: Dispatcher.DispatchController, work: () => void | Promise<void>): void {
    const busy = this.#last ? this.#after(this.#last, work) : started(work);
    if (!busy) return;
    receiving.pause();
    const turn: Promise<void> = busy.then(() => {
      if (this.#last !== turn) return;
      this.#last = undefined;
      if (!this.#isEnded) receiving.resume();
    }, this.#fail);
    this.#last = turn;
  }

  /** Calls back when all turns are over. */
  end(done: () => void): void {
    this.#isEnded = true;
    if (this.#last) void this.#last.then(done);
    else done();
  }

  async #after(last: Promise<void>, work: () => void | Promise<void>): Promise<void> {
    await last;
    if (!this.#isOver()) await work();
  }
}

function started(work: () => void | Promise<void>): void | Promise<void> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
