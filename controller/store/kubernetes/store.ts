import type { KubeObject, ManagedFieldsEntry, Manifest, ObjectKey } from '../../../crds/object.ts';
import {
  StoreError,
  type ApplyOptions,
  type DeleteOptions,
  type EventReader,
  type Inventory,
  type InventoryStore,
  type ListOptions,
  type ObjectEvent,
  type ObjectList,
  type ObjectScan,
  type RecordedEvent,
  type StatusPart,
  type Store,
  type StorePeek,
  type WatchEvent,
  type WriteOptions,
} from '../../../crds/store.ts';
import { check, type Health } from '../../health.ts';
import type { Log } from '../../log.ts';
import type { HistoryLimits } from '../change-log.ts';
import type { Validate } from '../declared.ts';
import { Watchers } from '../watch.ts';
import { Cache } from './cache.ts';
import type { Cluster } from './cluster.ts';
import { Connection, fenced, type Fence } from './connection.ts';
import { objectOf, versionOf } from './entry.ts';
import { pause } from './pace.ts';
import { Reflector } from './reflector.ts';
import type { RequestObserver } from './request-metrics.ts';
import { collectionPath, type ServedKind } from './resource.ts';
import { selected } from './select.ts';
import { ServedSchemas, type ExpectedKind } from './served-schemas.ts';
import { writing, type Writing, type WritingParts } from './writing.ts';

export interface KubernetesOptions {
  readonly cluster: Cluster;
  /** Objects of other kinds are refused. */
  readonly kinds: readonly ServedKind[];
  /** Left out, every spec is good as it is. */
  readonly validate?: Validate;
  /** Only objects of this namespace; of all, when left out. */
  readonly namespace?: string | undefined;
  readonly log: Log;
  readonly now?: () => Date;
  readonly random?: () => number;
  /** How many changes a watch can be resumed across. */
  readonly history?: HistoryLimits;
  /** How long to wait for the first lists; 30 s by default. */
  readonly patienceMs?: number;
  /** What the CRDs of the server are compared with. */
  readonly expected?: readonly ExpectedKind[];
  /** See `ReflectorOptions`. */
  readonly silenceMs?: number;
  /** See `ConnectionOptions`. */
  readonly attemptMs?: number;
  readonly observer?: RequestObserver | undefined;
}

interface Served {
  readonly cache: Cache;
  readonly reflector: Reflector;
}

const defaultPatienceMs = 30_000;
/** How long a list waits for the server to tell of this process's own writes. */
const catchUpMs = 3000;
const lookMs = 100;
/** More than a silent watch, a late answer and the longest pause take together. */
const longestStillMinutes = 3;

/**
 * Opens the store on an API server whose CRDs are there, and reads everything once. Throws what is
 * in the way (`Unavailable`, `Forbidden`) when that is not done in time, with nothing left open.
 */
