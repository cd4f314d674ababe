import { setImmediate as immediate } from 'node:timers/promises';
import { keyOf, type KubeObject } from '../../crds/object.ts';
import { StoreError, type StoreReader, type StoreWatcher } from '../../crds/store.ts';
import type { Log } from '../log.ts';
import type { Clock } from './queue.ts';
import { seenOf, type Seen } from './seen.ts';

export interface InformerOptions {
  readonly kind: string;
  readonly store: StoreReader & StoreWatcher;
  readonly clock: Clock;
  readonly log: Log;
  /** An object has come or changed; `before` is what was known of it. Must not throw. */
  readonly changed: (after: Seen, before: Seen | undefined, isFirstList: boolean) => void;
  readonly gone: (last: Seen) => void;
}

const firstPauseMs = 800;
const longestPauseMs = 30_000;
/** So many objects of a list are taken in at once. */
const breath = 100;

/**
 * Follows all objects of one kind: lists, watches, and lists again when the store no longer knows
 * what came after. Survives every error; a change between a broken watch and the next is told.
 */
export class Informer {
  readonly known = new Map<string, Seen>();
  readonly synced: Promise<void>;
  readonly #options: InformerOptions;
  readonly #markSynced: () => void;
  #isSynced = false;
  #from: string | undefined;
  #failures = 0;
  #failingSince: number | undefined;

  constructor(options: InformerOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.#markSynced = resolve;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const start = this.#options.clock.now();
      try {
        await this.#follow(signal);
      } catch (error) {
        this.#note(error);
      }
      await this.#pause(start, signal);
    }
  }

  /** For how long the store could not be followed; 0 when all is well. */
  failingMs(): number {
    return this.#failingSince === undefined ? 0 : this.#options.clock.now() - this.#failingSince;
  }

  /** Whether everything that is in the store now has been told. */
  async isCaughtUp(): Promise<boolean> {
    const { items } = await this.#options.store.list(this.#options.kind);
    const isKnown = (object: KubeObject) =>
      this.known.get(keyOf(object))?.resourceVersion === object.metadata.resourceVersion;
    return this.#isSynced && items.length === this.known.size && items.every(isKnown);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { kind, store } = this.#options;
    if (this.#from === undefined) await this.#list();
    if (this.#from === undefined) return;
    for await (const event of store.watch(kind, { from: this.#from, signal })) {
      this.#recovered();
      if (event.type === 'bookmark') {
        this.#from = event.resourceVersion;
        continue;
      }
      this.#from = event.object.metadata.resourceVersion;
      if (event.type === 'deleted') this.#forget(keyOf(event.object));
      else this.#learn(event.object, false);
    }
  }

  async #list(): Promise<void> {
    const { objects, resourceVersion } = await this.#options.store.scan(this.#options.kind);
    const listed = new Set<string>();
    for (const object of objects) {
      listed.add(keyOf(object));
      this.#learn(object, !this.#isSynced);
      if (listed.size % breath === 0) await immediate(); // a person's edit, say, is waiting
    }
    for (const key of [...this.known.keys()]) if (!listed.has(key)) this.#forget(key);
    this.#from = resourceVersion;
    this.#isSynced = true;
    this.#markSynced();
    this.#recovered();
  }

  #learn(object: KubeObject, isFirstList: boolean): void {
    const key = keyOf(object);
    const before = this.known.get(key);
    const after = seenOf(object);
    if (before?.resourceVersion === after.resourceVersion) return;
    this.known.set(key, after);
    this.#options.changed(after, before, isFirstList);
  }

  #forget(key: string): void {
    const last = this.known.get(key);
    this.known.delete(key);
    if (last) this.#options.gone(last);
  }

  /** Whatever broke, the next thing is a list: it shows whether the store is there, and misses nothing. */
  #note(error: unknown): void {
    const { kind, log, clock } = this.#options;
    this.#from = undefined;
    if (error instanceof StoreError && error.reason === 'Expired') {
      log.debug('listing again', { kind, because: error.message });
      return;
    }
    this.#failingSince ??= clock.now();
    this.#failures += 1;
    log.warn('cannot follow the store', { kind, error });
  }

  #recovered(): void {
    this.#failures = 0;
    this.#failingSince = undefined;
  }

  /** Backs off from a store that fails, or that ends each watch at once; else goes on at once. */
  async #pause(start: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const isShort = clock.now() - start < firstPauseMs;
    if (signal.aborted || (this.#failures === 0 && !isShort)) return;
    const ms = Math.min(firstPauseMs * 2 ** Math.min(this.#failures, 10), longestPauseMs);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms, resolve);
    signal.addEventListener('abort', stop);
    await promise;
    signal.removeEventListener('abort', stop);

    function stop(): void {
      cancel();
      resolve();
    }
  }
}
