import type { KubeObject } from '../../crds/object.ts';
import { StoreError } from '../../crds/store.ts';
import type { Change, ObjectChange } from './change-log.ts';

/** Changes read at once for a watcher; the rest stays in the file until they are taken. */
const batchSize = 64;

/** What a watcher reads from: the changes of each kind, by the version that each of them made. */
export interface Changes {
  /** The first changes of a kind after a version; all of the last version's. */
  after(kind: string, version: number, limit: number): readonly Change[];
  /** Whether changes of a kind after a version are not known any more. */
  isExpired(kind: string, version: number): boolean;
}

/**
 * Watches as cursors into the change log: a watcher holds a number, never a backlog, so a slow one
 * costs nothing and is told `Expired` once the log has moved past it.
 */
export class Watchers {
  readonly #changes: Changes;
  readonly #asleep = new Map<string, Set<() => void>>();
  #closed = false;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  /** See `StoreWatcher.watch`. */
  async *watch(kind: string, from: number, signal: AbortSignal): AsyncGenerator<ObjectChange> {
    let cursor = from;
    while (!signal.aborted && !this.#closed) {
      if (this.#changes.isExpired(kind, cursor)) {
        throw new StoreError(
          'Expired',
          `changes of ${kind} after ${cursor} are not known any more`,
        );
      }
      const batch = this.#changes.after(kind, cursor, batchSize);
      if (batch.length === 0) await this.#sleep(kind, signal);
      for (const { version, type, body } of batch) {
        if (signal.aborted) return;
        cursor = version;
        yield { type, object: JSON.parse(body) as KubeObject }; // the text that the store wrote
      }
    }
  }

  /** Tells the watchers of a kind that there is news. Call it after the commit. */
  wake(kind: string): void {
    for (const wakeOne of this.#asleep.get(kind) ?? []) wakeOne();
  }

  /** Ends all watches. */
  close(): void {
    this.#closed = true;
    for (const kind of this.#asleep.keys()) this.wake(kind);
  }

  /** Until the next `wake` of the kind, `close`, or the abort. */
  #sleep(kind: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleepers = this.#asleep.get(kind) ?? new Set();
    this.#asleep.set(kind, sleepers);
    sleepers.add(wakeUp);
    signal.addEventListener('abort', wakeUp);
    return promise;

    function wakeUp(): void {
      sleepers.delete(wakeUp);
      signal.removeEventListener('abort', wakeUp);
      resolve();
    }
  }
}
