import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { asCairnError, type CairnError } from '../../crds/reasons.ts';
import { HostSlots } from '../fetch/slots.ts';
import { hostOf } from './host.ts';
import { HttpRefs } from './http-refs.ts';
import { listRefs, type Refs, type Remote } from './refs.ts';

/** What a repository said when it was asked last. */
export type Seen = { readonly at: number } & (
  { readonly refs: Refs } | { readonly failure: CairnError }
);

export interface Question {
  /** Whose it is: one of its questions counts at a time. */
  readonly who: string;
  /** What was seen longer ago is not enough. */
  readonly maxAgeMs: number;
  /** Nor is what was seen before this. */
  readonly since?: number | undefined;
  readonly now: number;
  /** Wants to know any answer, not only one that differs from the last. */
  readonly isOpen: boolean;
  /** Called when there is such an answer. */
  readonly poke: () => void;
}

interface Entry {
  seen: Seen | undefined;
  /** It is being asked, or will be soon. */
  isAsking: boolean;
  usedAt: number;
  /** Who waits for the answer, whatever it is. */
  readonly waiting: Map<string, () => void>;
  /** All who have ever asked: news is for each of them. */
  readonly followers: Map<string, () => void>;
}

const forgetAfterMs = 24 * 3_600_000;
/** At a time, of one host: one that hangs holds up its own repositories alone. */
const mostOfHost = 8;
/** At a time, of all hosts, where it takes a process. */
const mostProcesses = 32;
/** However often people and git hosts want it, no repository is asked more often. */
const leastMs = 1000;

/**
 * Asks git repositories for their refs in the background: once for all that want to know the same at
 * about the same time.
 */
export class RefWatch {
  readonly #folder: string;
  readonly #closing = new AbortController();
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  readonly #hosts = new HostSlots();
  readonly #processes = new HostSlots();
  readonly #http = new HttpRefs();

  /** The folder is private to it, and holds nothing for long: what one that was killed has left goes. */
  constructor(folder: string) {
    rmSync(folder, { recursive: true, force: true });
    this.#folder = folder;
  }

  /**
   * What the repository said last. Where that is older than `maxAgeMs`, or from before `since`, it is asked,
   * and `poke` is called when there is news. Times are those of `now`, in milliseconds.
   */
  look(
    remote: Remote,
    { who, maxAgeMs, since = 0, now, isOpen, poke }: Question,
  ): Seen | undefined {
    this.#forget(now);
    const key = hash('sha256', JSON.stringify([remote.url, remote.secret]));
    const entry = this.#entries.get(key) ?? newEntry(now);
    this.#entries.set(key, entry);
    entry.usedAt = now;
    entry.followers.set(who, poke);
    const { seen } = entry;
    const isOld = seen === undefined || now - seen.at >= maxAgeMs;
    if (isOld || seen.at < since) {
      // What can't be read is asked less and less often, by those who hear of each time.
      const isEach = isOpen || seen === undefined || 'failure' in seen || seen.at < since;
      if (isEach) entry.waiting.set(who, poke);
      this.#askSoon(entry, remote, now);
    }
    return seen;
  }

  /** Somebody has gone, and wants to hear no more. */
  leave(who: string): void {
    for (const { waiting, followers } of this.#entries.values()) {
      waiting.delete(who);
      followers.delete(who);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('Cairn ends'));
    await Promise.all(this.#running);
    await this.#http.close();
  }

  #askSoon(entry: Entry, remote: Remote, now: number): void {
    if (entry.isAsking) return;
    entry.isAsking = true;
    const waitMs = entry.seen ? Math.max(entry.seen.at + leastMs - now, 0) : 0;
    const start = () => {
      if (this.#closing.signal.aborted) return;
      const running = this.#ask(entry, remote, now + waitMs).finally(() =>
        this.#running.delete(running),
      );
      this.#running.add(running);
    };
    if (waitMs === 0) start();
    else setTimeout(start, waitMs + 1).unref(); // timers may be early by one
  }

  async #ask(entry: Entry, remote: Remote, at: number): Promise<void> {
    const { signal } = this.#closing;
    const before = entry.seen;
    entry.seen = await this.#listed(remote).then(
      (refs) => ({ at, refs }),
      (error: unknown) => ({ at, failure: asCairnError(error) }),
    );
    entry.isAsking = false;
    if (signal.aborted) return;
    const told = new Map([
      ...(isNews(entry.seen, before) ? entry.followers : []),
      ...entry.waiting,
    ]);
    entry.waiting.clear();
    for (const poke of told.values()) poke();
  }

  #listed(remote: Remote): Promise<Refs> {
    const { signal } = this.#closing;
    const byGit = () => listRefs(remote, { folder: this.#folder, signal });
    return this.#hosts.use(
      hostOf(remote.url),
      mostOfHost,
      signal,
      async () =>
        (await this.#http.list(remote, signal)) ??
        this.#processes.use('', mostProcesses, signal, byGit),
    );
  }

  #forget(now: number): void {
    for (const [key, { usedAt, isAsking }] of this.#entries) {
      if (!isAsking && now - usedAt > forgetAfterMs) this.#entries.delete(key);
    }
  }
}

function newEntry(now: number): Entry {
  return {
    ...{ seen: undefined, isAsking: false, usedAt: now },
    ...{ waiting: new Map<string, () => void>(), followers: new Map<string, () => void>() },
  };
}

/** Whether refs have moved, come or gone, or can be read no more, or again. */
function isNews(seen: Seen, before: Seen | undefined): boolean {
  if (!before) return false; // all who are there wait for it
  if (!('refs' in seen) || !('refs' in before)) return 'refs' in seen || 'refs' in before;
  if (seen.refs.size !== before.refs.size) return true;
  for (const [ref, commit] of seen.refs) if (before.refs.get(ref) !== commit) return true;
  return false;
}
