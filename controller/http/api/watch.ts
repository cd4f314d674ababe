import type { Request, Response } from 'express';
import { setImmediate } from 'node:timers/promises';
import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, keyOf, type KubeObject } from '../../../crds/object.ts';
import type { Store, WatchEvent } from '../../../crds/store.ts';
import { closing, write } from '../connection.ts';
import { isSelected, type Selection } from './selectors.ts';
import { asApiFailure, type Status } from './status.ts';

/** How long a watch lasts when the client doesn't say; clients start another one. */
const defaultSeconds = 1800;
/** A client that takes nothing for so long is gone. Milliseconds. */
const patience = 300_000;

interface Line {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject | Status | { kind: string; apiVersion: string; metadata: object };
}

/**
 * Streams the changes of a kind as JSON lines. Without a resourceVersion (or with `0`) the objects
 * that are there come first, as ADDED. Answers 410 when the version is too old; when that shows
 * only later, the last line is an ERROR.
 */
export async function streamWatch(
  { req, res }: { readonly req: Request; readonly res: Response },
  { kind, store, selection }: { kind: Kind; store: Store; selection: Selection },
  shutdown: AbortSignal,
): Promise<void> {
  const gone = closing(req.socket);
  const signal = AbortSignal.any([gone, shutdown, AbortSignal.timeout(secondsOf(req) * 1000)]);
  const { items, resourceVersion } = await store.list(kind.kind);
  const given = req.query['resourceVersion'];
  const from = typeof given === 'string' && given !== '' && given !== '0' ? given : undefined;
  const events = store.watch(kind.kind, { from: from ?? resourceVersion, signal });
  const lines = new Lines(kind, selection, req.query['allowWatchBookmarks'] === 'true');
  const iterator = events[Symbol.asyncIterator]();
  const first = iterator.next();
  first.catch(() => undefined); // it is awaited, but maybe not at once
  await Promise.race([first, setImmediate()]); // a version that is too old fails here, as 410

  req.socket.setTimeout(0);
  res.on('error', () => undefined);
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  res.flushHeaders();
  const present = lines.present(items);
  try {
    if (from === undefined) for (const line of present) await send(res, line, gone);
    for (let result = await first; !result.done; result = await iterator.next()) {
      const line = lines.of(result.value);
      if (line) await send(res, line, gone);
    }
  } catch (failure) {
    if (gone.aborted) return;
    await send(res, { type: 'ERROR', object: asApiFailure(failure).status() }, gone).catch(() => 0);
  } finally {
    await iterator.return?.();
  }
  res.end();
}

function secondsOf(req: Request): number {
  const seconds = Number(req.query['timeoutSeconds']);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 86_400) : defaultSeconds;
}

async function send(res: Response, line: Line, gone: AbortSignal): Promise<void> {
  const timer = setTimeout(() => res.socket?.destroy(), patience);
  try {
    await write(res, Buffer.from(`${JSON.stringify(line)}\n`), gone);
  } finally {
    clearTimeout(timer);
  }
}

/** Turns the store's events into lines for one selection: what leaves it is DELETED to its client. */
class Lines {
  readonly #kind: Kind;
  readonly #selection: Selection;
  readonly #bookmarks: boolean;
  readonly #selected = new Set<string>();

  constructor(kind: Kind, selection: Selection, bookmarks: boolean) {
    this.#kind = kind;
    this.#selection = selection;
    this.#bookmarks = bookmarks;
  }

  present(items: readonly KubeObject[]): readonly Line[] {
    const selected = items.filter((item) => isSelected(item, this.#selection));
    for (const item of selected) this.#selected.add(keyOf(item));
    return selected.map((object) => ({ type: 'ADDED', object }));
  }

  of(event: WatchEvent): Line | undefined {
    if (event.type === 'bookmark') return this.#bookmark(event.resourceVersion);
    const { type, object } = event;
    const key = keyOf(object);
    const was = this.#selected.has(key);
    if (!isSelected(object, this.#selection)) {
      this.#selected.delete(key);
      return was ? { type: 'DELETED', object } : undefined;
    }
    if (type === 'deleted') this.#selected.delete(key);
    else this.#selected.add(key);
    if (type === 'deleted') return { type: 'DELETED', object };
    return { type: type === 'added' || !was ? 'ADDED' : 'MODIFIED', object };
  }

  #bookmark(resourceVersion: string): Line | undefined {
    if (!this.#bookmarks) return undefined;
    const { kind } = this.#kind;
    return { type: 'BOOKMARK', object: { kind, apiVersion, metadata: { resourceVersion } } };
  }
}
