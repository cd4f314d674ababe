import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, ObjectEvent } from '../../crds/store.ts';
import type { Log } from '../log.ts';

/** Of the changes of ten thousand objects at once, each is told. */
const mostWaiting = 20_000;
/** While much else is to be written, which is worth more, so much time is between two events. */
const busyPauseMs = 200;

export interface EventLineOptions {
  readonly store: EventLog;
  readonly log: Log;
  /** Whether many objects wait for a run. */
  readonly isBusy?: () => boolean;
}

/**
 * Events on their way into the store, one after the other and beside the runs that tell them: an
 * event is for people, and nothing waits for it. One that can't be stored fails nothing.
 */
export class EventLine {
  readonly #store: EventLog;
  readonly #log: Log;
  readonly #isBusy: () => boolean;
  #waiting: ObjectEvent[] = [];
  #telling: Promise<void> | undefined;
  #isStopped = false;
  #isFull = false;
  #isCut = false;

  constructor({ store, log, isBusy = () => false }: EventLineOptions) {
    this.#store = store;
    this.#log = log;
    this.#isBusy = isBusy;
  }

  add(event: ObjectEvent): void {
    if (this.#isStopped) return;
    if (this.#waiting.length >= mostWaiting) {
      if (!this.#isFull) this.#log.warn('too many events at once: some are not stored');
      this.#isFull = true;
      return;
    }
    this.#waiting.push(event);
    this.#telling ??= this.#tell();
  }

  isEmpty(): boolean {
    return this.#telling === undefined;
  }

  /** Resolves when all of them are stored. */
  async empty(): Promise<void> {
    while (this.#telling) await this.#telling;
  }

  /** Takes none any more, and drops what still waits when `late` resolves. */
  async stop(late: Promise<void>): Promise<void> {
    this.#isStopped = true;
    await Promise.race([this.empty(), late]);
    this.#isCut = true;
  }

  async #tell(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const event of batch) {
        if (this.#isBusy() && !this.#isStopped) await sleep(busyPauseMs);
        if (!this.#isCut) await this.#record(event);
      }
    }
    this.#isFull = false;
    this.#telling = undefined;
  }

  async #record(event: ObjectEvent): Promise<void> {
    try {
      await this.#store.record(event);
    } catch (error) {
      const { kind, namespace, name } = event.regarding;
      this.#log.warn('event not stored', { kind, namespace, name, error });
    }
  }
}
