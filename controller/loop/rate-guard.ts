/** A token bucket; times are in milliseconds. */
interface Bucket {
  readonly left: number;
  readonly at: number;
  readonly toldAt: number;
}

const burst = 60;
const refillMs = 1000;
/** So many runs may follow from one change: of work that begins, that ends, and that is told. */
const paid = 5;
const tellEveryMs = 10 * 60_000;

/**
 * Brakes hot loops: an object may be run in a burst of 60, and then once a second, unless a person
 * changes it or what it depends on. Two objects that keep waking one another then cost little, and are told about.
 */
export class RateGuard {
  readonly #buckets = new Map<string, Bucket>();

  /** Notes a run. True when it is one too many, and this has not been said for a while. */
  ran(key: string, now: number): boolean {
    const left = Math.max(this.#left(key, now) - 1, 0);
    const toldAt = this.#buckets.get(key)?.toldAt ?? -Infinity;
    const isNews = left < 1 && now - toldAt > tellEveryMs;
    this.#buckets.set(key, { left, at: now, toldAt: isNews ? now : toldAt });
    return isNews;
  }

  /** How long a run that no person asked for has to wait; 0 as long as there were not too many. */
  waitMs(key: string, now: number): number {
    const left = this.#left(key, now);
    return left >= 1 ? 0 : (1 - left) * refillMs;
  }

  /** Somebody has declared something: what follows from that is no hot loop. */
  pay(key: string, now: number): void {
    const bucket = this.#buckets.get(key);
    if (!bucket) return;
    const left = Math.min(this.#left(key, now) + paid, burst);
    this.#buckets.set(key, { ...bucket, left, at: now });
  }

  forget(key: string): void {
    this.#buckets.delete(key);
  }

  #left(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    return bucket ? Math.min(bucket.left + (now - bucket.at) / refillMs, burst) : burst;
  }
}
