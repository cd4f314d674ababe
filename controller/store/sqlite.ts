import type { DatabaseSync } from 'node:sqlite';
import { keyOf, type KubeObject, type Manifest, type ObjectKey } from '../../crds/object.ts';
import {
  StoreError,
  type Inventory,
  type InventoryStore,
  type ListOptions,
  type ObjectEvent,
  type ObjectList,
  type RecordedEvent,
  type Store,
  type WatchEvent,
} from '../../crds/store.ts';
import { ChangeLog, type HistoryLimits } from './change-log.ts';
import { openDatabase, transaction } from './database.ts';
import {
  judged,
  keyOfManifest,
  withDefaults,
  type Judge,
  type StoredKind,
  type Validate,
} from './declared.ts';
import { EventTable } from './event-table.ts';
import { changedKeys, ManagedKeys, type GivenKeys } from './managed-keys.ts';
import { ObjectTable } from './object-table.ts';
import { ObjectWriter } from './object-writer.ts';
import { Records } from './records.ts';
import { Watchers } from './watch.ts';

export interface SqliteOptions {
  /** Objects of other kinds are refused. */
  readonly kinds: readonly StoredKind[];
  /** Left out, every spec is good as it is. */
  readonly validate?: Validate;
  readonly now?: () => Date;
  /** How many changes a watch can be resumed across. */
  readonly history?: HistoryLimits;
}

/**
 * Opens the store in a file (`:memory:` for a passing one). Errors as of `openDatabase`. Objects
 * that an older Cairn stored get the defaults that their kinds have now.
 */
export function openSqliteStore(file: string, options: SqliteOptions): SqliteStore {
  const store = new SqliteStore(openDatabase(file), options);
  store.adoptDefaults();
  return store;
}

/**
 * A store in one SQLite file, for one process. Calls are answered at once and one after the other;
 * what a call wrote is on disk when its promise resolves.
 */
export class SqliteStore implements Store, InventoryStore {
  readonly #db: DatabaseSync;
  readonly #judge: Judge;
  readonly #now: () => Date;
  readonly #objects: ObjectTable;
  readonly #changes: ChangeLog;
  readonly #managed: ManagedKeys;
  readonly #events: EventTable;
  readonly #records: Records;
  readonly #watchers: Watchers;
  readonly #writer: ObjectWriter;

