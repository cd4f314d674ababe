import { randomUUID } from 'node:crypto';
import {
  apiVersion,
  keyOf,
  type KubeObject,
  type ManagedFieldsEntry,
  type Manifest,
  type ObjectKey,
  type ObjectMeta,
  type OwnerReference,
} from '../../crds/object.ts';
import { StoreError } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { isSame } from '../json.ts';
import type { ChangeLog } from './change-log.ts';
import { declaredMetadata, keyOfManifest, type DeclaredMetadata } from './declared.ts';
import { isSameOwnership } from './managed-fields/ownership.ts';
import type { ObjectTable } from './object-table.ts';

/** etcd's default limit, so that what fits here fits a Kubernetes API server. */
const maxBytes = 1.5 * 1024 * 1024;

/** The status of an object that nobody has looked at: -1 keeps kstatus from calling it ready. */
export const unseen = { observedGeneration: -1 } as const;

export interface WriterParts {
  readonly objects: ObjectTable;
  readonly changes: ChangeLog;
  readonly now: () => Date;
}

/** What a write makes of managedFields. */
export type Entries = readonly ManagedFieldsEntry[];

/** What becomes of an object: all that writers set. */
export interface Declaration {
  readonly declared: DeclaredMetadata;
  readonly spec: unknown;
  /** As they were when left out. */
  readonly managedFields?: Entries;
}

