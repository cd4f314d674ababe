import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KubeObject } from '../../crds/object.ts';
import type { WatchEvent } from '../../crds/store.ts';
import { numberOf, textOf } from './database.ts';

export type ObjectChange = Extract<WatchEvent, { object: KubeObject }>;

/** One change, numbered by the resourceVersion that it made. */
export interface Change {
  readonly version: number;
  readonly type: ObjectChange['type'];
  /** JSON of the object. */
  readonly body: string;
}

export interface HistoryLimits {
  readonly changes: number;
  readonly bytes: number;
}

/** Enough to resume any watch of the last hours, in a file that stays small. */
export const defaultHistory: HistoryLimits = { changes: 10_000, bytes: 64 * 1024 * 1024 };

/** Trimming reads the whole history's sizes, so it happens only every so many changes. */
const trimEvery = 100;

/**
 * The newest changes of all objects, in the order of their resourceVersions, which have no gaps.
 * The very last one is never dropped: it holds the counter.
 */
export class ChangeLog {
  readonly #limits: HistoryLimits;
  readonly #latest: StatementSync;
  readonly #append: StatementSync;
  readonly #after: StatementSync;
  readonly #forgotten: StatementSync;
  readonly #cut: StatementSync;
  readonly #forget: StatementSync;
  readonly #drop: StatementSync;

  constructor(db: DatabaseSync, limits: HistoryLimits = defaultHistory) {
    this.#limits = limits;
    this.#latest = db.prepare('SELECT max(version) AS version FROM changes');
    this.#append = db.prepare(
      'INSERT INTO changes (version, kind, type, bytes, body) VALUES (?, ?, ?, ?, ?)',
    );
    this.#after = db.prepare(
      `SELECT version, type, body FROM changes WHERE kind = ? AND version > ?
       ORDER BY version LIMIT ?`,
    );
    this.#forgotten = db.prepare('SELECT version FROM forgotten WHERE kind = ?');
    this.#cut = db.prepare(
      `SELECT max(version) AS version FROM (
         SELECT version, sum(bytes) OVER (ORDER BY version DESC) AS total,
           row_number() OVER (ORDER BY version DESC) AS position FROM changes
       ) WHERE position > 1 AND (position > ? OR total > ?)`,
    );
    this.#forget = db.prepare(
      `INSERT INTO forgotten (kind, version)
         SELECT kind, max(version) FROM changes WHERE version <= ? GROUP BY kind
       ON CONFLICT DO UPDATE SET version = excluded.version`,
    );
    this.#drop = db.prepare('DELETE FROM changes WHERE version <= ?');
  }

  /** The newest resourceVersion; 0 in an empty store. */
  latest(): number {
    return numberOf(this.#latest.get()?.['version']);
  }

  /** Adds the change that made the resourceVersion `latest() + 1`. */
  append(version: number, kind: string, type: Change['type'], body: string): void {
    this.#append.run(version, kind, type, Buffer.byteLength(body), body);
    if (version % trimEvery === 0) this.#trim();
  }

  /** The first changes of a kind after a version. */
  after(kind: string, version: number, limit: number): Change[] {
    return this.#after.all(kind, version, limit).map((row) => ({
      version: numberOf(row['version']),
      type: textOf(row['type']) as Change['type'], // written by `append`
      body: textOf(row['body']),
    }));
  }

  /** Whether changes of a kind after a version are known no more, or the version is none of ours. */
  isExpired(kind: string, version: number): boolean {
    return version > this.latest() || version < numberOf(this.#forgotten.get(kind)?.['version']);
  }

  #trim(): void {
    const cut = numberOf(this.#cut.get(this.#limits.changes, this.#limits.bytes)?.['version']);
    if (cut === 0) return;
    this.#forget.run(cut);
    this.#drop.run(cut);
  }
}
