import type { KubeObject } from '../../crds/object.ts';
import type { Kind } from '../../crds/kind.ts';
import type { ListScope } from './api-client.ts';
import type { Io } from './command.ts';
import type { Found } from './get.ts';
import { objectHeader, objectRow, type ObjectTableStyle } from './object-table.ts';
import { formatTable } from './table.ts';

/** One table per kind, empty ones left out. */
export function printAsTables(
  found: readonly Found[],
  style: ObjectTableStyle,
  { namespace }: ListScope,
  io: Io,
): void {
  const byKind = new Map<Kind, KubeObject[]>();
  for (const { selection, objects } of found) {
    byKind.set(selection.kind, [...(byKind.get(selection.kind) ?? []), ...objects]);
  }
  const tables = [...byKind].filter(([, objects]) => objects.length > 0);
  if (tables.length === 0 && found.some(({ selection }) => selection.name === undefined)) {
    io.err(
      namespace === undefined ? 'No objects found' : `No objects found in namespace ${namespace}`,
    );
  }
  const now = new Date();
  const texts = tables.map(([kind, objects]) => {
    const rows = objects.map((object) => objectRow(kind, object, style, now));
    return formatTable(
      [objectHeader(kind, style), ...rows],
      io.isTTY ? { columns: io.columns } : {},
    );
  });
  if (texts.length > 0) io.out(texts.join('\n\n'));
}
