import type { DatabaseSync } from 'node:sqlite';
import {
  keyOf,
  type KubeObject,
  type ManagedFieldsEntry,
  type Manifest,
  type ObjectKey,
} from '../../crds/object.ts';
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
} from '../../crds/store.ts';
import { Bell } from './bell.ts';
import { ChangeLog, type HistoryLimits } from './change-log.ts';
import { openDatabase, rehearsal, transaction } from './database.ts';
import {
  keyOfManifest,
  withDefaults,
  type Judge,
  type StoredKind,
  type Validate,
} from './declared.ts';
import { EventTable } from './event-table.ts';
import { Merger } from './merger.ts';
import { ObjectTable } from './object-table.ts';
import { ObjectWriter } from './object-writer.ts';
import { Records } from './records.ts';
import { upgrade } from './upgrade.ts';
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
  const store = new SqliteStore(openDatabase(file, upgrade), options);
  store.adoptDefaults();
  return store;
}

/**
 * A store in one SQLite file, for one process. Calls are answered at once and one after the other;
 * what a call wrote is on disk when its promise resolves.
 */
export class SqliteStore implements Store, StorePeek, InventoryStore, EventReader {
  readonly #db: DatabaseSync;
  readonly #judge: Judge;
  readonly #now: () => Date;
  readonly #objects: ObjectTable;
  readonly #changes: ChangeLog;
  readonly #events: EventTable;
  readonly #records: Records;
  readonly #bell = new Bell();
  readonly #watchers: Watchers;
  readonly #writer: ObjectWriter;
  readonly #merger: Merger;

  constructor(db: DatabaseSync, { kinds, validate, now, history }: SqliteOptions) {
    this.#db = db;
    this.#judge = { kinds, validate: validate ?? asItIs };
    this.#now = now ?? (() => new Date());
    this.#objects = new ObjectTable(db);
    this.#changes = new ChangeLog(db, history);
    this.#events = new EventTable(db);
    this.#records = new Records(db);
    this.#watchers = new Watchers(this.#changes);
    this.#writer = new ObjectWriter({
      objects: this.#objects,
      changes: this.#changes,
      now: this.#now,
    });
    this.#merger = new Merger({ judge: this.#judge, writer: this.#writer, now: this.#now });
  }

  /** Fills in what a newer schema declares with a default; what doesn't fit it stays as it is. */
  adoptDefaults(): void {
    const old = this.#judge.kinds.flatMap(({ kind }) => this.#objects.list(kind));
    this.#write({}, () => {
      for (const object of old) {
        const spec = withDefaults(object, this.#judge.validate);
        if (spec !== undefined) this.#writer.setDefaults(object, spec);
      }
    });
  }

  async get(key: ObjectKey): Promise<KubeObject | undefined> {
    return this.#objects.get(key);
  }

  peek(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(key);
  }

  async list(kind: string, options?: ListOptions): Promise<ObjectList> {
    const { objects, resourceVersion } = await this.scan(kind, options);
    return { items: [...objects], resourceVersion };
  }

  async scan(kind: string, options: ListOptions = {}): Promise<ObjectScan> {
    const objects = this.#objects.scan(kind, options);
    return { objects, resourceVersion: String(this.#changes.latest()) };
  }

  watch(
    kind: string,
    { from, signal }: { from?: string; signal: AbortSignal },
  ): AsyncIterable<WatchEvent> {
    const start = from === undefined ? this.#changes.latest() : asVersion(from);
    return this.#watchers.watch(kind, start, signal);
  }

  async create(manifest: Manifest, options: WriteOptions = {}): Promise<KubeObject> {
    return this.#write(options, () => {
      const key = keyOfManifest(manifest);
      if (this.#objects.get(key)) {
        throw new StoreError('AlreadyExists', `${keyOf(key)} exists already`);
      }
      return this.#merger.create(manifest, options.manager);
    });
  }

  async update(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    return this.#write(options, () =>
      this.#merger.replace(this.#current(object), object, options.manager),
    );
  }

  async updateStatus(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    return this.#write(options, () =>
      this.#merger.setStatus(this.#current(object), object.status, options.manager),
    );
  }

  async apply(
    manifest: Manifest,
    manager: string,
    options: ApplyOptions = {},
  ): ReturnType<Store['apply']> {
    return this.#write(options, () => {
      const old = this.#objects.get(keyOfManifest(manifest));
      const object = this.#merger.apply(old, manifest, { manager, force: options.force ?? true });
      const isUnchanged = old?.metadata.resourceVersion === object.metadata.resourceVersion;
      return { object, outcome: !old ? 'created' : isUnchanged ? 'unchanged' : 'configured' };
    });
  }

  async applyStatus(
    part: StatusPart,
    manager: string,
    options: ApplyOptions = {},
  ): ReturnType<Store['applyStatus']> {
    return this.#write(options, () => {
      const { kind, metadata } = part;
      const key = { kind, name: metadata.name, namespace: metadata.namespace ?? 'default' };
      const old = this.#objects.get(key);
      if (!old) throw new StoreError('NotFound', `there is no ${keyOf(key)}`);
      const object = this.#merger.applyStatus(old, part, { manager, force: options.force ?? true });
      const isUnchanged = old.metadata.resourceVersion === object.metadata.resourceVersion;
      return { object, outcome: isUnchanged ? 'unchanged' : 'configured' };
    });
  }

  async delete(key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    this.#write(options, () => {
      const old = this.#objects.get(key);
      if (!old) throw new StoreError('NotFound', `there is no ${keyOf(key)}`);
      refuseOther(old, options);
      if (options.orphan === true) this.#writer.orphan(old);
      this.#writer.remove(old);
    });
  }

  async managedFields(key: ObjectKey): Promise<readonly ManagedFieldsEntry[]> {
    return this.#objects.get(key)?.metadata.managedFields ?? [];
  }

  async record(event: ObjectEvent): Promise<void> {
    transaction(this.#db, () => this.#events.record(event, this.#now()));
    this.#bell.ring();
  }

  async events(regarding: ObjectKey): Promise<readonly RecordedEvent[]> {
    return this.#events.of(regarding);
  }

  async allEvents(namespace?: string): Promise<readonly RecordedEvent[]> {
    return this.#events.all(namespace);
  }

  nextEvent(signal: AbortSignal): Promise<void> {
    return this.#bell.next(signal);
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

  /** One transaction; those who watch hear of it afterwards. A dry run is taken back. */
  #write<Result>({ dryRun }: { dryRun?: boolean }, work: () => Result): Result {
    this.#writer.takeTouched();
    if (dryRun === true) return rehearsal(this.#db, work);
    const result = transaction(this.#db, work);
    for (const kind of this.#writer.takeTouched()) this.#watchers.wake(kind);
    return result;
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

function refuseOther(old: KubeObject, { uid, resourceVersion }: DeleteOptions): void {
  if (uid !== undefined && uid !== old.metadata.uid) {
    throw new StoreError('Conflict', `${keyOf(old)} is another object of that name by now`);
  }
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    throw new StoreError('Conflict', `${keyOf(old)} has changed meanwhile; read it again`);
  }
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
