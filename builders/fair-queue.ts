/** Who waits, and since when: the smaller, the longer. */
export interface Waiting {
  readonly key: string;
  readonly since: number;
}

/**
 * Who is next: of the keys with the fewest running, the one that was served longest ago, and of its own the first that came.
 * So a key that asks for a hundred gets one turn in two as soon as another one asks.
 *
 * @param running how many of each key run
 * @param servedAt when each key was last given a turn, by the same clock as `since`
 */
export function nextInTurn<T extends Waiting>(
  waiting: readonly T[],
  running: ReadonlyMap<string, number>,
  servedAt: ReadonlyMap<string, number>,
): T | undefined {
  const rank = ({ key, since }: T) => [running.get(key) ?? 0, servedAt.get(key) ?? -1, since];
  return waiting.toSorted((a, b) => compare(rank(a), rank(b)))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

interface Waiter extends Waiting {
  readonly start: () => void;
}

/** At most so many at once, fairly between keys (`nextInTurn`). */
export class FairQueue {
  readonly #limit: number;
  readonly #running = new Map<string, number>();
  readonly #servedAt = new Map<string, number>();
  #waiting: readonly Waiter[] = [];
  #clock = 0;

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`a limit of ${limit}`);
    this.#limit = limit;
  }

  /** How many run, and how many wait. */
  get size(): { readonly running: number; readonly waiting: number } {
    const running = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    return { running, waiting: this.#waiting.length };
  }

  /** Waits for a turn; gives what ends it, which may be called more than once. Throws the signal's reason. */
  async acquire(key: string, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const give = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        key,
        since: this.#clock++,
        start: () => {
          signal?.removeEventListener('abort', give);
          resolve();
        },
      };
      signal?.addEventListener('abort', give, { once: true });
      this.#waiting = [...this.#waiting, waiter];
      this.#fill();
    });
    return this.#once(key);
  }

  /** Takes a turn at once, even beyond the limit: for what runs already. */
  occupy(key: string): () => void {
    this.#add(key, 1);
    return this.#once(key);
  }

  #fill(): void {
    while (this.size.running < this.#limit) {
      const next = nextInTurn(this.#waiting, this.#running, this.#servedAt);
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#add(next.key, 1);
      next.start();
    }
    // who neither runs nor waits has no turn to remember
    const known = new Set([...this.#running.keys(), ...this.#waiting.map(({ key }) => key)]);
    for (const key of this.#servedAt.keys()) if (!known.has(key)) this.#servedAt.delete(key);
  }

  #once(key: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#add(key, -1);
      this.#fill();
    };
  }

  #add(key: string, change: number): void {
    if (change > 0) this.#servedAt.set(key, this.#clock++);
    const count = (this.#running.get(key) ?? 0) + change;
    if (count > 0) this.#running.set(key, count);
    else this.#running.delete(key);
  }
}
