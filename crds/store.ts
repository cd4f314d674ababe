import type {
  CommonStatus,
  KubeObject,
  ManagedFieldsEntry,
  Manifest,
  ObjectKey,
} from './object.ts';

/** One field that a store refused, and why. */
export interface Cause {
  /** In Kubernetes' words: FieldValueInvalid, FieldManagerConflict. */
  readonly reason: string;
  readonly message: string;
  /** As in `spec.suites[0]`. */
  readonly field: string;
}

/** Why a store refused a call. `code` is the HTTP status that the Kubernetes API would answer with. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: (typeof codes)[keyof typeof codes];
  readonly reason: keyof typeof codes;
  /** Field by field, where fields are to blame. */
  readonly causes: readonly Cause[];

  constructor(
    reason: StoreError['reason'],
    message: string,
    { causes = [], ...options }: ErrorOptions & { readonly causes?: readonly Cause[] } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.causes = causes;
    this.code = codes[reason];
  }
}

const codes = {
  /** This process may not do that; the message says what. */
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  Invalid: 422,
  /** The store can't be reached. A write may have happened all the same. */
  Unavailable: 503,
} as const;

/**
 * One change of one object. `deleted` carries its last state. A `bookmark` says that everything up
 * to `resourceVersion` was delivered.
 */
export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: KubeObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

export interface ListOptions {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Only objects of one of these names, and those that have all of these labels. */
  readonly among?: {
    readonly names: readonly string[];
    readonly labels?: Readonly<Record<string, string>> | undefined;
  };
}

/** All objects of one kind as they were at one instant. */
export interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

/** The same, read one after the other, so that not all of them are in memory at a time. */
export interface ObjectScan {
  readonly objects: Iterable<KubeObject>;
  readonly resourceVersion: string;
}

/** Ask for this where nothing is written. Objects are copies: changing one changes nothing stored. */
export interface StoreReader {
  get(key: ObjectKey): Promise<KubeObject | undefined>;
  /** Sorted by namespace, then name. */
  list(kind: string, options?: ListOptions): Promise<ObjectList>;
  /** As `list`, for those who keep little of each object. To be gone through once. */
  scan(kind: string, options?: ListOptions): Promise<ObjectScan>;
}

export interface ManagerReader {
  /**
   * Who has set which field of an object, as it is now; nothing when there is no such object. What
   * `get` and `list` hand out may be without it.
   */
  managedFields(key: ObjectKey): Promise<readonly ManagedFieldsEntry[]>;
}

/** For those who can't wait, and shall not keep a copy of everything. */
export interface StorePeek {
  /** The object as this process knows it. */
  peek(key: ObjectKey): KubeObject | undefined;
}

export interface StoreWatcher {
  /**
   * Every change of one kind after `from` (a resourceVersion; now, when left out), in order, none
   * left out, none twice. Throws `Expired` when changes after `from` are no longer known: list
   * again. Ends when the signal aborts.
   */
  watch(kind: string, options: { from?: string; signal: AbortSignal }): AsyncIterable<WatchEvent>;
}

export interface WriteOptions {
  /** Who writes, for metadata.managedFields; Cairn itself when left out. */
  readonly manager?: string;
  /** Answer what would be, and store nothing. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions {
  /** Take over fields that others have given other values; else that is a Conflict. Default: true. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  /** Throw Conflict when the stored object has another uid, or another resourceVersion. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun?: boolean;
  /** What the object owns stays, and has one owner less. */
  readonly orphan?: boolean;
}

/** One manager's part of a status. */
export type StatusPart = Pick<KubeObject, 'kind' | 'status'> & {
  readonly metadata: Manifest['metadata'];
};

export interface StoreWriter {
  /** Throws AlreadyExists; Invalid when the kind is unknown or the spec does not fit its schema. */
  create(manifest: Manifest, options?: WriteOptions): Promise<KubeObject>;
  /**
   * Replaces spec, labels, annotations, finalizers and owner references; status is ignored. A spec
   * that differs raises `generation`. Throws NotFound; Conflict when `resourceVersion` is not the
   * stored one; Invalid (an immutable spec that changes included). Nothing changed, nothing written.
   */
  update(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Replaces the status alone; the rest is ignored. Conflicts and no-ops as `update`. */
  updateStatus(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /**
   * Server-side apply, for one manager: creates the object, or sets the fields that this manager
   * gives; those it gave before and gives no more are removed, unless another manager has them too;
   * those of others stay. Only what the manifest gives is needed: other managers may have given the
   * rest. Nothing changed, nothing written. Throws Invalid; Conflict with a cause for each field
   * that another manager has given another value, unless forced, and when the manifest's metadata
   * names a resourceVersion or uid that is not the stored one.
   */
  apply(
    manifest: Manifest,
    manager: string,
    options?: ApplyOptions,
  ): Promise<{ object: KubeObject; outcome: 'created' | 'configured' | 'unchanged' }>;
  /**
   * The same for the status of an object that is there, and for nothing else of it. The managers of
   * a status are others than those of the rest. Throws NotFound.
   */
  applyStatus(
    part: StatusPart,
    manager: string,
    options?: ApplyOptions,
  ): Promise<{ object: KubeObject; outcome: 'configured' | 'unchanged' }>;
  /**
   * Sets deletionTimestamp while finalizers are left, else removes the object and what it owns.
   * Throws NotFound; Conflict when `uid` is not the stored one.
   */
  delete(key: ObjectKey, options?: DeleteOptions): Promise<void>;
}

/** Something that happened to an object, told to people; the same thing again raises `count`. */
export interface ObjectEvent {
  readonly regarding: ObjectKey;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface RecordedEvent extends ObjectEvent {
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface EventLog {
  record(event: ObjectEvent): Promise<void>;
  /** Oldest first. */
  events(regarding: ObjectKey): Promise<readonly RecordedEvent[]>;
}

/** One object that a config source has applied, and the file it came from. */
export interface InventoryEntry extends ObjectKey {
  readonly uid: string;
  /** Relative to the config source. */
  readonly file: string;
  /** Of the manifest that was applied last; not there before that, and of an older Cairn. */
  readonly digest?: string;
}

/** What one config source has applied: the only objects that it may prune. */
export interface Inventory {
  /** Sorted by kind, namespace and name. */
  list(): Promise<InventoryEntry[]>;
  /** All or nothing, also across a crash. */
  replace(entries: readonly InventoryEntry[]): Promise<void>;
}

export interface InventoryStore {
  /** The inventory of the config source `namespace/name`; empty if it has none yet. */
  inventory(source: string): Inventory;
}

/** For those who show the events of all objects. */
export interface EventReader {
  /** Of all namespaces, or of one. Oldest first. */
  allEvents(namespace?: string): Promise<readonly RecordedEvent[]>;
  /** Resolves when there may be another event than before: soon after one, or after some seconds. */
  nextEvent(signal: AbortSignal): Promise<void>;
}

export type Store = StoreReader & StoreWatcher & StoreWriter & ManagerReader & EventLog;

/** A status as it is read, whatever the kind. */
export type AnyStatus = CommonStatus & Record<string, unknown>;
