import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ManagedFieldsEntry, Manifest } from '../../crds/object.ts';
import { isSame } from '../json.ts';
import { fromFieldsV1, union, type FieldSet } from '../store/managed-fields/field-set.ts';
import { isRecord } from '../../crds/record.ts';
import { validateManifest } from '../../crds/validate.ts';

/** One field that differs. `from` or `to` is left out where there is none. */
export interface FieldChange {
  /** As in `spec.limits.retries`. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** How config sources call themselves when they apply: `config:<namespace>/<name>`. */
const sourcePrefix = 'config:';

/**
 * What applying a manifest changes in an object: the fields of the spec, labels and annotations that
 * it gives, and those of the spec that it gives no more. Labels and annotations that it gave before
 * are not known here. Fields that somebody else has set, and defaults, stay. Of a manifest that is not
 * new, nothing can have been given before that is given no more.
 */
export function manifestChanges(
  object: KubeObject,
  manifest: Manifest,
  { isNew = true }: { readonly isNew?: boolean } = {},
): FieldChange[] {
  const { labels = {}, annotations = {} } = manifest.metadata;
  const given = givenDifferences('spec', object.spec, manifest.spec);
  const removed = isNew ? removals(object, manifest, given) : [];
  return [
    ...added('metadata.labels', object.metadata.labels ?? {}, labels),
    ...added('metadata.annotations', object.metadata.annotations ?? {}, annotations),
    ...[...given, ...removed].sort(byPath),
  ];
}

function byPath(a: FieldChange, b: FieldChange): number {
  return a.path < b.path ? -1 : 1;
}

/** Of the fields that are given. It is asked of every object in every run, so it makes no copies. */
function givenDifferences(path: string, from: unknown, to: unknown): FieldChange[] {
  if (isRecord(from) && isRecord(to)) {
    return Object.keys(to).flatMap((key) => givenDifferences(`${path}.${key}`, from[key], to[key]));
  }
  if (isDeepStrictEqual(from, to) || isSame(from, to)) return [];
  return [{ path, ...(from !== undefined && { from }), to }];
}

/** Fields that the manifest doesn't give, and that will have their defaults, or be gone. */
function removals(
  object: KubeObject,
  manifest: Manifest,
  given: readonly FieldChange[],
): FieldChange[] {
  const complete = validateManifest(manifest).manifest ?? manifest;
  const told = new Set(given.map(({ path }) => path));
  return differences('spec', object.spec, complete.spec).filter(
    ({ path }) => !told.has(path) && isRemoved(object, path),
  );
}

/**
 * Whether a field that is not declared goes: a config source has given it, and nobody else. Of
 * objects that don't say who has set what, all that is no default may be the source's.
 */
function isRemoved({ metadata: { managedFields } }: KubeObject, path: string): boolean {
  if (!managedFields) return true;
  const ours = managedFields.filter(isOfSource);
  const others = managedFields.filter((entry) => !isOfSource(entry));
  return isOwned(ours, path) && !isOwned(others, path);
}

/** Whether a config source has applied these fields. */
export function isOfSource({ manager, operation }: ManagedFieldsEntry): boolean {
  return operation === 'Apply' && manager.startsWith(sourcePrefix);
}

/** Whether one of these managers has set a field, or a part of it. */
export function isOwned(entries: readonly ManagedFieldsEntry[], path: string): boolean {
  return isInside(path, union(...entries.map(({ fieldsV1 }) => fromFieldsV1(fieldsV1))));
}

/** Names of fields may have dots in them. */
function isInside(path: string, { children }: FieldSet): boolean {
  return [...children].some(([element, child]) => {
    if (element === `f:${path}`) return !child.isEmpty();
    return `f:${path}`.startsWith(`${element}.`) && isInside(path.slice(element.length - 1), child);
  });
}

function added(
  path: string,
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
): FieldChange[] {
  return Object.keys(to).flatMap((key) => differences(`${path}.${key}`, from[key], to[key]));
}

/** Mappings are compared field by field, anything else as a whole. Their depth is the schema's. */
function differences(path: string, from: unknown, to: unknown): FieldChange[] {
  if (isSame(from, to)) return [];
  if (!isRecord(from) || !isRecord(to)) {
    return [{ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  }
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].sort().flatMap((key) => differences(`${path}.${key}`, from[key], to[key]));
}
