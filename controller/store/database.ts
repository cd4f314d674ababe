import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

/** Raised when the tables change; an older Cairn then refuses the file instead of spoiling it. */
const schemaVersion = 4;
/** `CAIR`: tells a store from any other SQLite file (`PRAGMA application_id`). */
const applicationId = 0x43_41_49_52;
const busyTimeoutMs = 2000;

/** Of each object, its labels as `key=value`. */
export const labelTable = `
  CREATE TABLE labels (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name, label)
  ) WITHOUT ROWID;
  CREATE INDEX labels_by_label ON labels (kind, label, namespace, name);
`;

const schema = `
  CREATE TABLE objects (
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name)
  );
  CREATE TABLE owners (
    owner TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (kind, namespace, name, owner)
  ) WITHOUT ROWID;
  CREATE INDEX owners_by_owner ON owners (owner);
  ${labelTable}
  CREATE TABLE changes (
    version INTEGER PRIMARY KEY, kind TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX changes_by_kind ON changes (kind, version);
  CREATE TABLE forgotten (kind TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    type TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
    count INTEGER NOT NULL, firstAt TEXT NOT NULL, lastAt TEXT NOT NULL,
    UNIQUE (kind, namespace, name, type, reason, message)
  );
  CREATE INDEX events_by_age ON events (lastAt);
  CREATE TABLE inventory (
    source TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    uid TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (source, kind, namespace, name)
  ) WITHOUT ROWID;
`;

/** Makes the tables of today from those of an older version. */
export type Upgrade = (db: DatabaseSync, version: number) => void;

/**
 * Opens the SQLite file of a store, making it when it isn't there. Every commit is on disk before
 * it returns (WAL, `synchronous=FULL`). `upgrade` makes the tables of today from those of an older version.
 * Throws an Error for people when the file is damaged, is
 * something else, or was written by a newer Cairn.
 */
export function openDatabase(file: string, upgrade: Upgrade): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: busyTimeoutMs });
    refuseForeign(db);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    migrate(db, upgrade);
    return db;
  } catch (error) {
    if (db?.isOpen) db.close();
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use the store ${file}: ${message}`, { cause: error });
  }
}

/** Runs `work` in one transaction: all of its writes are kept, or none. */
export function transaction<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** What `work` would yield: all of its writes are taken back. */
export function rehearsal<Result>(db: DatabaseSync, work: () => Result): Result {
  db.exec('BEGIN IMMEDIATE');
  try {
    return work();
  } finally {
    if (db.isTransaction) db.exec('ROLLBACK');
  }
}

/** A column that the schema declares as TEXT NOT NULL. */
export function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError('expected text in the store');
  return value;
}

/** A column that the schema declares as INTEGER; 0 for the NULL of an empty aggregate. */
export function numberOf(value: SQLOutputValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function refuseForeign(db: DatabaseSync): void {
  const isEmpty =
    numberOf(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n']) === 0;
  if (isEmpty) return;
  if (pragma(db, 'application_id') !== applicationId) {
    throw new Error('it is a database of another program');
  }
  const found = pragma(db, 'user_version');
  if (found > schemaVersion) {
    throw new Error(
      `a newer Cairn wrote it (schema ${found}, this one knows up to ${schemaVersion}); ` +
        'run that version, or restore a backup',
    );
  }
  const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (check !== 'ok') throw new Error(`it is damaged, restore a backup: ${String(check)}`);
}

function migrate(db: DatabaseSync, upgrade: Upgrade): void {
  const found = pragma(db, 'user_version');
  if (found === schemaVersion) return;
  transaction(db, () => {
    if (found === 0) db.exec(schema);
    else upgrade(db, found);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion};`);
  });
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return numberOf(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
