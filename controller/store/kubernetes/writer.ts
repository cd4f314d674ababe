import {
  apiVersion,
  keyOf,
  type KubeObject,
  type ManagedFieldsEntry,
  type Manifest,
  type ObjectKey,
} from '../../../crds/object.ts';
import {
  StoreError,
  type ApplyOptions,
  type DeleteOptions,
  type StatusPart,
  type Store,
  type WriteOptions,
} from '../../../crds/store.ts';
import { isSame, plain } from '../../json.ts';
import { declaredMetadata, judged, keyOfManifest, type Judge } from '../declared.ts';
import { applicationOf, holds } from './application.ts';
import type { Cache } from './cache.ts';
import type { Call, Caller } from './connection.ts';
import { entryOf, managedFieldsOf, objectOf, rehearsedOf, type Entry } from './entry.ts';
import { collectionPath, fieldManager, objectPath, type ServedKind } from './resource.ts';
import { type Answer } from './statuses.ts';
import { isRecord } from '../../../crds/record.ts';

export interface WriterOptions {
  readonly connection: Caller;
  readonly judge: Judge<ServedKind>;
  readonly cache: (kind: string) => Cache;
  /** Only objects of this namespace; of all, when left out. */
  readonly namespace?: string | undefined;
}

/** etcd's limit on a request; an API server tells of it late, and in other words. */
const maxBytes = 1.5 * 1024 * 1024;
/** The field managers of what Cairn writes by itself; `apply` has those of its callers. */
const own = { spec: 'cairn', status: 'cairn-status' };
/** Digests of what was applied last, so that applying the same again asks nobody. */
const mostApplied = 20_000;

/** Writes objects to the API server, and what comes back into the caches. */
export class Writer {
  readonly #options: WriterOptions;
  readonly #applied = new Map<string, string>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  async create(manifest: Manifest, options: WriteOptions = {}): Promise<KubeObject> {
    const good = judged(manifest, this.#options.judge);
    const metadata = { ...good.metadata, ...declaredMetadata(manifest.metadata) };
    const key = keyOfManifest(good);
    const path = `${collectionPath(this.#kind(key), key.namespace)}?${strict({ manager: own.spec, ...options })}`;
    return this.#write(key, { method: 'POST', path, body: { ...good, metadata } }, options);
  }

