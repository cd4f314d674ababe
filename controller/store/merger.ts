import {
  keyOf,
  type KubeObject,
  type ManagedFieldsEntry,
  type Manifest,
} from '../../crds/object.ts';
import { StoreError, type StatusPart } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { plain } from '../json.ts';
import { judged, type DeclaredMetadata, type Judge, type StoredKind } from './declared.ts';
import { decode } from './managed-fields/managers.ts';
import { afterApply, afterUpdate, type Tracked } from './managed-fields/ownership.ts';
import { trackedManifest, trackedObject, trackedType } from './managed-fields/tracked.ts';
import { unseen, type Entries, type ObjectWriter } from './object-writer.ts';

/** Whoever writes without saying who. */
const nobodyElse = 'cairn';

export interface MergerParts {
  readonly judge: Judge;
  readonly writer: ObjectWriter;
  readonly now: () => Date;
}

/**
 * What the verbs make of objects, and who owns which field then. Defaults belong to nobody. Throws
 * Invalid as `judged`.
 */
export class Merger {
  readonly #parts: MergerParts;

  constructor(parts: MergerParts) {
    this.#parts = parts;
  }

  create(manifest: Manifest, manager = nobodyElse): KubeObject {
    const good = judged(manifest, this.#parts.judge);
    const kind = this.#kind(manifest.kind);
    const change = { before: {}, after: trackedManifest(manifest, kind), type: trackedType(kind) };
    const entries = afterUpdate([], change, { manager, time: this.#time() });
    return this.#parts.writer.create(good, { ...manifest.metadata, ...good.metadata }, entries);
  }

  replace(old: KubeObject, object: KubeObject, manager = nobodyElse): KubeObject {
    const { spec, metadata } = judged(object, this.#parts.judge, old);
    const { labels = {}, annotations = {} } = metadata;
    const declared = { ...object.metadata, labels, annotations };
    const change = {
      before: trackedObject(old),
      after: trackedObject({ metadata: declared, spec }),
      type: trackedType(this.#kind(old.kind)),
    };
    const base = rewritten(old, object.metadata.managedFields);
    const writing = { manager, time: this.#time() };
    const managedFields = base.length > 0 ? afterUpdate(base, change, writing) : base;
    return this.#parts.writer.declare(old, { declared, spec, managedFields });
  }

  setStatus(
    old: KubeObject,
    given: KubeObject['status'] | undefined,
    manager = nobodyElse,
  ): KubeObject {
    const status = plain(given ?? { ...unseen });
    const change = {
      before: { status: old.status },
      after: { status },
      type: trackedType(this.#kind(old.kind)),
    };
    const writing = { manager, subresource: 'status', time: this.#time() } as const;
    const base = old.metadata.managedFields ?? [];
    const entries = base.length > 0 ? afterUpdate(base, change, writing) : base;
    return this.#parts.writer.setStatus(old, status, entries);
  }

  apply(
    old: KubeObject | undefined,
    manifest: Manifest,
    { manager, force }: { readonly manager: string; readonly force: boolean },
  ): KubeObject {
    if (old) refuseOther(old, manifest);
    const kind = this.#known(manifest);
    const application = {
      live: old ? trackedObject(old) : {},
      config: trackedManifest(manifest, kind),
      type: trackedType(kind),
      entries: old?.metadata.managedFields,
      force,
    };
    const { value, entries } = afterApply(application, { manager, time: this.#time() });
    const declared = declaredOf(value);
    const merged = { ...manifest, metadata: { ...manifest.metadata, ...declared } };
    const { labels, annotations } = declared;
    const whole = { ...merged, metadata: { ...merged.metadata, labels, annotations } } as Manifest;
    const good = judged({ ...whole, spec: value['spec'] }, this.#parts.judge, old);
    if (!old) return this.#parts.writer.create(good, declared, entries);
    return this.#parts.writer.declare(old, { declared, spec: good.spec, managedFields: entries });
  }

  applyStatus(
    old: KubeObject,
    part: StatusPart,
    { manager, force }: { readonly manager: string; readonly force: boolean },
  ): KubeObject {
    refuseOther(old, part);
    const application = {
      live: { status: old.status },
      config: { status: plain(part.status) },
      type: trackedType(this.#kind(old.kind)),
      entries: old.metadata.managedFields,
      force,
    };
    const writing = { manager, subresource: 'status', time: this.#time() } as const;
    const { value, entries } = afterApply(application, writing);
    const status = (value['status'] ?? {}) as KubeObject['status']; // merged from two of them
    return this.#parts.writer.setStatus(old, status, entries);
  }

  /** The kind of a manifest that nobody has looked at yet. Throws Invalid for another one. */
  #known(manifest: Manifest): StoredKind {
    const kind = this.#parts.judge.kinds.find((known) => known.kind === manifest.kind);
    if (kind) return kind;
    throw new StoreError('Invalid', `there is no kind ${manifest.kind} in ${manifest.apiVersion}`);
  }

  #kind(name: string): StoredKind {
    const kind = this.#parts.judge.kinds.find((known) => known.kind === name);
    if (!kind) throw new TypeError(`a stored object has the unknown kind ${name}`);
    return kind;
  }

  #time(): string {
    return timestamp(this.#parts.now());
  }
}

function declaredOf(value: Tracked): DeclaredMetadata {
  return (value['metadata'] ?? {}) as DeclaredMetadata; // merged from two of them
}

/**
 * The managedFields that a write starts from: those that the client sends back changed, as kubectl
 * does when it takes over from a client-side apply, none when it resets them, else the stored ones.
 */
function rewritten(old: KubeObject, given: readonly ManagedFieldsEntry[] | undefined): Entries {
  const stored = old.metadata.managedFields ?? [];
  if (!Array.isArray(given)) return stored;
  const [first] = given as readonly unknown[];
  const isOneEmpty =
    given.length === 1 && typeof first === 'object' && first !== null && !Object.keys(first).length;
  if (given.length === 0 || isOneEmpty) return [];
  return decode(given).size > 0 ? given : stored;
}

function refuseOther(old: KubeObject, { metadata }: Pick<Manifest, 'metadata'>): void {
  const { uid, resourceVersion } = metadata as Partial<KubeObject['metadata']>;
  const isOther = uid !== undefined && uid !== '' && uid !== old.metadata.uid;
  const version = old.metadata.resourceVersion;
  const isStale = resourceVersion !== undefined && resourceVersion !== version;
  if (isOther || (isStale && resourceVersion !== '')) {
    throw new StoreError('Conflict', `${keyOf(old)} has changed meanwhile; read it again`);
  }
}
