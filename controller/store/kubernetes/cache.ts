import { StoreError } from '../../../crds/store.ts';
import type { Change, HistoryLimits } from '../change-log.ts';
import type { Entry } from './entry.ts';
import { History } from './history.ts';

/** Answers are late by seconds; so many objects are not deleted in them. */
const mostGone = 4096;

/**
 * All objects of one kind, as a reflector tells them and as this process has written them. What was
 * written here is never seen older again (read your writes), though its event comes later.
 */
export class Cache {
  readonly #limits: HistoryLimits | undefined;
  #entries = new Map<string, Entry>();
  /** Uids that were deleted here, until the server tells of it. */
  readonly #deleted = new Set<string>();
  /** Uids that the server has told the end of lately: answers that come after it are old news. */
  readonly #gone = new Set<string>();
  /** The newest version that was written here. */
  #written = 0;
  #history: History | undefined;
  readonly #waiting = new Set<() => void>();
  readonly #changed: () => void;

  /** `changed` is called after each change of the history. */
  constructor(changed: () => void, limits?: HistoryLimits) {
    this.#changed = changed;
    this.#limits = limits;
  }

  get isSynced(): boolean {
    return this.#history !== undefined;
  }

  /** What the reflector has told everything up to; 0 before the first list. */
  get newest(): number {
    return this.#history?.newest ?? 0;
  }

  /** The newest version that is known, written ones included. */
  get known(): number {
    return Math.max(this.newest, this.#written);
  }

  get(namespace: string, name: string): Entry | undefined {
    return this.#entries.get(`${namespace}/${name}`);
  }

  /** In no order. */
  all(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** This process has written an object, or has just read it from the server itself. */
  wrote(entry: Entry): void {
    if (this.#deleted.has(entry.uid) || this.#gone.has(entry.uid)) return;
    const known = this.#entries.get(keyOf(entry));
    if (known && known.uid === entry.uid && known.version >= entry.version) return;
    this.#entries.set(keyOf(entry), entry);
    this.#written = Math.max(this.#written, entry.version);
  }

  /** This process has deleted an object, or was told that it is not there. */
  deleted({ namespace, name, uid }: Pick<Entry, 'namespace' | 'name' | 'uid'>): void {
    const key = `${namespace}/${name}`;
    if (this.#entries.get(key)?.uid !== uid) return;
    this.#entries.delete(key);
    this.#deleted.add(uid);
  }

  /** A whole list. What was written here since it was made stays. Watches of before go on or expire. */
  replace(entries: readonly Entry[], version: number): void {
    const next = new Map(entries.map((entry) => [keyOf(entry), entry]));
    const isSame = this.#history !== undefined && version >= this.newest && this.#isSame(next);
    for (const uid of this.#deleted) {
      const left = entries.find((entry) => entry.uid === uid);
      if (left) next.delete(keyOf(left));
      else this.#deleted.delete(uid);
    }
    const isRestored = this.#history !== undefined && version < this.newest;
    if (isRestored) this.#written = 0; // a server that was put back to an older state
    for (const [key, entry] of this.#entries) {
      const listed = next.get(key);
      const isAhead = !isRestored && entry.version > version && this.#written >= entry.version;
      if (isAhead && entry.version > (listed?.version ?? 0)) next.set(key, entry);
    }
    this.#entries = next;
    if (isSame) this.#history?.advance(version);
    else this.#history = new History(version, this.#limits);
    this.#tell();
  }

  /** One change, as the server tells it. */
  apply(type: Change['type'], entry: Entry): void {
    const key = keyOf(entry);
    const known = this.#entries.get(key);
    const isAhead = known !== undefined && known.version > entry.version;
    const isKnown = known?.version === entry.version && known.uid === entry.uid;
    if (type === 'deleted') {
      this.#deleted.delete(entry.uid);
      this.#remember(entry.uid);
      if (!isAhead || known.uid === entry.uid) this.#entries.delete(key);
    } else if (!isAhead && !isKnown && !this.#deleted.has(entry.uid)) {
      this.#entries.set(key, entry);
    }
    this.#history?.append(type, isKnown ? known : entry); // one text is enough
    this.#tell();
  }

  /** The server has nothing more to tell up to this version. */
  bookmark(version: number): void {
    this.#history?.advance(version);
    this.#tell();
  }

  isExpired(version: number): boolean {
    return this.#history?.isExpired(version) ?? true;
  }

  after(version: number, limit: number): readonly Change[] {
    return this.#history?.after(version, limit) ?? [];
  }

  /** Whether the server has told of all that was written here. */
  isCaughtUp(): boolean {
    return this.newest >= this.#written && this.#deleted.size === 0;
  }

  /** Resolves with the next thing that the server tells, or after so long. */
  async next(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }

  #remember(uid: string): void {
    this.#gone.add(uid);
    const [oldest] = this.#gone;
    if (this.#gone.size > mostGone && oldest !== undefined) this.#gone.delete(oldest);
  }

  #isSame(next: ReadonlyMap<string, Entry>): boolean {
    if (next.size !== this.#entries.size) return false;
    for (const [key, { version, uid }] of next) {
      const known = this.#entries.get(key);
      if (known?.version !== version || known.uid !== uid || version > this.newest) return false;
    }
    return true;
  }

  #tell(): void {
    for (const wake of this.#waiting) wake();
    this.#changed();
  }
}

/** Thrown while there is no list yet. */
export function unsynced(kind: string, because: string): StoreError {
  return new StoreError('Unavailable', `${kind} objects are not read yet: ${because}`);
}

function keyOf({ namespace, name }: Pick<Entry, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
