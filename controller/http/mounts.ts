import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorKind, type Mirror } from '../../crds/mirror.ts';
import { isReady, type KubeObject } from '../../crds/object.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { SnapshotKind, type Snapshot } from '../../crds/snapshot.ts';
import {
  StoreError,
  type StorePeek,
  type StoreReader,
  type StoreWatcher,
} from '../../crds/store.ts';
import { mountTable, snapshotArea, type MountTable, type SnapshotArea } from './mount-table.ts';
import type { Log } from '../log.ts';

/** Only objects of one namespace have URLs: of this one, unless the server is for another. */
export const usualNamespace = 'default';

/** What is served now, kept up to date from the store. */
export interface Mounts {
  /** The same value until something that is served changes, so it can be a key of caches. */
  table(): MountTable;
  environment(name: string): Environment | undefined;
}

interface ReplicaOptions<Stored, Part> {
  readonly kind: string;
  /** What is served of an object: the rest of it may change at any rate. */
  readonly served: (object: Stored) => unknown;
  /** What is kept of it; undefined when it is to be served later. */
  readonly part: (object: Stored) => Part | undefined;
  readonly changed: () => void;
}

/** What is served of one kind's objects, by name, as the store told them last. */
class Replica<Stored extends KubeObject<unknown, object>, Part> {
  readonly kind: string;
  readonly parts = new Map<string, Part>();
  readonly #options: ReplicaOptions<Stored, Part>;
  readonly #digests = new Map<string, string>();

  constructor(options: ReplicaOptions<Stored, Part>) {
    this.kind = options.kind;
    this.#options = options;
  }

  replace(objects: Iterable<KubeObject>): void {
    const names = new Set<string>();
    for (const object of objects) {
      names.add(object.metadata.name);
      this.put(object);
    }
    for (const name of this.#digests.keys()) if (!names.has(name)) this.remove(name);
  }

  put(object: KubeObject): void {
    const { uid, name } = object.metadata;
    const { served, part, changed } = this.#options;
    const stored = object as Stored; // the store validates each kind by its schema
    const digest = hash('sha256', JSON.stringify([uid, served(stored)]), 'base64');
    const isSame = this.#digests.get(name) === digest;
    this.#digests.set(name, digest);
    const kept = part(stored);
    if (kept === undefined) this.parts.delete(name);
    else this.parts.set(name, kept);
    if (!isSame) changed();
  }

  remove(name: string): void {
    this.#digests.delete(name);
    if (this.parts.delete(name)) this.#options.changed();
  }
}

export interface FollowOptions {
  readonly store: StoreReader & StorePeek & StoreWatcher;
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
  const mirrors = new Replica<Mirror, Mirror>({
    ...{ kind: MirrorKind.kind, changed },
    served: servedOfMirror,
    part: (mirror) => mirror,
  });
  const snapshots = new Replica<Snapshot, SnapshotArea>({
    ...{ kind: SnapshotKind.kind, changed },
    served: servedOfSnapshot,
    part: (snapshot) => snapshotArea(snapshot, store),
  });
  const environments = new Replica<Environment, Environment>({
    ...{ kind: EnvironmentKind.kind, changed },
    served: servedOfEnvironment,
    part: (environment) => environment,
  });
  const repositories = new Replica<Repository, Repository>({
    ...{ kind: RepositoryKind.kind, changed },
    served: servedOfRepository,
    part: (repository) => repository,
  });
  for (const replica of [mirrors, snapshots, environments, repositories]) {
    const source = { store, namespace, log, signal };
    const from = await read(source, replica);
    void follow(source, replica, from);
  }
  return {
    table: () =>
      (table ??= mountTable({
        mirrors: mirrors.parts.values(),
        snapshots: snapshots.parts.values(),
        environments: environments.parts.values(),
        repositories: repositories.parts.values(),
      })),
    environment: (name) => environments.parts.get(name),
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

function servedOfRepository({ spec, status }: Repository): unknown {
  return [spec.public, status?.state, status?.predecessors];
}

type Source = Required<FollowOptions>;

type AnyReplica = Pick<Replica<KubeObject, unknown>, 'kind' | 'replace' | 'put' | 'remove'>;

async function read({ store, namespace }: Source, replica: AnyReplica): Promise<string> {
  const { objects, resourceVersion } = await store.scan(replica.kind, { namespace });
  replica.replace(objects);
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