/** The rules by which objects come, change and go. Runs inside the caller's transaction. */
export class ObjectWriter {
  readonly #parts: WriterParts;
  #touched = new Set<string>();

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** The kinds written since the last call. */
  takeTouched(): ReadonlySet<string> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  /** Adds an object from a manifest that was judged. */
  create(manifest: Manifest, metadata: DeclaredMetadata, managedFields: Entries): KubeObject {
    const { kind, name, namespace } = keyOfManifest(manifest);
    const identity: ObjectMeta = {
      name,
      namespace,
      uid: randomUUID(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: this.#timestamp(),
    };
    const full = { ...identity, ...declaredMetadata(metadata), ...listed(managedFields) };
    const status = { ...unseen };
    return this.#put('added', { apiVersion, kind, metadata: full, spec: manifest.spec, status });
  }

  /**
   * Gives an object another spec and declared metadata; the last finalizer of a deleted object
   * taken away, it goes. Yields the object unchanged when nothing differs.
   */
  declare(
    old: KubeObject,
    { declared, spec, managedFields = old.metadata.managedFields ?? [] }: Declaration,
  ): KubeObject {
    const next = declaredMetadata(declared);
    const isSameSpec = isSame(old.spec, spec);
    const isSameMetadata = isSame(declaredMetadata(old.metadata), next);
    const areSameOwners = isSameOwnership(old.metadata.managedFields, managedFields);
    if (isSameSpec && isSameMetadata && areSameOwners) return old;
    refuseLateFinalizers(old, next);
    const generation = old.metadata.generation + (isSameSpec ? 0 : 1);
    const metadata = { ...stem(old.metadata), generation, ...next, ...listed(managedFields) };
    const object = { ...old, metadata, spec: isSameSpec ? old.spec : spec };
    const isGone = metadata.deletionTimestamp !== undefined && !metadata.finalizers;
    return isGone ? this.#erase(object) : this.#put('modified', object);
  }

  /** Gives an object another status. */
  setStatus(old: KubeObject, status: KubeObject['status'], managedFields: Entries): KubeObject {
    const areSameOwners = isSameOwnership(old.metadata.managedFields, managedFields);
    if (isSame(old.status, status) && areSameOwners) return old;
    const { managedFields: _, ...metadata } = old.metadata;
    return this.#put('modified', {
      ...old,
      metadata: { ...metadata, ...listed(managedFields) },
      status,
    });
  }

  /** Another spelling of the same spec: no new generation. */
  setDefaults(old: KubeObject, spec: unknown): void {
    this.#write('modified', { ...old, spec });
  }

  /** Takes an owner from all that it owns, which then doesn't go with it. */
  orphan(owner: KubeObject): void {
    const { uid } = owner.metadata;
    for (const key of this.#parts.objects.ownedBy(owner)) {
      const owned = this.#parts.objects.get(key);
      if (!owned) continue;
      const { metadata, spec } = owned;
      const left = (metadata.ownerReferences ?? []).filter((one) => one.uid !== uid);
      this.declare(owned, { declared: { ...metadata, ownerReferences: left }, spec });
    }
  }

  /** Starts the deletion of an object, or ends it when no finalizer is left. */
  remove(old: KubeObject): void {
    if (!old.metadata.finalizers) {
      this.#erase(old);
      return;
    }
    if (old.metadata.deletionTimestamp !== undefined) return;
    const deletionTimestamp = this.#timestamp();
    const generation = old.metadata.generation + 1; // as Kubernetes does: finalizing is new work
    this.#write('modified', {
      ...old,
      metadata: { ...old.metadata, generation, deletionTimestamp },
    });
  }

  /** Removes an object, and then all that it alone owned, without recursion. */
  #erase(object: KubeObject): KubeObject {
    const last = this.#write('deleted', object);
    const orphaned = [last];
    for (const owner of orphaned) {
      for (const key of this.#parts.objects.ownedBy(owner)) {
        const gone = this.#disown(key, owner.metadata.uid);
        if (gone) orphaned.push(gone);
      }
    }
    return last;
  }

  /** Takes an owner that is gone from an object; yields the object when that was its end. */
  #disown(key: ObjectKey, owner: string): KubeObject | undefined {
    const owned = this.#parts.objects.get(key);
    if (!owned) return undefined;
    const ownerReferences = owned.metadata.ownerReferences?.filter(({ uid }) => uid !== owner);
    if (ownerReferences?.some((reference) => this.#exists(reference, key.namespace))) {
      this.declare(owned, { declared: { ...owned.metadata, ownerReferences }, spec: owned.spec });
      return undefined;
    }
    if (!owned.metadata.finalizers) return this.#write('deleted', owned);
    this.remove(owned);
    return undefined;
  }

  #exists({ kind, name, uid }: OwnerReference, namespace: string): boolean {
    return this.#parts.objects.get({ kind, namespace, name })?.metadata.uid === uid;
  }

  #put(type: 'added' | 'modified', object: KubeObject): KubeObject {
    const bytes = Buffer.byteLength(JSON.stringify(object));
    if (bytes > maxBytes) {
      const told = `${keyOf(object)} would have ${bytes} bytes, ${maxBytes} are allowed`;
      throw new StoreError('Invalid', told);
    }
    return this.#write(type, object);
  }

  /** Writes a change under the next resourceVersion, and yields the object as it is now. */
  #write(type: 'added' | 'modified' | 'deleted', object: KubeObject): KubeObject {
    const { objects, changes } = this.#parts;
    const version = changes.latest() + 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const body = JSON.stringify({ ...object, metadata });
    const stored = JSON.parse(body) as KubeObject; // a copy of what the line above was given
    if (type === 'deleted') objects.remove(stored);
    else objects.put(stored, body);
    changes.append(version, stored.kind, type, body);
    this.#touched.add(stored.kind);
    return stored;
  }

  #timestamp(): string {
    return timestamp(this.#parts.now());
  }
}

/** The metadata that no writer sets. */
function stem(metadata: ObjectMeta): ObjectMeta {
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...rest } = metadata;
  const { managedFields: _m, ...stem } = rest;
  return stem;
}

function listed(managedFields: Entries): Pick<ObjectMeta, 'managedFields'> {
  return managedFields.length > 0 ? { managedFields: [...managedFields] } : {};
}

/** As Kubernetes: while an object is being deleted, finalizers are only taken away. */
function refuseLateFinalizers(old: KubeObject, { finalizers = [] }: DeclaredMetadata): void {
  if (old.metadata.deletionTimestamp === undefined) return;
  const late = finalizers.find((one) => !old.metadata.finalizers?.includes(one));
  if (late !== undefined) {
    const message = `it is being deleted, and can't get ${late} now`;
    const cause = { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' };
    throw new StoreError('Invalid', `${keyOf(old)}: ${message}`, { causes: [cause] });
  }
}
