import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { keyOf, type ObjectKey } from '../../crds/object.ts';
import { textOf } from './database.ts';

/** The labels and annotations that one manager gave an object when it last applied it. */
export interface GivenKeys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

const nothing: GivenKeys = { labels: [], annotations: [] };

/** Who gave which label and annotation by `apply`: the part of managedFields that Cairn needs. */
export class ManagedKeys {
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;

  constructor(db: DatabaseSync) {
    const one = 'kind = ? AND namespace = ? AND name = ?';
    this.#all = db.prepare(`SELECT manager, labels, annotations FROM managed WHERE ${one}`);
    this.#put = db.prepare(
      `INSERT INTO managed (kind, namespace, name, manager, labels, annotations)
         VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET labels = excluded.labels, annotations = excluded.annotations`,
    );
    this.#remove = db.prepare(`DELETE FROM managed WHERE ${one}`);
  }

  /** What this manager gave, less what another manager gives as well. */
  solelyGiven(key: ObjectKey, manager: string): GivenKeys {
    const records = this.#of(key);
    const own = records.get(manager) ?? nothing;
    const others = [...records].filter(([name]) => name !== manager).map(([, given]) => given);
    return {
      labels: without(
        own.labels,
        others.flatMap(({ labels }) => labels),
      ),
      annotations: without(
        own.annotations,
        others.flatMap(({ annotations }) => annotations),
      ),
    };
  }

  record(key: ObjectKey, manager: string, { labels, annotations }: GivenKeys): void {
    const { kind, namespace, name } = key;
    this.#put.run(kind, namespace, name, manager, text(labels), text(annotations));
  }

  /** Somebody else set or removed these by hand: no manager removes them from now on. */
  release(key: ObjectKey, taken: GivenKeys): void {
    if (taken.labels.length + taken.annotations.length === 0) return;
    for (const [manager, { labels, annotations }] of this.#of(key)) {
      this.record(key, manager, {
        labels: without(labels, taken.labels),
        annotations: without(annotations, taken.annotations),
      });
    }
  }

  remove({ kind, namespace, name }: ObjectKey): void {
    this.#remove.run(kind, namespace, name);
  }

  #of(key: ObjectKey): Map<string, GivenKeys> {
    const rows = this.#all.all(key.kind, key.namespace, key.name);
    return new Map(
      rows.map((row) => [
        textOf(row['manager']),
        { labels: names(key, row['labels']), annotations: names(key, row['annotations']) },
      ]),
    );
  }
}

/** The keys whose values differ between two maps. */
export function changedKeys(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>> = {},
): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]);
}

function without(keys: readonly string[], others: readonly string[]): readonly string[] {
  return keys.filter((key) => !others.includes(key));
}

function text(keys: readonly string[]): string {
  return JSON.stringify(keys);
}

function names(key: ObjectKey, column: SQLOutputValue | undefined): readonly string[] {
  const parsed: unknown = JSON.parse(textOf(column));
  if (!Array.isArray(parsed)) throw new TypeError(`the manager record of ${keyOf(key)} is damaged`);
  return parsed.map(String);
}