  async update(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const key = keyOfManifest(object);
    const old = this.#cached(key);
    const { metadata, spec } = judged(object, this.#options.judge, old);
    const { labels = {}, annotations = {} } = metadata;
    const declared = declaredMetadata({ ...object.metadata, labels, annotations });
    const { uid, resourceVersion } = object.metadata;
    if (old?.metadata.resourceVersion === resourceVersion) {
      if (isSame(old.spec, spec) && isSame(declaredMetadata(old.metadata), declared)) return old;
    }
    const named = { name: key.name, namespace: key.namespace, uid, resourceVersion };
    const body = { apiVersion, kind: key.kind, metadata: { ...named, ...declared }, spec };
    const path = `${objectPath(this.#kind(key), key)}?${strict({ manager: own.spec, ...options })}`;
    return this.#write(key, { method: 'PUT', path, body }, options);
  }

  async updateStatus(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const key = keyOfManifest(object);
    const { uid, resourceVersion } = object.metadata;
    const old = this.#cached(key);
    if (old?.metadata.resourceVersion === resourceVersion && isSame(old.status, object.status)) {
      return old;
    }
    const metadata = { name: key.name, namespace: key.namespace, uid, resourceVersion };
    const { spec, status } = object;
    const body = { apiVersion, kind: key.kind, metadata, spec, status };
    const path = `${objectPath(this.#kind(key), key)}/status?${strict({ manager: own.status, ...options })}`;
    return this.#write(key, { method: 'PUT', path, body }, options);
  }

  /**
   * Server-side apply of what the manifest gives: the server knows who else has given what. Asks
   * nobody when the same was applied here before and still holds.
   */
  async apply(
    manifest: Manifest,
    manager: string,
    { force = true, dryRun = false }: ApplyOptions = {},
  ): ReturnType<Store['apply']> {
    const key = keyOfManifest(manifest);
    const kind = this.#kind(key);
    const before = this.#cached(key);
    const application = applicationOf(manifest, kind, before);
    judged(application.whole, this.#options.judge, before);
    const memory = `${keyOf(key)} ${manager}`;
    const isKnown = before && this.#applied.get(memory) === application.digest(before.metadata.uid);
    if (isKnown && holds(before, application)) return { object: before, outcome: 'unchanged' };
    const path = `${objectPath(kind, key)}?${strict({ manager, dryRun })}&force=${force}`;
    const type = 'application/apply-patch+yaml'; // JSON is YAML
    const { body } = application;
    const answer = await this.#ask(key, { method: 'PATCH', path, body, type }).catch(asConflict);
    if (dryRun) {
      const object = rehearsedOf(key.kind, answer.body);
      return { object, outcome: before ? outcomeOf(before, object) : 'created' };
    }
    const object = this.#learn(key, answer);
    this.#remember(memory, application.digest(object.metadata.uid));
    const isUnchanged = before?.metadata.resourceVersion === object.metadata.resourceVersion;
    const isNew = answer.status === 201;
    return { object, outcome: isNew ? 'created' : isUnchanged ? 'unchanged' : 'configured' };
  }

  /** Of a status there is nothing to judge here: the server knows its schema. */
  async applyStatus(
    { kind, metadata, status }: StatusPart,
    manager: string,
    { force = true, dryRun = false }: ApplyOptions = {},
  ): ReturnType<Store['applyStatus']> {
    const { name, namespace = 'default', ...rest } = metadata;
    const key = { kind, namespace, name };
    const { uid, resourceVersion } = rest as Partial<KubeObject['metadata']>;
    const only = plain({ uid: uid || undefined, resourceVersion: resourceVersion || undefined });
    const path = `${objectPath(this.#kind(key), key)}/status?${strict({ manager, dryRun })}&force=${force}`;
    const body = { apiVersion, kind, metadata: { name, namespace, ...only }, status };
    const type = 'application/apply-patch+yaml';
    const before = this.#cached(key);
    const answer = await this.#ask(key, { method: 'PATCH', path, body, type }).catch(asConflict);
    const object = dryRun ? rehearsedOf(kind, answer.body) : this.#learn(key, answer);
    const isUnchanged = before !== undefined && isSame(before.status, object.status);
    return { object, outcome: isUnchanged ? 'unchanged' : 'configured' };
  }

  async delete(
    key: ObjectKey,
    { uid, resourceVersion, dryRun = false, orphan = false }: DeleteOptions = {},
  ): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: orphan ? 'Orphan' : 'Background',
      preconditions: plain({ uid, resourceVersion }),
      ...(dryRun && { dryRun: ['All'] }),
    };
    const path = objectPath(this.#kind(key), key);
    const answer = await this.#ask(key, { method: 'DELETE', path, body });
    if (dryRun) return;
    const old = this.#options.cache(key.kind).get(key.namespace, key.name);
    const isStatus = isRecord(answer.body) && answer.body['kind'] === 'Status';
    if (!isStatus) this.#learn(key, answer);
    else if (old && (uid === undefined || uid === old.uid))
      this.#options.cache(key.kind).deleted(old);
  }

  /** The newest state, past the cache; undefined when there is none. */
  async read(key: ObjectKey): Promise<KubeObject | undefined> {
    const path = objectPath(this.#kind(key), key);
    try {
      return this.#learn(key, await this.#options.connection.call({ method: 'GET', path }));
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'NotFound') throw error;
      this.#missing(key);
      return undefined;
    }
  }

  /** Who has set which field, as the server says it: caches don't keep that. */
  async managedFields(key: ObjectKey): Promise<readonly ManagedFieldsEntry[]> {
    const path = objectPath(this.#kind(key), key);
    try {
      const { body } = await this.#options.connection.call({ method: 'GET', path });
      return managedFieldsOf(body);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'NotFound') throw error;
      return [];
    }
  }

  async #write(key: ObjectKey, call: Call, { dryRun }: WriteOptions): Promise<KubeObject> {
    const text = JSON.stringify(call.body);
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) {
      const told = `${keyOf(key)} would have ${bytes} bytes, ${maxBytes} are allowed`;
      throw new StoreError('Invalid', told);
    }
    const answer = await this.#ask(key, { ...call, body: undefined, text });
    return dryRun ? rehearsedOf(key.kind, answer.body) : this.#learn(key, answer);
  }

  /** A call about one object. What it shows to be outdated in the cache is read anew. */
  async #ask(key: ObjectKey, call: Call): Promise<Answer> {
    try {
      return await this.#options.connection.call(call);
    } catch (error) {
      const reason = error instanceof StoreError ? error.reason : undefined;
      if (reason === 'NotFound' && call.method !== 'POST') this.#missing(key);
      if (reason === 'Conflict') await this.read(key).catch(() => undefined);
      throw error;
    }
  }

  #learn(key: ObjectKey, { body }: Answer): KubeObject {
    const entry = entryOf(key.kind, body);
    const object = objectOf(entry);
    const cache = this.#options.cache(key.kind);
    cache.wrote(entry);
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0) cache.deleted(entry);
    return object;
  }

  #missing(key: ObjectKey): void {
    const cache = this.#options.cache(key.kind);
    const known: Entry | undefined = cache.get(key.namespace, key.name);
    if (known) cache.deleted(known);
  }

  #cached({ kind, namespace, name }: ObjectKey): KubeObject | undefined {
    const entry = this.#options.cache(kind).get(namespace, name);
    return entry && objectOf(entry);
  }

  #kind({ kind: name, namespace }: ObjectKey): ServedKind {
    const kind = this.#options.judge.kinds.find((known) => known.kind === name);
    if (!kind) throw new StoreError('Invalid', `there is no kind ${name} in ${apiVersion}`);
    const { namespace: only = namespace } = this.#options;
    if (namespace === only) return kind;
    const told = `this Cairn works in the namespace ${only}, and not in ${namespace}`;
    throw new StoreError('Invalid', told);
  }

  #remember(memory: string, digest: string): void {
    this.#applied.delete(memory);
    this.#applied.set(memory, digest);
    const [oldest] = this.#applied.keys();
    if (this.#applied.size > mostApplied && oldest !== undefined) this.#applied.delete(oldest);
  }
}

/** Unknown fields are refused, by name, and not dropped in silence: the CRD may be an older one. */
function strict({ manager, dryRun = false }: WriteOptions & { readonly manager: string }): string {
  return new URLSearchParams({
    fieldManager: fieldManager(manager),
    fieldValidation: 'Strict',
    ...(dryRun && { dryRun: 'All' }),
  }).toString();
}

/** An object of another uid is told of as if somebody wanted to change the uid. */
function asConflict(error: unknown): never {
  const isOther = error instanceof StoreError && error.causes[0]?.field === 'metadata.uid';
  if (!isOther) throw error;
  throw new StoreError('Conflict', error.message, { cause: error, causes: error.causes });
}

function outcomeOf(before: KubeObject, after: KubeObject): 'configured' | 'unchanged' {
  const isSameMetadata = isSame(
    declaredMetadata(before.metadata),
    declaredMetadata(after.metadata),
  );
  return isSameMetadata && isSame(before.spec, after.spec) ? 'unchanged' : 'configured';
}
