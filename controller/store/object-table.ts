import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { KubeObject, ObjectKey } from '../../crds/object.ts';
import type { ListOptions } from '../../crds/store.ts';
import { textOf } from './database.ts';

/** The newest state of every object, as JSON text; what is read is always a fresh copy. */
export class ObjectTable {
  readonly #get: StatementSync;
  readonly #list: StatementSync;
  readonly #listIn: StatementSync;
  readonly #listAmong: StatementSync;
  readonly #listLabelled: StatementSync;
  readonly #listLabelledIn: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #ownedBy: StatementSync;
  readonly #addOwner: StatementSync;
  readonly #removeOwners: StatementSync;
  readonly #addLabel: StatementSync;
  readonly #removeLabels: StatementSync;

  constructor(db: DatabaseSync) {
    const one = 'kind = ? AND namespace = ? AND name = ?';
    const sorted = 'ORDER BY namespace, name';
    this.#get = db.prepare(`SELECT body FROM objects WHERE ${one}`);
    this.#list = db.prepare(`SELECT body FROM objects WHERE kind = ? ${sorted}`);
    this.#listIn = db.prepare(
      `SELECT body FROM objects WHERE kind = ? AND namespace = ? ${sorted}`,
    );
    this.#listAmong = db.prepare(
      `SELECT body FROM objects WHERE kind = ? AND namespace = ?
       AND name IN (SELECT value FROM json_each(?)) ${sorted}`,
    );
    const labelled = `SELECT body FROM labels JOIN objects USING (kind, namespace, name)
       WHERE kind = ? AND label = ?`;
    this.#listLabelled = db.prepare(`${labelled} ${sorted}`);
    this.#listLabelledIn = db.prepare(`${labelled} AND namespace = ? ${sorted}`);
    this.#put = db.prepare(
      `INSERT INTO objects (kind, namespace, name, body) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body`,
    );
    this.#remove = db.prepare(`DELETE FROM objects WHERE ${one}`);
    this.#ownedBy = db.prepare(
      'SELECT kind, namespace, name FROM owners WHERE owner = ? AND namespace = ?',
    );
    this.#addOwner = db.prepare(
      'INSERT OR IGNORE INTO owners (kind, namespace, name, owner) VALUES (?, ?, ?, ?)',
    );
    this.#removeOwners = db.prepare(`DELETE FROM owners WHERE ${one}`);
    this.#addLabel = db.prepare(
      'INSERT INTO labels (kind, namespace, name, label) VALUES (?, ?, ?, ?)',
    );
    this.#removeLabels = db.prepare(`DELETE FROM labels WHERE ${one}`);
  }

  get({ kind, namespace, name }: ObjectKey): KubeObject | undefined {
    const row = this.#get.get(kind, namespace, name);
    return row && parse(row['body']);
  }

  /** Sorted by namespace, then name, in the order of their bytes. */
  list(kind: string, options: ListOptions = {}): KubeObject[] {
    return [...this.scan(kind, options)];
  }

  /** The same, as they were when this was called, each read when its turn comes. */
  scan(kind: string, options: ListOptions): Iterable<KubeObject> {
    const { labels, among } = options;
    const names = new Set(among?.names);
    return this.#rows(kind, options)
      .values()
      .map((row) => parse(row['body']))
      .filter(
        ({ metadata }) =>
          (labels === undefined || hasAll(metadata.labels, labels)) &&
          (among === undefined ||
            names.has(metadata.name) ||
            (among.labels !== undefined && hasAll(metadata.labels, among.labels))),
      );
  }

  /** Some that are not asked for may be among them. */
  #rows(kind: string, { namespace, among, labels }: ListOptions) {
    const [label] = Object.entries(labels ?? {});
    // Nobody has to read thousands of objects to find a few.
    if (label) {
      if (namespace === undefined) return this.#listLabelled.all(kind, textOfLabel(label));
      return this.#listLabelledIn.all(kind, textOfLabel(label), namespace);
    }
    if (namespace === undefined) return this.#list.all(kind);
    if (among === undefined || among.labels) return this.#listIn.all(kind, namespace);
    return this.#listAmong.all(kind, namespace, JSON.stringify(among.names));
  }

  /** Stores an object; `body` is its JSON text. */
  put(object: KubeObject, body: string): void {
    const { name, namespace, ownerReferences = [], labels = {} } = object.metadata;
    this.#put.run(object.kind, namespace, name, body);
    this.#removeOwners.run(object.kind, namespace, name);
    for (const { uid } of ownerReferences) this.#addOwner.run(object.kind, namespace, name, uid);
    this.#removeLabels.run(object.kind, namespace, name);
    for (const label of Object.entries(labels)) {
      this.#addLabel.run(object.kind, namespace, name, textOfLabel(label));
    }
  }

  remove(object: KubeObject): void {
    const { name, namespace } = object.metadata;
    this.#remove.run(object.kind, namespace, name);
    this.#removeOwners.run(object.kind, namespace, name);
    this.#removeLabels.run(object.kind, namespace, name);
  }

  /** The objects whose ownerReferences name this one: those of its namespace, as in Kubernetes. */
  ownedBy({ metadata: { uid, namespace } }: KubeObject): ObjectKey[] {
    return this.#ownedBy.all(uid, namespace).map((row) => ({
      kind: textOf(row['kind']),
      namespace: textOf(row['namespace']),
      name: textOf(row['name']),
    }));
  }
}

/** Keys have no `=`. */
function textOfLabel([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}

function hasAll(
  labels: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function parse(body: Parameters<typeof textOf>[0]): KubeObject {
  return JSON.parse(textOf(body)) as KubeObject; // written by `put`, and by nobody else
}
