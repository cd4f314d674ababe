import { setTimeout as sleep } from 'node:timers/promises';
import { asCairnError } from '../../crds/reasons.ts';
import type { InventoryStore, Store } from '../../crds/store.ts';
import type { Log } from '../log.ts';
import { lockDataDirectory, type Lock } from '../store/lock.ts';
import type { Work } from '../work.ts';
import type { Leadership } from './leadership.ts';

/** When this process does the work: from its start on, or once it leads. */
export interface Shift {
  /** A replica that waits for its turn is ready as soon as it serves. */
  health(): ReturnType<Work['health']>;
  /** Resolves with the reason when this process must end, for another one works. */
  readonly lost: Promise<string>;
  /** Tells whoever finds the data directory taken where this process serves. */
  announce(url: string): void;
  close(graceMs: number): Promise<void>;
}

/** The shift of the only process there is: it has the data directory already. */
export function soleShift(work: Work, lock: Lock): Shift {
  return {
    health: () => work.health(),
    lost: new Promise(() => {}),
    announce: (url) => lock.announce(url),
    close: (graceMs) => work.close(graceMs),
  };
}

export interface ElectedOptions {
  readonly data: string;
  readonly leadership: Leadership;
  /** Starts the work on a store. */
  readonly begin: (store: Store & InventoryStore) => Promise<Work>;
  /** The store, in which nothing is written that does not pass the leadership's fence. */
  readonly fencedStore: Store & InventoryStore;
  readonly log: Log;
}

/** The shift of one of several replicas, which begins when it leads, and ends with its process. */
export function electedShift(options: ElectedOptions): Shift {
  return new ElectedShift(options);
}

/** The leader before may have left a moment ago, or be about to. */
const lockPatienceMs = 10_000;
const lockAgainMs = 100;

class ElectedShift implements Shift {
  readonly lost: Promise<string>;
  readonly #options: ElectedOptions;
  readonly #begun: Promise<void>;
  readonly #stop = new AbortController();
  #work: Work | undefined;
  #lock: Lock | undefined;
  #url = '';

  constructor(options: ElectedOptions) {
    this.#options = options;
    const failed = Promise.withResolvers<string>();
    this.#begun = this.#begin().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) failed.resolve(asCairnError(error).message);
    });
    this.lost = Promise.race([options.leadership.lost, failed.promise]);
  }

  health(): ReturnType<Work['health']> {
    return this.#work?.health() ?? { live: true, ready: true, problems: [] };
  }

  announce(url: string): void {
    this.#url = url;
    this.#lock?.announce(url);
  }

  async close(graceMs: number): Promise<void> {
    this.#stop.abort();
    await this.#begun;
    await this.#work?.close(graceMs);
    this.#lock?.release();
    await this.#options.leadership.release();
  }

  async #begin(): Promise<void> {
    const { leadership, begin, fencedStore, log } = this.#options;
    const stopped = new Promise<undefined>((resolve) =>
      this.#stop.signal.addEventListener('abort', () => resolve(undefined)),
    );
    const epoch = await Promise.race([leadership.leading, stopped]);
    if (epoch === undefined) return;
    log.info('this replica leads', { epoch });
    this.#lock = await this.#lockPatiently();
    if (this.#url !== '') this.#lock.announce(this.#url);
    leadership.fence();
    this.#work = await begin(fencedStore);
  }

  async #lockPatiently(): Promise<Lock> {
    const deadline = performance.now() + lockPatienceMs;
    for (;;) {
      try {
        return lockDataDirectory(this.#options.data);
      } catch (error) {
        if (performance.now() > deadline || this.#stop.signal.aborted) throw error;
        await sleep(lockAgainMs);
      }
    }
  }
}
