import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ObjectKey } from '../../crds/object.ts';
import type { ObjectEvent, RecordedEvent } from '../../crds/store.ts';
import { numberOf, textOf } from './database.ts';

const keptPerObject = 50;
const keptInAll = 5000;
const keptForMs = 7 * 24 * 3600 * 1000;
/** As long as the `note` of a Kubernetes event. */
const maxMessage = 1024;

/**
 * What happened to objects. The same thing again raises its count. Events outlive their object,
 * and go when they are a week old or crowded out by newer ones.
 */
export class EventTable {
  readonly #record: StatementSync;
  readonly #list: StatementSync;
  readonly #all: StatementSync;
  readonly #allIn: StatementSync;
  readonly #trimObject: StatementSync;
  readonly #trimOld: StatementSync;
  readonly #trimAll: StatementSync;

  constructor(db: DatabaseSync) {
    const one = 'kind = ? AND namespace = ? AND name = ?';
    this.#record = db.prepare(
      `INSERT INTO events (kind, namespace, name, type, reason, message, count, firstAt, lastAt)
         VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + 1, lastAt = max(lastAt, excluded.lastAt)`,
    );
    this.#list = db.prepare(`SELECT * FROM events WHERE ${one} ORDER BY lastAt, id`);
    this.#all = db.prepare('SELECT * FROM events ORDER BY lastAt, id');
    this.#allIn = db.prepare('SELECT * FROM events WHERE namespace = ? ORDER BY lastAt, id');
    this.#trimObject = db.prepare(
      `DELETE FROM events WHERE id IN (
         SELECT id FROM events WHERE ${one} ORDER BY lastAt DESC, id DESC LIMIT -1 OFFSET ?)`,
    );
    this.#trimOld = db.prepare('DELETE FROM events WHERE lastAt < ?');
    this.#trimAll = db.prepare(
      `DELETE FROM events WHERE id IN (
         SELECT id FROM events ORDER BY lastAt DESC, id DESC LIMIT -1 OFFSET ?)`,
    );
  }

  record({ regarding, type, reason, message }: ObjectEvent, now: Date): void {
    const { kind, namespace, name } = regarding;
    const at = now.toISOString();
    const note = message.slice(0, maxMessage);
    this.#record.run(kind, namespace, name, type, reason, note, at, at);
    this.#trimObject.run(kind, namespace, name, keptPerObject);
    this.#trimOld.run(new Date(now.getTime() - keptForMs).toISOString());
    this.#trimAll.run(keptInAll);
  }

  /** Oldest first, by when they last happened. */
  of({ kind, namespace, name }: ObjectKey): RecordedEvent[] {
    return this.#list.all(kind, namespace, name).map(eventOf);
  }

  /** The same of all objects, or of those in one namespace. */
  all(namespace?: string): RecordedEvent[] {
    const rows = namespace === undefined ? this.#all.all() : this.#allIn.all(namespace);
    return rows.map(eventOf);
  }
}

function eventOf(row: Readonly<Record<string, SQLOutputValue>>): RecordedEvent {
  return {
    regarding: {
      kind: textOf(row['kind']),
      namespace: textOf(row['namespace']),
      name: textOf(row['name']),
    },
    type: textOf(row['type']) === 'Warning' ? 'Warning' : 'Normal',
    reason: textOf(row['reason']),
    message: textOf(row['message']),
    count: numberOf(row['count']),
    firstAt: textOf(row['firstAt']),
    lastAt: textOf(row['lastAt']),
  };
}
