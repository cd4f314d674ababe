import { setTimeout as sleep } from 'node:timers/promises';
import type { Observer } from './observer.ts';
import type { Declared } from './population.ts';
import { pathOf, type Server } from './server.ts';

/** How often somebody edits an object. */
const everyMs = 40;
const perKind = 20;

/** What edits are made, one after the other; each of them raises the generation of an object. */
export interface Editor {
  readonly object: Declared;
  readonly change: (turn: number) => object;
}

/**
 * Edits objects in turn until it is told to stop, and waits for the last of them. Yields how long it
 * took from sending each edit until a watch told of the status of the new generation, in ms.
 */
export async function editUntil(
  server: Server,
  observer: Observer,
  editors: readonly Editor[],
  stop: AbortSignal,
): Promise<number[]> {
  const latencies: Promise<number>[] = [];
  for (let turn = 0; !stop.aborted; turn += 1) {
    const editor = editors[turn % editors.length];
    if (!editor) break;
    latencies.push(edit(server, observer, editor, turn));
    await sleep(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
  return Promise.all(latencies);
}

/** Makes one edit; yields how long it took until a watch told of its status, in ms. */
export async function edit(
  server: Server,
  observer: Observer,
  { object, change }: Editor,
  turn: number,
): Promise<number> {
  const start = performance.now();
  const path = pathOf(object.plural, object.manifest.metadata.name);
  const text = await server.send('PATCH', path, change(turn));
  const { generation } = (JSON.parse(text) as { metadata: { generation: number } }).metadata;
  return (await observer.until(object, ({ observed }) => observed >= generation)) - start;
}

/** The value that a share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Twenty objects of each kind that people edit, in turn; Snapshots never change. */
export function editorsOf(objects: readonly Declared[]): Editor[] {
  const members = objects.filter(({ kind }) => kind === 'Mirror').length;
  const changes: Readonly<Record<string, Editor['change']>> = {
    Mirror: (turn) => ({ spec: { interval: `${24 + (turn % 1000)}h` } }),
    MirrorSet: (turn) => ({
      spec: { mirrors: [{ name: `mirror-${turn % members}` }], selector: null },
    }),
    Environment: (turn) => ({ spec: { validFor: `${24 * (10 + (turn % 1000))}h` } }),
  };
  const byKind = Object.entries(changes).map(([kind, change]) =>
    objects
      .filter((object) => object.kind === kind)
      .slice(0, perKind)
      .map((object) => ({ object, change })),
  );
  return Array.from({ length: perKind }, (_, at) =>
    byKind.flatMap((some) => some[at] ?? []),
  ).flat();
}
