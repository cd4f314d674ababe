import { setTimeout as sleep } from 'node:timers/promises';
import { annotations, keyOf, type ObjectKey } from '../../crds/object.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';

export type WakeStore = Pick<StoreReader, 'get'> & Pick<StoreWriter, 'update'>;

/** However many calls come. Milliseconds. */
const leastMs = 1000;
const mostAttempts = 10;
const againMs = 50;
const manager = 'cairn-webhook';

/**
 * Notes on Sources that their repositories have news: at once, and then once a second at most. Whichever
 * replica is called writes it, and the one that works sees it.
 */
export class Wakes {
  readonly #store: WakeStore;
  readonly #now: () => Date;
  /** When each was last noted, by the time that passes; and the next time, which all who come before it share. */
  readonly #last = new Map<string, number>();
  readonly #next = new Map<string, Promise<void>>();

  constructor(store: WakeStore, now: () => Date) {
    this.#store = store;
    this.#now = now;
  }

  /** Resolves when it is durable. Throws `StoreError`. */
  wake(key: ObjectKey): Promise<void> {
    const id = keyOf(key);
    const known = this.#next.get(id);
    if (known) return known;
    const waitMs = (this.#last.get(id) ?? -Infinity) + leastMs - performance.now();
    const next = waitMs > 0 ? sleep(waitMs).then(() => this.#note(key)) : this.#note(key);
    if (waitMs > 0) this.#next.set(id, next);
    return next;
  }

  async #note(key: ObjectKey): Promise<void> {
    const id = keyOf(key);
    this.#next.delete(id); // who comes from now on may know of something newer
    const at = performance.now();
    this.#last.set(id, at);
    setTimeout(() => {
      if (this.#last.get(id) === at) this.#last.delete(id);
    }, leastMs).unref();
    for (let attempt = 1; !(await this.#try(key, attempt)); attempt += 1) await sleep(againMs);
  }

  /** False when somebody else has written the object meanwhile. */
  async #try(key: ObjectKey, attempt: number): Promise<boolean> {
    const object = await this.#store.get(key);
    if (!object) return true; // nobody is interested any more
    const given = object.metadata.annotations ?? {};
    const pushed = this.#now().toISOString();
    const metadata = {
      ...object.metadata,
      annotations: { ...given, [annotations.pushed]: pushed },
    };
    try {
      await this.#store.update({ ...object, metadata }, { manager });
      return true;
    } catch (error) {
      const isConflict = error instanceof StoreError && error.reason === 'Conflict';
      if (isConflict && attempt < mostAttempts) return false;
      throw error;
    }
  }
}
