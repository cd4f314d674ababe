/** 0: a person changed it. 1: something it depends on changed. 2: a look from time to time. */
export type Priority = 0 | 1 | 2;

interface Waiting {
  readonly key: string;
  readonly priority: Priority;
  readonly since: number;
}

const priorities: readonly Priority[] = [0, 1, 2];
/** What waits longer takes turns with what is more urgent. */
const agedMs = 30_000;

/**
 * The order of those who wait: by priority, then by arrival. What has waited for 30 s goes next
 * whatever its priority, but only every second time while something more urgent waits: neither a
 * steady stream of edits nor a resync of thousands starves the other.
 */
export class WaitingLine {
  readonly #lines: Readonly<Record<Priority, Map<string, Waiting>>> = {
    0: new Map(),
    1: new Map(),
    2: new Map(),
  };
  #lastWasAged = false;

  get size(): number {
    return this.#lines[0].size + this.#lines[1].size + this.#lines[2].size;
  }

  /** False when the key waited already; it may have become more urgent. */
  add(key: string, priority: Priority, now: number): boolean {
    const at = priorities.find((line) => this.#lines[line].has(key));
    if (at !== undefined && at <= priority) return false;
    const since = at === undefined ? now : (this.#lines[at].get(key)?.since ?? now);
    this.remove(key);
    this.#lines[priority].set(key, { key, priority, since });
    return at === undefined;
  }

  take(now: number): Waiting | undefined {
    const heads = priorities.flatMap((line) => this.#lines[line].values().next().value ?? []);
    const [first] = heads;
    const oldest = heads.toSorted((one, other) => one.since - other.since)[0];
    const isAgedTurn = oldest !== undefined && now - oldest.since > agedMs && !this.#lastWasAged;
    const next = isAgedTurn ? oldest : first;
    this.#lastWasAged = next !== undefined && next !== first;
    if (next) this.remove(next.key);
    return next;
  }

  remove(key: string): void {
    for (const line of priorities) this.#lines[line].delete(key);
  }

  clear(): void {
    for (const line of priorities) this.#lines[line].clear();
  }

  depth(): Record<Priority, number> {
    return { 0: this.#lines[0].size, 1: this.#lines[1].size, 2: this.#lines[2].size };
  }

  oldestWaitMs(now: number): number {
    const since = priorities.flatMap(
      (line) => this.#lines[line].values().next().value?.since ?? [],
    );
    return since.length === 0 ? 0 : now - Math.min(...since);
  }
}
