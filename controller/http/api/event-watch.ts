import type { Request, Response } from 'express';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventReader, StoreReader } from '../../../crds/store.ts';
import { coreEvents, type CoreEvent } from './core-events.ts';
import type { FieldRequirement } from './field-selector.ts';
import type { Representation } from './representation.ts';
import { watchStart } from './versions.ts';
import { openStream, send, watchSignal, type Line } from './watch-stream.ts';

/** What a watch of events is about. */
export interface EventWatch {
  readonly store: Pick<StoreReader, 'get'> & EventReader;
  readonly namespace: string | undefined;
  readonly fields: readonly FieldRequirement[];
  readonly form: Representation;
}

/** Many things that happen at once are looked at together. */
const calmMs = 100;

/**
 * Streams events as they are recorded: ADDED the first time, MODIFIED when they are counted again,
 * DELETED when they are forgotten. They have no history: what was recorded from the version on, which
 * is a time, comes first. One may be told twice then; none is left out.
 */
export async function streamEvents(
  { req, res }: { readonly req: Request; readonly res: Response },
  watch: EventWatch,
  shutdown: AbortSignal,
): Promise<void> {
  const { from, initial, marked } = watchStart(req);
  const { gone, signal } = watchSignal(req, shutdown);
  const known = new Map<string, CoreEvent>();
  const since = initial ? 0 : Number(from ?? 0);
  for (const event of await read(watch)) {
    if (from === undefined ? !initial : versionOf(event) < since) known.set(nameOf(event), event);
  }
  openStream(req, res);
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const next = watch.store.nextEvent(signal);
      for (const line of changes(known, await read(watch), watch.form)) await send(res, line, gone);
      if (isFirst && marked) await send(res, endOfInitial(known, watch.form), gone);
      await next;
      await sleep(calmMs, undefined, { signal }).catch(() => undefined);
    }
  } catch (failure) {
    if (!gone.aborted) throw failure;
    return;
  }
  res.end();
}

function read({ store, namespace, fields }: EventWatch): Promise<readonly CoreEvent[]> {
  return coreEvents(store, namespace, fields);
}

/** What is not as it is known; it is known afterwards. */
function changes(
  known: Map<string, CoreEvent>,
  events: readonly CoreEvent[],
  form: Representation,
): readonly Line[] {
  const lines: Line[] = [];
  const names = new Set(events.map(nameOf));
  for (const [name, event] of known) {
    if (names.has(name)) continue;
    known.delete(name);
    lines.push({ type: 'DELETED', object: form.event(event) });
  }
  for (const event of events) {
    const before = known.get(nameOf(event));
    known.set(nameOf(event), event);
    const type = before ? 'MODIFIED' : 'ADDED';
    const isNews = before?.count !== event.count || versionOf(before) !== versionOf(event);
    if (isNews) lines.push({ type, object: form.event(event) });
  }
  return lines;
}

function endOfInitial(known: ReadonlyMap<string, CoreEvent>, form: Representation): Line {
  const resourceVersion = String(Math.max(0, ...[...known.values()].map(versionOf)));
  const metadata = { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } };
  return {
    type: 'BOOKMARK',
    object: form.bookmark({ kind: 'Event', apiVersion: 'v1', metadata }),
  };
}

function nameOf({ metadata }: CoreEvent): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function versionOf({ metadata }: CoreEvent): number {
  return 'resourceVersion' in metadata ? Number(metadata.resourceVersion) : 0;
}