export async function openKubernetesStore(options: KubernetesOptions): Promise<KubernetesStore> {
  const store = new KubernetesStore(options);
  try {
    await store.synced(options.patienceMs ?? defaultPatienceMs);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * A store on a Kubernetes API server. Reads are answered from memory, which follows the server and
 * is never behind this process's own writes; so they are answered too while the server is away.
 */
export class KubernetesStore implements Store, StorePeek, InventoryStore, EventReader {
  readonly #connection: Connection;
  readonly #served: ReadonlyMap<string, Served>;
  readonly #watchers: Watchers;
  readonly #writing: Writing;
  readonly #parts: WritingParts;
  readonly #patienceMs: number;
  readonly #stop = new AbortController();
  readonly #running: readonly Promise<void>[];
  readonly #schemas: ServedSchemas | undefined;

  constructor(options: KubernetesOptions) {
    const { cluster, kinds, log, random, attemptMs, validate = asItIs } = options;
    const now = options.now ?? (() => new Date());
    const tuned = { ...(random && { random }), ...(attemptMs !== undefined && { attemptMs }) };
    const connection = new Connection({ cluster, log, observer: options.observer, ...tuned });
    this.#connection = connection;
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
    this.#served = new Map(kinds.map((kind) => [kind.kind, this.#serve(kind, options)]));
    this.#watchers = new Watchers({
      isExpired: (kind, version) => this.#isExpired(kind, version),
      after: (kind, version, limit) => this.#of(kind).cache.after(version, limit),
    });
    const { namespace } = options;
    const cache = (kind: string) => this.#of(kind).cache;
    this.#parts = { judge: { kinds, validate }, cache, namespace, now };
    this.#writing = writing(connection, this.#parts);
    const { expected } = options;
    this.#schemas = expected && new ServedSchemas({ connection, log, kinds: expected });
    this.#running = [...this.#served.values()].map((one) => one.reflector.run(this.#stop.signal));
  }

  /** Resolves when everything was listed once; throws what is in the way after so long. */
  async synced(patienceMs: number): Promise<void> {
    await Promise.all([...this.#served.keys()].map((kind) => this.#ready(kind, patienceMs)));
    void this.#schemas?.run(this.#stop.signal);
  }

  /** What is wrong between the server and this process, for people; empty when all is well. */
  problems(): readonly string[] {
    const failures = [...this.#served].flatMap(([kind, { reflector }]) =>
      reflector.failure ? [`cannot follow ${kind} objects: ${reflector.failure.message}`] : [],
    );
    const told = failures.join();
    const refused = this.#connection.refusals().filter((message) => !told.includes(message));
    return [...failures, ...refused, ...(this.#schemas?.problems ?? [])];
  }

  /** For probes. While the server is away reads go on from memory, so that is no reason to fail. */
  health(): Health {
    const dead = [...this.#served].flatMap(([kind, { reflector }]) => {
      const minutes = Math.floor(reflector.stillMs() / 60_000);
      return minutes > longestStillMinutes
        ? [`nobody has asked for ${kind} for ${minutes} minutes`]
        : [];
    });
    const isRead = [...this.#served.values()].every(({ cache }) => cache.isSynced);
    const problems = isRead ? this.problems() : [...this.problems(), 'not everything is read yet'];
    return {
      live: [check('reflectors', dead)],
      ready: [check('store', problems, isRead ? 'poor' : 'bad')],
    };
  }

  async get(key: ObjectKey): Promise<KubeObject | undefined> {
    if (!this.#served.has(key.kind)) return undefined;
    const { cache } = await this.#ready(key.kind);
    const entry = cache.get(key.namespace, key.name);
    return entry && objectOf(entry);
  }

  peek({ kind, namespace, name }: ObjectKey): KubeObject | undefined {
    const entry = this.#served.get(kind)?.cache.get(namespace, name);
    return entry && objectOf(entry);
  }

  async list(kind: string, options?: ListOptions): Promise<ObjectList> {
    const { objects, resourceVersion } = await this.scan(kind, options);
    return { items: [...objects], resourceVersion };
  }

  async scan(kind: string, options: ListOptions = {}): Promise<ObjectScan> {
    if (!this.#served.has(kind)) return { objects: [], resourceVersion: '0' };
    const { cache, reflector } = await this.#ready(kind);
    const deadline = performance.now() + catchUpMs;
    while (!cache.isCaughtUp() && !reflector.failure && performance.now() < deadline) {
      await cache.next(deadline - performance.now());
    }
    const objects = selected(cache, options).values().map(objectOf);
    return { objects, resourceVersion: String(cache.newest) };
  }

  watch(
    kind: string,
    { from, signal }: { from?: string; signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    return this.#watchers.watch(kind, this.#start(kind, from), signal);
  }

  create(manifest: Manifest, options?: WriteOptions): Promise<KubeObject> {
    return this.#writing.create(manifest, options);
  }

  update(object: KubeObject, options?: WriteOptions): Promise<KubeObject> {
    return this.#writing.update(object, options);
  }

  updateStatus(object: KubeObject, options?: WriteOptions): Promise<KubeObject> {
    return this.#writing.updateStatus(object, options);
  }

  apply(manifest: Manifest, manager: string, options?: ApplyOptions): ReturnType<Store['apply']> {
    return this.#writing.apply(manifest, manager, options);
  }

  applyStatus(
    part: StatusPart,
    manager: string,
    options?: ApplyOptions,
  ): ReturnType<Store['applyStatus']> {
    return this.#writing.applyStatus(part, manager, options);
  }

  delete(key: ObjectKey, options?: DeleteOptions): Promise<void> {
    return this.#writing.delete(key, options);
  }

  managedFields(key: ObjectKey): Promise<readonly ManagedFieldsEntry[]> {
    return this.#writing.managedFields(key);
  }

  record(event: ObjectEvent): Promise<void> {
    return this.#writing.record(event);
  }

  events(regarding: ObjectKey): Promise<readonly RecordedEvent[]> {
    return this.#writing.events(regarding);
  }

  allEvents(namespace?: string): Promise<readonly RecordedEvent[]> {
    return this.#writing.allEvents(namespace);
  }

  nextEvent(signal: AbortSignal): Promise<void> {
    return this.#writing.nextEvent(signal);
  }

  inventory(source: string): Inventory {
    return this.#writing.inventory(source);
  }

  /** The same store, in which nothing is written but what the fence lets through. */
  fenced(fence: Fence): Store & InventoryStore {
    const own = writing(fenced(this.#connection, fence), this.#parts);
    return {
      ...own,
      get: (key) => this.get(key),
      list: (kind, options) => this.list(kind, options),
      scan: (kind, options) => this.scan(kind, options),
      watch: (kind, options) => this.watch(kind, options),
    };
  }

  /** Ends all watches, calls and connections. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#watchers.close();
    this.#connection.close();
    await Promise.all(this.#running);
  }

  #serve(kind: ServedKind, { namespace, log, random, history, silenceMs }: KubernetesOptions) {
    const cache = new Cache(() => this.#watchers.wake(kind.kind), history);
    const reflector = new Reflector({
      kind: kind.kind,
      path: collectionPath(kind, namespace),
      connection: this.#connection,
      cache,
      log,
      ...(random && { random }),
      ...(silenceMs !== undefined && { silenceMs }),
    });
    return { cache, reflector };
  }

  #of(kind: string): Served {
    const served = this.#served.get(kind);
    if (served) return served;
    throw new StoreError('Invalid', `there is no kind ${kind} here`);
  }

  /** A kind that has been listed; throws why it has not. */
  async #ready(kind: string, patienceMs = this.#patienceMs): Promise<Served> {
    const served = this.#of(kind);
    const deadline = performance.now() + patienceMs;
    while (!served.cache.isSynced) {
      if (this.#stop.signal.aborted) throw new StoreError('Unavailable', 'the store is closed');
      if (performance.now() > deadline) {
        const { failure } = served.reflector;
        const told = `${kind} objects could not be read: ${failure?.message ?? 'no answer'}`;
        throw new StoreError(failure?.reason ?? 'Unavailable', told, { cause: failure });
      }
      await Promise.race([served.cache.next(lookMs), pause(lookMs, this.#stop.signal)]);
    }
    return served;
  }

  /** Where a watch starts; one without a version, after all that is known now. */
  #start(kind: string, from: string | undefined): number {
    const { cache } = this.#of(kind);
    if (from === undefined) return cache.known;
    return /^\d+$/.test(from) ? versionOf(from) : -1;
  }

  /** Versions that nobody here has seen may be of another server: nothing is known about them. */
  #isExpired(kind: string, version: number): boolean {
    const newest = Math.max(...[...this.#served.values()].map(({ cache }) => cache.known));
    return version > newest || this.#of(kind).cache.isExpired(version);
  }
}

function asItIs(input: unknown): ReturnType<Validate> {
  return { manifest: input as Manifest, problems: [] }; // `judged` hands it a manifest
}