  constructor(db: DatabaseSync, { kinds, validate, now, history }: SqliteOptions) {
    this.#db = db;
    this.#judge = { kinds, validate: validate ?? asItIs };
    this.#now = now ?? (() => new Date());
    this.#objects = new ObjectTable(db);
    this.#changes = new ChangeLog(db, history);
    this.#managed = new ManagedKeys(db);
    this.#events = new EventTable(db);
    this.#records = new Records(db);
    this.#watchers = new Watchers(this.#changes);
    this.#writer = new ObjectWriter({
      objects: this.#objects,
      changes: this.#changes,
      managed: this.#managed,
      now: this.#now,
    });
  }

  /** Fills in what a newer schema declares with a default; what doesn't fit it stays as it is. */
  adoptDefaults(): void {
    const old = this.#judge.kinds.flatMap(({ kind }) => this.#objects.list(kind));
    this.#write(() => {
      for (const object of old) {
        const spec = withDefaults(object, this.#judge.validate);
        if (spec !== undefined) this.#writer.setDefaults(object, spec);
      }
    });
  }

  async get(key: ObjectKey): Promise<KubeObject | undefined> {
    return this.#objects.get(key);
  }

  async list(kind: string, { namespace, labels }: ListOptions = {}): Promise<ObjectList> {
    const wanted = Object.entries(labels ?? {});
    const items = this.#objects
      .list(kind, namespace)
      .filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
    return { items, resourceVersion: String(this.#changes.latest()) };
  }

  watch(
    kind: string,
    { from, signal }: { from?: string; signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    const start = from === undefined ? this.#changes.latest() : asVersion(from);
    return this.#watchers.watch(kind, start, signal);
  }

  async create(manifest: Manifest): Promise<KubeObject> {
    return this.#write(() => {
      const key = keyOfManifest(manifest);
      if (this.#objects.get(key)) {
        throw new StoreError('AlreadyExists', `${keyOf(key)} exists already`);
      }
      return this.#add(manifest);
    });
  }

  async update(object: KubeObject): Promise<KubeObject> {
    return this.#write(() => {
      const old = this.#current(object);
      const manifest = judged(object, this.#judge, old);
      const { labels = {}, annotations = {} } = manifest.metadata;
      this.#managed.release(keyOfManifest(old), {
        labels: changedKeys(old.metadata.labels, labels),
        annotations: changedKeys(old.metadata.annotations, annotations),
      });
      const metadata = { ...object.metadata, labels, annotations };
      return this.#writer.declare(old, metadata, manifest.spec);
    });
  }

  async updateStatus(object: KubeObject): Promise<KubeObject> {
    return this.#write(() => this.#writer.setStatus(this.#current(object), object.status));
  }

  async apply(manifest: Manifest, manager: string): ReturnType<Store['apply']> {
    return this.#write(() => {
      const old = this.#objects.get(keyOfManifest(manifest));
      const object = old ? this.#merge(old, manifest, manager) : this.#add(manifest);
      this.#managed.record(keyOfManifest(object), manager, keysOf(manifest));
      const isUnchanged = old?.metadata.resourceVersion === object.metadata.resourceVersion;
      return { object, outcome: !old ? 'created' : isUnchanged ? 'unchanged' : 'configured' };
    });
  }

  async delete(key: ObjectKey, { uid }: { uid?: string } = {}): Promise<void> {
    this.#write(() => {
      const old = this.#objects.get(key);
      if (!old) throw new StoreError('NotFound', `there is no ${keyOf(key)}`);
      refuseOther(old, uid);
      this.#writer.remove(old);
    });
  }

  async record(event: ObjectEvent): Promise<void> {
    transaction(this.#db, () => this.#events.record(event, this.#now()));
  }

  async events(regarding: ObjectKey): Promise<readonly RecordedEvent[]> {
    return this.#events.of(regarding);
  }

  /** What the config source of that name has applied. */
  inventory(source: string): Inventory {
    return this.#records.inventory(source);
  }

  /** Ends all watches and closes the file. No call is answered afterwards. */
  close(): void {
    this.#watchers.close();
    this.#db.close();
  }

  /** One transaction; those who watch hear of it afterwards. */
  #write<Result>(work: () => Result): Result {
    this.#writer.takeTouched();
    const result = transaction(this.#db, work);
    for (const kind of this.#writer.takeTouched()) this.#watchers.wake(kind);
    return result;
  }

  #add(manifest: Manifest): KubeObject {
    const good = judged(manifest, this.#judge);
    return this.#writer.create(good, { ...manifest.metadata, ...good.metadata });
  }

  /** What `apply` makes of an object that is there. */
  #merge(old: KubeObject, manifest: Manifest, manager: string): KubeObject {
    const { spec, metadata } = judged(manifest, this.#judge, old);
    const given = this.#managed.solelyGiven(keyOfManifest(old), manager);
    const labels = merged(old.metadata.labels, metadata.labels, given.labels);
    const annotations = merged(old.metadata.annotations, metadata.annotations, given.annotations);
    return this.#writer.declare(old, { ...old.metadata, labels, annotations }, spec);
  }

  /** The stored object that a writer has read; throws NotFound, or Conflict when it has changed. */
  #current(object: KubeObject): KubeObject {
    const old = this.#objects.get(keyOfManifest(object));
    if (!old) throw new StoreError('NotFound', `there is no ${keyOf(object)}`);
    if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new StoreError('Conflict', `${keyOf(object)} has changed meanwhile; read it again`);
    }
    return old;
  }
}

function refuseOther(old: KubeObject, uid: string | undefined): void {
  if (uid === undefined || uid === old.metadata.uid) return;
  throw new StoreError('Conflict', `${keyOf(old)} is another object of that name by now`);
}

type Texts = Readonly<Record<string, string>>;

/** What was there, less what this manager gave before, and all that it gives now. */
function merged(old: Texts = {}, given: Texts = {}, before: readonly string[]) {
  const kept = Object.entries(old).filter(([key]) => !before.includes(key));
  return { ...Object.fromEntries(kept), ...given };
}

function keysOf({ metadata: { labels = {}, annotations = {} } }: Manifest): GivenKeys {
  return { labels: Object.keys(labels), annotations: Object.keys(annotations) };
}

function asVersion(from: string): number {
  if (!/^\d{1,15}$/.test(from)) {
    throw new StoreError('Expired', `${from} is no resourceVersion of this store`);
  }
  return Number(from);
}

function asItIs(input: unknown): ReturnType<Validate> {
  return { manifest: input as Manifest, problems: [] }; // `judged` hands it a manifest
}
