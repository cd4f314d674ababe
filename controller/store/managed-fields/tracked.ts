import { structural, type StructuralSchema } from '../../../crds/crd.ts';
import type { KubeObject, Manifest } from '../../../crds/object.ts';
import { StoreError } from '../../../crds/store.ts';
import { plain } from '../../json.ts';
import { declaredMetadata, type DeclaredMetadata, type StoredKind } from '../declared.ts';
import type { Tracked } from './ownership.ts';
import { duplicateIn, partsOf, typeOf, type Type } from './structure.ts';

/** Metadata as ObjectMeta of Kubernetes declares it, as far as it has owners. */
const metadata: StructuralSchema = {
  type: 'object',
  properties: {
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    finalizers: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: { type: 'object' },
    },
  },
};

const types = new Map<string, StructuralSchema>();

/** The type of a kind's objects: it says which of their parts have owners of their own. */
export function trackedType({ kind, spec, status }: StoredKind): Type {
  const known = types.get(kind);
  if (known) return known;
  const properties = { metadata, spec: structural(spec), status: structural(status) };
  const type: StructuralSchema = { type: 'object', properties };
  types.set(kind, type);
  return type;
}

/** What is declared of a stored object. */
export function trackedObject(object: Pick<KubeObject, 'metadata' | 'spec'>): Tracked {
  return { metadata: declaredMetadata(object.metadata), spec: object.spec };
}

/**
 * What somebody has written, and nothing that defaults would add: under the names of today, without
 * nulls, which say nothing. Throws Invalid where a list names an item twice.
 */
export function trackedManifest(manifest: Manifest, kind: StoredKind): Tracked {
  const declared = declaredMetadata(manifest.metadata as DeclaredMetadata);
  const spec = withoutNulls(plain(manifest.spec ?? null));
  const tracked = {
    ...(Object.keys(declared).length > 0 && { metadata: declared }),
    ...(spec !== undefined && { spec: underTodaysNames(spec, kind) }),
  };
  refuseDuplicates(tracked, trackedType(kind), '');
  return tracked;
}

/** A field that is there under both of its names is left for the validator to refuse. */
function underTodaysNames(spec: unknown, { aliases = {} }: StoredKind): unknown {
  if (!partsOf(spec, undefined)) return spec;
  const names = new Map(Object.entries(aliases));
  const nameOf = (field: string) => {
    const name = names.get(field);
    return name === undefined || Object.hasOwn(spec as object, name) ? field : name;
  };
  const entries = Object.entries(spec as object);
  return Object.fromEntries(entries.map(([field, value]) => [nameOf(field), value]));
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const kept = Object.entries(value as object)
    .map(([key, child]) => [key, withoutNulls(child)] as const)
    .filter(([, child]) => child !== undefined);
  return Object.fromEntries(kept);
}

function refuseDuplicates(value: unknown, type: Type, field: string): void {
  const twice = duplicateIn(value, type);
  if (twice !== undefined) {
    const message = `${twice} is given twice`;
    const cause = { reason: 'FieldValueDuplicate', message, field };
    throw new StoreError('Invalid', `${field}: ${message}`, { causes: [cause] });
  }
  for (const [element, child] of partsOf(value, type) ?? []) {
    const step = element.startsWith('f:') ? element.slice(2) : `[${element.slice(2)}]`;
    refuseDuplicates(child, typeOf(element, type), field === '' ? step : `${field}.${step}`);
  }
}
