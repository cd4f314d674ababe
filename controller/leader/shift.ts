import { setTimeout as sleep } from 'node:timers/promises';
import { asCairnError } from '../../crds/reasons.ts';
import { StoreError, type InventoryStore, type Store } from '../../crds/store.ts';
import { check, type Check, type Health } from '../health.ts';
import type { Log } from '../log.ts';
import { lockDataDirectory, type Lock } from '../store/lock.ts';
import type { Work } from '../work.ts';
import type { Leader, Leadership } from './leadership.ts';

/** When this process does the work: from its start on, or once it leads. */
export interface Shift {
  /** A replica that waits for its turn is ready as soon as it serves. */
  health(): Health;
  /** Resolves with the reason when this process must end: another one works, or it never can. */
  readonly lost: Promise<string>;
  /**
   * Tells where this process serves: whoever finds the data directory taken, and, if there is an `address` at which other
   * replicas reach it, those.
   */
  announce(url: string, address?: string): void;
  /** Which replica leads, as far as this one knows. */
  leader(): Leader;
  close(graceMs: number): Promise<void>;
}

/** The shift of the only process there is: it has the data directory already. */
export function soleShift(work: Work, lock: Lock): Shift {
  return {
    health: () => work.health(),
    lost: new Promise(() => {}),
    announce: (url) => lock.announce(url),
    leader: () => ({ is: 'self' }),
    close: (graceMs) => work.close(graceMs),
  };
}

/** What somebody has who may work. */
export interface Turn {
  readonly lock: Lock;
  /** The store to work on, in which perhaps nothing is written that does not pass a fence. */
  readonly store: Store & InventoryStore;
  readonly isLeading: () => boolean;
}

export interface LateOptions {
  /** When the store can be read. */
  readonly synced: Promise<void>;
  /** The data directory, of the only process there is. */
  readonly lock?: Lock | undefined;
  readonly store: Store & InventoryStore;
  /** Left out: there is one process only. */
  readonly election?:
    | {
        readonly data: string;
        seekLeadership(): {
          readonly leadership: Leadership;
          readonly fencedStore: Store & InventoryStore;
        };
      }
    | undefined;
  /** Starts the work. */
  readonly begin: (turn: Omit<Turn, 'lock'>) => Promise<Work>;
  readonly log: Log;
}

/**
 * A shift that begins when the store has been read, and when this process leads if there are several.
 * What the API server is to blame for is waited for, whatever else is in the way ends the process.
 */
export function lateShift(options: LateOptions): Shift {
  return new LateShift(options);
}

/** The leader before may have left a moment ago, or be about to. */
const lockPatienceMs = 10_000;
const lockAgainMs = 100;
const beginAgainMs = 2000;
/** How long a process may take to end after it has lost the lease. */
const longestEndMs = 30_000;

class LateShift implements Shift {
  readonly lost: Promise<string>;
  readonly #lose: (because: string) => void;
  readonly #options: LateOptions;
  readonly #begun: Promise<void>;
  readonly #stop = new AbortController();
  #leadership: Leadership | undefined;
  #turn: Turn | undefined;
  #work: Work | undefined;
  #obstacle = 'the store is not read yet';
  #url = '';
  #address: string | undefined;

  constructor(options: LateOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.lost = promise;
    this.#lose = resolve;
    this.#begun = this.#begin().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) resolve(asCairnError(error).message);
    });
  }

  health(): Health {
    const { live, ready } = this.#work?.health() ?? { live: [], ready: this.#waiting() };
    if (!this.#options.election) return { live, ready };
    const lapsedMs = this.#leadership?.lapsedMs() ?? 0;
    const told = `it led until ${Math.floor(lapsedMs / 1000)} s ago, and goes on`;
    const trouble = this.#leadership?.trouble();
    return {
      live: [...live, check('leader', lapsedMs > longestEndMs ? [told] : [])],
      ready: [...ready, check('leader', trouble === undefined ? [] : [trouble], 'poor')],
    };
  }

  leader(): Leader {
    if (!this.#options.election) return { is: 'self' };
    return this.#leadership?.leader() ?? { is: 'nobody' };
  }

  announce(url: string, address?: string): void {
    this.#url = url;
    this.#address = address;
    if (address !== undefined) this.#leadership?.advertise(address);
    (this.#options.lock ?? this.#turn?.lock)?.announce(url);
  }

  async close(graceMs: number): Promise<void> {
    this.#stop.abort();
    await this.#begun;
    await this.#work?.close(graceMs);
    if (this.#options.election) this.#turn?.lock.release();
    await this.#leadership?.release();
  }

  /**
   * Who is alone is not ready before it works, so that a roll-out shows it. A replica serves all the
   * same: taking it away from its clients would help nobody.
   */
  #waiting(): readonly Check[] {
    if (!this.#options.election) return [check('objects', [this.#obstacle])];
    return [check('objects', this.#turn ? [this.#obstacle] : [], 'poor')];
  }

  async #begin(): Promise<void> {
    await this.#orStopped(this.#options.synced);
    this.#turn = this.#stop.signal.aborted ? undefined : await this.#takeTurn();
    if (this.#turn) this.#work = await this.#beginPatiently(this.#turn);
  }

  async #takeTurn(): Promise<Turn | undefined> {
    const { lock, election, store, log } = this.#options;
    if (!election) return lock && { lock, store, isLeading: () => true };
    const { leadership, fencedStore } = election.seekLeadership();
    this.#leadership = leadership;
    if (this.#address !== undefined) leadership.advertise(this.#address);
    void leadership.lost.then((why) => this.#lose(`this replica does not lead any more: ${why}`));
    const epoch = await this.#orStopped(leadership.leading);
    if (epoch === undefined) return undefined;
    log.info('this replica leads', { epoch });
    const own = await this.#lockPatiently(election.data);
    if (this.#url !== '') own.announce(this.#url);
    leadership.fence();
    return { lock: own, store: fencedStore, isLeading: () => leadership.isLeading() };
  }

  async #beginPatiently(turn: Turn): Promise<Work | undefined> {
    const { begin, log } = this.#options;
    let told = '';
    while (!this.#stop.signal.aborted) {
      try {
        return await begin(turn);
      } catch (error) {
        if (!isOfTheServer(error)) throw error;
        this.#obstacle = error.message;
        if (told !== error.message) log.warn('cannot begin to work', { because: error.message });
        told = error.message;
        await this.#orStopped(sleep(beginAgainMs, undefined, { ref: false }));
      }
    }
    return undefined;
  }

  async #lockPatiently(data: string): Promise<Lock> {
    const deadline = performance.now() + lockPatienceMs;
    for (;;) {
      try {
        return lockDataDirectory(data);
      } catch (error) {
        if (performance.now() > deadline || this.#stop.signal.aborted) throw error;
        await sleep(lockAgainMs);
      }
    }
  }

  /** Undefined when this shift is over first. */
  async #orStopped<T>(promise: Promise<T>): Promise<T | undefined> {
    const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
    const stop = () => resolve(undefined);
    if (this.#stop.signal.aborted) return undefined;
    this.#stop.signal.addEventListener('abort', stop);
    try {
      return await Promise.race([promise, stopped]);
    } finally {
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }
}

/** The API server is away, or doesn't let this process do what it has to: that passes. */
function isOfTheServer(error: unknown): error is StoreError {
  return error instanceof StoreError && ['Unavailable', 'Forbidden'].includes(error.reason);
}
