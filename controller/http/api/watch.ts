import type { Request, Response } from 'express';
import { setImmediate } from 'node:timers/promises';
import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, keyOf, type KubeObject } from '../../../crds/object.ts';
import type { Store, WatchEvent } from '../../../crds/store.ts';
import { isSelected, type Selection } from './selectors.ts';
import type { Representation } from './representation.ts';
import { asApiFailure } from './status.ts';
import { watchStart } from './versions.ts';
import { openStream, send, watchSignal, type Line } from './watch-stream.ts';

/** Kubernetes' annotation on the bookmark that ends what was there. */
const initialEnd = 'k8s.io/initial-events-end';

/**
 * Streams the changes of a kind as JSON lines. Without a resourceVersion (or with `0`), and with
 * `sendInitialEvents`, the objects that are there come first, as ADDED. Answers 410 when the version is too old; when that shows
 * only later, the last line is an ERROR.
 */
export async function streamWatch(
  { req, res }: { readonly req: Request; readonly res: Response },
  {
    kind,
    store,
    selection,
    form,
  }: { kind: Kind; store: Store; selection: Selection; form: Representation },
  shutdown: AbortSignal,
): Promise<void> {
  const start = watchStart(req);
  const { gone, signal } = watchSignal(req, shutdown);
  const { items, resourceVersion } = await store.list(kind.kind);
  const { from, initial, marked } = start;
  const events = store.watch(kind.kind, { from: from ?? resourceVersion, signal });
  const bookmarks = req.query['allowWatchBookmarks'] === 'true';
  const lines = new Lines({ kind, selection, form, bookmarks });
  const iterator = events[Symbol.asyncIterator]();
  const first = iterator.next();
  first.catch(() => undefined); // it is awaited, but maybe not at once
  await Promise.race([first, setImmediate()]); // a version that is too old fails here, as 410

  openStream(req, res);
  const present = lines.present(items);
  try {
    if (initial) for (const line of present) await send(res, line, gone);
    if (marked) await send(res, lines.endOfInitial(resourceVersion), gone);
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

interface LinesOptions {
  readonly kind: Kind;
  readonly selection: Selection;
  readonly form: Representation;
  readonly bookmarks: boolean;
}

/** Turns the store's events into lines for one selection: what leaves it is DELETED to its client. */
class Lines {
  readonly #options: LinesOptions;
  readonly #selected = new Set<string>();

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  present(items: readonly KubeObject[]): readonly Line[] {
    const selected = items.filter((item) => isSelected(item, this.#options.selection));
    for (const item of selected) this.#selected.add(keyOf(item));
    return selected.map((object) => this.#line('ADDED', object));
  }

  of(event: WatchEvent): Line | undefined {
    if (event.type === 'bookmark') return this.#bookmark(event.resourceVersion);
    const { type, object } = event;
    const key = keyOf(object);
    const was = this.#selected.has(key);
    if (!isSelected(object, this.#options.selection)) {
      this.#selected.delete(key);
      return was ? this.#line('DELETED', object) : undefined;
    }
    if (type === 'deleted') this.#selected.delete(key);
    else this.#selected.add(key);
    if (type === 'deleted') return this.#line('DELETED', object);
    return this.#line(type === 'added' || !was ? 'ADDED' : 'MODIFIED', object);
  }

  /** Says that all of what was there has been told. */
  endOfInitial(resourceVersion: string): Line {
    return this.#marker({ resourceVersion, annotations: { [initialEnd]: 'true' } });
  }

  #line(type: Line['type'], object: KubeObject): Line {
    return { type, object: this.#options.form.event(object) };
  }

  #bookmark(resourceVersion: string): Line | undefined {
    return this.#options.bookmarks ? this.#marker({ resourceVersion }) : undefined;
  }

  #marker(metadata: object): Line {
    const { kind, form } = this.#options;
    const object = form.bookmark({ kind: kind.kind, apiVersion, metadata });
    return { type: 'BOOKMARK', object };
  }
}
