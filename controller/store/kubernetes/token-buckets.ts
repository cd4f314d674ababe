/** As client-go's spam filter: 25 events at once, then one every five minutes. */
const burst = 25;
const refillMs = 5 * 60_000;
const mostBuckets = 4096;

/** How often something may be told, by key. Those used least are forgotten first. */
export class TokenBuckets {
  readonly #now: () => Date;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether there is a token left; takes it. */
  take(key: string): boolean {
    const now = this.#now().getTime();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: burst, at: now };
    const gained = Math.max(0, now - at) / refillMs; // a clock that was put back gains nothing
    const left = Math.min(burst, tokens + gained);
    const isGranted = left >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: isGranted ? left - 1 : left, at: now });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > mostBuckets && oldest !== undefined) this.#buckets.delete(oldest);
    return isGranted;
  }
}
