import type { DatabaseSync } from 'node:sqlite';
import type { KubeObject, ManagedFieldsEntry } from '../../crds/object.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { labelTable, textOf } from './database.ts';
import { fieldSetOf } from './managed-fields/compare.ts';
import { encode, idOf, type Manager } from './managed-fields/managers.ts';

/** Makes the tables of today. Version 3 has digests of manifests in the inventory, version 4 a table of labels. */
export function upgrade(db: DatabaseSync, version: number): void {
  if (version < 2) adoptManagers(db);
  if (version < 3) db.exec(`ALTER TABLE inventory ADD COLUMN digest TEXT NOT NULL DEFAULT ''`);
  db.exec(`${labelTable}
    INSERT INTO labels SELECT objects.kind, namespace, name, given.key || '=' || given.value
    FROM objects, json_each(body, '$.metadata.labels') AS given`);
}

/**
 * From version 1, where a table held the labels and annotations that each manager had applied, and
 * whoever applied had set the spec as a whole: the objects say it themselves from now on. Nothing
 * else of them changes, so they keep their resourceVersions.
 */
function adoptManagers(db: DatabaseSync): void {
  const put = db.prepare(
    'UPDATE objects SET body = ? WHERE kind = ? AND namespace = ? AND name = ?',
  );
  for (const row of db.prepare('SELECT * FROM objects').all()) {
    const key = [textOf(row['kind']), textOf(row['namespace']), textOf(row['name'])] as const;
    const object = JSON.parse(textOf(row['body'])) as KubeObject; // written by the store
    const managedFields = entriesOf(db, key, object);
    if (managedFields.length === 0) continue;
    const metadata = { ...object.metadata, managedFields };
    put.run(JSON.stringify({ ...object, metadata }), ...key);
  }
  db.exec('DROP TABLE managed');
}

function entriesOf(
  db: DatabaseSync,
  key: readonly [string, string, string],
  { metadata, spec }: KubeObject,
): ManagedFieldsEntry[] {
  const rows = db
    .prepare('SELECT * FROM managed WHERE kind = ? AND namespace = ? AND name = ?')
    .all(...key);
  const managers = rows.map((row): Manager => {
    const labels = picked(metadata.labels, textOf(row['labels']));
    const annotations = picked(metadata.annotations, textOf(row['annotations']));
    const given = { ...(labels && { labels }), ...(annotations && { annotations }) };
    const fields = fieldSetOf({ metadata: given, spec }, undefined);
    fields.below('f:metadata').member = false;
    const manager = textOf(row['manager']);
    return { manager, operation: 'Apply', subresource: '', time: timestamp(new Date()), fields };
  });
  return encode(new Map(managers.map((one) => [idOf(one), one])));
}

/** Those of some texts whose keys a list in JSON names; undefined when there are none. */
function picked(texts: Readonly<Record<string, string>> = {}, keys: string) {
  const wanted = new Set(JSON.parse(keys) as readonly string[]);
  const entries = Object.entries(texts).filter(([key]) => wanted.has(key));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
