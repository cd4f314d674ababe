import { setTimeout as delay } from 'node:timers/promises';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { isReady, type KubeObject } from '../../crds/object.ts';
import { SnapshotKind, type Snapshot } from '../../crds/snapshot.ts';
import { StoreError, type StoreReader, type StoreWatcher } from '../../crds/store.ts';
import { mountTable, type MountTable } from './mount-table.ts';
import type { Log } from '../log.ts';

/** Only objects of one namespace have URLs: of this one, unless the server is for another. */
export const usualNamespace = 'default';

/** What is served now, kept up to date from the store. */
export interface Mounts {
  /** The same value until something that is served changes, so it can be a key of caches. */
  table(): MountTable;
  environment(name: string): Environment | undefined;
  snapshot(name: string): Snapshot | undefined;
  mirror(name: string): Mirror | undefined;
}

/** One kind's objects by name, as the store told them last. */
class Replica<Stored extends KubeObject<unknown, object>> {
  readonly kind: string;
  readonly objects = new Map<string, Stored>();
  /** Digests what is served of an object: the rest of it may change at any rate. */
  readonly #served: (object: Stored) => unknown;
  readonly #changed: () => void;

  constructor(kind: string, served: (object: Stored) => unknown, changed: () => void) {
    this.kind = kind;
    this.#served = served;
    this.#changed = changed;
  }

  replace(items: readonly KubeObject[]): void {
    const names = new Set(items.map(({ metadata }) => metadata.name));
    for (const name of this.objects.keys()) if (!names.has(name)) this.remove(name);
    for (const item of items) this.put(item);
  }

  put(object: KubeObject): void {
    const stored = object as Stored; // the store validates each kind by its schema
    const before = this.objects.get(object.metadata.name);
    this.objects.set(object.metadata.name, stored);
    const same = before !== undefined && this.#digest(before) === this.#digest(stored);
    if (!same) this.#changed();
  }

  remove(name: string): void {
    if (this.objects.delete(name)) this.#changed();
  }

  #digest(object: Stored): string {
    return JSON.stringify([object.metadata.uid, this.#served(object)]);
  }
}

export interface FollowOptions {
  readonly store: StoreReader & StoreWatcher;
  readonly namespace?: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Reads all mounts, then follows them until the signal aborts. A store that fails later is asked
 * again with growing pauses; meanwhile what was known last is served. Throws what the first read
 * throws.
 */
export async function followMounts({
  store,
  namespace = usualNamespace,
  log,
  signal,
}: FollowOptions): Promise<Mounts> {
  let table: MountTable | undefined;
  const changed = () => (table = undefined);
  const mirrors = new Replica<Mirror>(MirrorKind.kind, servedOfMirror, changed);
  const snapshots = new Replica<Snapshot>(SnapshotKind.kind, servedOfSnapshot, changed);
  const environments = new Replica<Environment>(EnvironmentKind.kind, servedOfEnvironment, changed);
  for (const replica of [mirrors, snapshots, environments]) {
    const source = { store, namespace, log, signal };
    const from = await read(source, replica);
    void follow(source, replica, from);
  }
  return {
    table: () =>
      (table ??= mountTable({
        mirrors: mirrors.objects.values(),
        snapshots: snapshots.objects.values(),
        environments: environments.objects.values(),
      })),
    environment: (name) => environments.objects.get(name),
    snapshot: (name) => snapshots.objects.get(name),
    mirror: (name) => mirrors.objects.get(name),
  };
}

function servedOfMirror({ spec, status }: Mirror): unknown {
  return [spec.public, status?.state, status?.predecessors];
}

function servedOfSnapshot(snapshot: Snapshot): unknown {
  const { id, takenAt, mirrorSet, members } = snapshot.status ?? {};
  return [id, takenAt, mirrorSet, members, isReady(snapshot)];
}

function servedOfEnvironment({ status }: Environment): unknown {
  return [status?.published, status?.history];
}

type Source = Required<FollowOptions>;

type AnyReplica = Pick<Replica<KubeObject>, 'kind' | 'replace' | 'put' | 'remove'>;

async function read({ store, namespace }: Source, replica: AnyReplica): Promise<string> {
  const { items, resourceVersion } = await store.list(replica.kind, { namespace });
  replica.replace(items);
  return resourceVersion;
}

async function follow(source: Source, replica: AnyReplica, start: string): Promise<void> {
  const { store, namespace, log, signal } = source;
  let from: string | undefined = start;
  let pause = 100;
  while (!signal.aborted) {
    try {
      from ??= await read(source, replica);
      for await (const event of store.watch(replica.kind, { from, signal })) {
        pause = 100;
        if (event.type === 'bookmark' || event.object.metadata.namespace !== namespace) {
          continue;
        }
        if (event.type === 'deleted') replica.remove(event.object.metadata.name);
        else replica.put(event.object);
      }
      from = undefined;
    } catch (failure) {
      from = undefined;
      if (failure instanceof StoreError && failure.reason === 'Expired') continue;
      if (signal.aborted) return;
      log.warn(`can't follow ${replica.kind} objects, trying again`, { failure: String(failure) });
    }
    pause = Math.min(pause * 2, 10_000);
    await delay(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
