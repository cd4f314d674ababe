import type { KubeObject } from '../../crds/object.ts';
import type { ApiClient, ListScope } from './api-client.ts';
import { exit, type Io } from './command.ts';
import { follow } from './follow.ts';
import { objectHeader, objectRow, type ObjectTableStyle } from './object-table.ts';
import type { ObjectPrinter } from './output.ts';
import { alignRows, columnWidths } from './table.ts';
import type { Selection } from './targets.ts';

interface Watch {
  readonly client: ApiClient;
  readonly selection: Selection;
  readonly scope: ListScope;
  readonly style: ObjectTableStyle;
  readonly print: ObjectPrinter | undefined;
}

/** Prints what is there, then every change, until the user stops it. */
export async function watchSelection(watch: Watch, io: Io): Promise<number> {
  const { client, selection, scope } = watch;
  const show = watch.print
    ? (objects: readonly KubeObject[]) => printEach(watch.print, objects, io)
    : tablePrinter(watch, io);
  const wanted = ({ metadata }: KubeObject) =>
    selection.name === undefined || metadata.name === selection.name;
  try {
    for await (const news of follow(client, selection.kind, scope, io.signal)) {
      const objects = news.changed.filter(wanted);
      if (objects.length > 0) await show(objects);
    }
  } catch (thrown) {
    if (!io.signal.aborted) throw thrown;
  }
  return exit.good;
}

async function printEach(
  print: ObjectPrinter | undefined,
  objects: readonly KubeObject[],
  io: Io,
): Promise<void> {
  for (const object of objects) await print?.([object], io);
}

/** A table that goes on: later rows keep to the widths of the first ones where they fit. */
function tablePrinter({ selection, style }: Watch, io: Io) {
  let widths: readonly number[] | undefined;
  return async function printRows(objects: readonly KubeObject[]): Promise<void> {
    const now = new Date();
    const rows = objects.map((object) => objectRow(selection.kind, object, style, now));
    const header = objectHeader(selection.kind, style);
    const lines = widths ? rows : [header, ...rows];
    const needed = columnWidths([header, ...rows]);
    widths = needed.map((width, index) => Math.max(width, widths?.[index] ?? 0));
    io.out(alignRows(lines, widths).join('\n'));
  };
}
