import { hash } from 'node:crypto';
import { asCairnError, type CairnError } from '../../crds/reasons.ts';
import { listRefs, type Refs, type Remote } from './refs.ts';

/** What a repository said when it was asked last. */
export type Seen = { readonly at: number } & (
  { readonly refs: Refs } | { readonly failure: CairnError }
);

interface Entry {
  seen: Seen | undefined;
  running: boolean;
  usedAt: number;
  readonly waiting: Set<() => void>;
}

const forgetAfterMs = 3_600_000;
/** At a time, over all repositories. */
const mostAtOnce = 8;

/**
 * Asks git repositories for their refs in the background: once for all that want to know the same at
 * about the same time.
 */
export class RefWatch {
  readonly #folder: string;
  readonly #closing = new AbortController();
  readonly #entries = new Map<string, Entry>();
  readonly #line: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();

  /** The folder is private to it, and holds nothing for long. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * What is known of a repository, if that is not older than `maxAgeMs`; else undefined, and `poke` is
   * called when it has been asked. Times are those of `now`, in milliseconds.
   */
  look(
    remote: Remote,
    { maxAgeMs, now, poke }: { maxAgeMs: number; now: number; poke: () => void },
  ): Seen | undefined {
    this.#forget(now);
    const key = hash('sha256', JSON.stringify([remote.url, remote.secret]));
    const entry = this.#entries.get(key) ?? {
      ...{ seen: undefined, running: false, usedAt: now, waiting: new Set<() => void>() },
    };
    this.#entries.set(key, entry);
    entry.usedAt = now;
    if (entry.seen && now - entry.seen.at < maxAgeMs) return entry.seen;
    entry.waiting.add(poke);
    if (!entry.running) {
      entry.running = true;
      this.#line.push(() => this.#ask(entry, remote, now));
      this.#next();
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('Cairn ends'));
    this.#line.length = 0;
    await Promise.all(this.#running);
  }

  #next(): void {
    while (this.#running.size < mostAtOnce) {
      const work = this.#line.shift();
      if (!work) return;
      const running = work().finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
  }

  async #ask(entry: Entry, remote: Remote, at: number): Promise<void> {
    const { signal } = this.#closing;
    try {
      entry.seen = { at, refs: await listRefs(remote, { folder: this.#folder, signal }) };
    } catch (error) {
      entry.seen = { at, failure: asCairnError(error) };
    }
    entry.running = false;
    const waiting = [...entry.waiting];
    entry.waiting.clear();
    if (!signal.aborted) for (const poke of waiting) poke();
  }

  #forget(now: number): void {
    for (const [key, { usedAt, running }] of this.#entries) {
      if (!running && now - usedAt > forgetAfterMs) this.#entries.delete(key);
    }
  }
}
