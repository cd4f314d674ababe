import { setTimeout as sleep } from 'node:timers/promises';
import type { Kind } from '../../crds/kind.ts';
import type { KubeObject } from '../../crds/object.ts';
import type { ApiClient, ListScope, WatchLine } from './api-client.ts';
import { ApiError } from './api-error.ts';

/** Between two connections, so that a server that ends watches at once is not hammered. */
const pauseMs = 250;

/** What is new: the first one holds all objects that were there. */
export interface News {
  /** Objects that are new or changed, and the last state of deleted ones. */
  readonly changed: readonly KubeObject[];
  /** Every object now, by name. */
  readonly objects: ReadonlyMap<string, KubeObject>;
}

/**
 * All objects of a kind, then their changes, for ever: a watch that the server ends is taken up
 * again, one that it has forgotten (410) starts with a new list. Throws what the client throws.
 */
export async function* follow(
  client: ApiClient,
  kind: Kind,
  scope: ListScope,
  signal: AbortSignal,
): AsyncGenerator<News> {
  let objects = new Map<string, KubeObject>();
  let first = true;
  for (;;) {
    const listing = await client.list(kind, scope);
    const before = objects;
    objects = new Map(listing.items.map((object) => [keyIn(object), object]));
    const changed = listing.items.filter((object) => isNews(object, before));
    const gone = [...before].filter(([key]) => !objects.has(key)).map(([, object]) => object);
    if (first || changed.length > 0 || gone.length > 0)
      yield { changed: [...changed, ...gone], objects };
    first = false;
    yield* followWatch(client, kind, scope, { from: listing.resourceVersion, signal, objects });
    await sleep(pauseMs, undefined, { signal });
  }
}

interface Position {
  readonly from: string;
  readonly signal: AbortSignal;
  readonly objects: Map<string, KubeObject>;
}

/** Returns when a new list is needed. */
async function* followWatch(
  client: ApiClient,
  kind: Kind,
  scope: ListScope,
  { from, signal, objects }: Position,
): AsyncGenerator<News> {
  try {
    for await (const line of client.watch(kind, scope, { from, signal })) {
      if (line.type === 'ERROR') return;
      if (line.type === 'BOOKMARK') continue;
      remember(objects, line);
      yield { changed: [line.object], objects };
    }
  } catch (thrown) {
    if (!(thrown instanceof ApiError && thrown.code === 410)) throw thrown;
  }
}

function remember(objects: Map<string, KubeObject>, { type, object }: WatchLine): void {
  if (type === 'DELETED') objects.delete(keyIn(object));
  else objects.set(keyIn(object), object);
}

function isNews(object: KubeObject, before: ReadonlyMap<string, KubeObject>): boolean {
  const { resourceVersion } = object.metadata;
  return before.get(keyIn(object))?.metadata.resourceVersion !== resourceVersion;
}

function keyIn({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
