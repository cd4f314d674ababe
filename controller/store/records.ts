import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Inventory, InventoryEntry } from '../../crds/store.ts';
import { textOf, transaction } from './database.ts';

/** The inventories of all config sources, kept in the file of the store. */
export class Records {
  readonly #db: DatabaseSync;
  readonly #list: StatementSync;
  readonly #clear: StatementSync;
  readonly #add: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#list = db.prepare(
      `SELECT kind, namespace, name, uid, file, digest FROM inventory WHERE source = ?
       ORDER BY kind, namespace, name`,
    );
    this.#clear = db.prepare('DELETE FROM inventory WHERE source = ?');
    this.#add = db.prepare(
      `INSERT INTO inventory (source, kind, namespace, name, uid, file, digest)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** The inventory of the config source of that name; empty if it has none yet. */
  inventory(source: string): Inventory {
    return {
      list: async () => this.#read(source),
      replace: async (entries) => this.#replace(source, entries),
    };
  }

  #read(source: string): InventoryEntry[] {
    return this.#list.all(source).map((row) => ({
      kind: textOf(row['kind']),
      namespace: textOf(row['namespace']),
      name: textOf(row['name']),
      uid: textOf(row['uid']),
      file: textOf(row['file']),
      ...(row['digest'] !== '' && { digest: textOf(row['digest']) }),
    }));
  }

  #replace(source: string, entries: readonly InventoryEntry[]): void {
    transaction(this.#db, () => {
      this.#clear.run(source);
      for (const { kind, namespace, name, uid, file, digest = '' } of entries) {
        this.#add.run(source, kind, namespace, name, uid, file, digest);
      }
    });
  }
}
