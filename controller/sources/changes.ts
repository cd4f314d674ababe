import type { KubeObject, ManagedFieldsEntry, Manifest } from '../../crds/object.ts';
import { isSame } from '../json.ts';
import { fromFieldsV1, union, type FieldSet } from '../store/managed-fields/field-set.ts';
import { isRecord } from '../../crds/record.ts';

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
 * What applying a manifest changes in an object: its spec, and the labels and annotations that the
 * manifest gives. Labels and annotations that it gave before and gives no more are not known here; a
 * field of the spec that it doesn't give stays if somebody else has set it.
 */
export function manifestChanges(object: KubeObject, manifest: Manifest): FieldChange[] {
  const { labels = {}, annotations = {} } = manifest.metadata;
  return [
    ...added('metadata.labels', object.metadata.labels ?? {}, labels),
    ...added('metadata.annotations', object.metadata.annotations ?? {}, annotations),
    ...differences('spec', object.spec, manifest.spec).filter(({ path, to }) => {
      return to !== undefined || isRemoved(object, path);
    }),
  ];
}

/**
 * Whether a field that is not declared goes: a config source has given it, and nobody else. Of
 * objects that don't say who owns what, all of the spec is the source's.
 */
function isRemoved({ metadata: { managedFields } }: KubeObject, path: string): boolean {
  if (!managedFields) return true;
  const isSource = ({ manager, operation }: ManagedFieldsEntry) =>
    operation === 'Apply' && manager.startsWith(sourcePrefix);
  const ours = managedFields.filter(isSource);
  const others = managedFields.filter((entry) => !isSource(entry));
  return isOwned(ours, path) && !isOwned(others, path);
}

function isOwned(entries: readonly ManagedFieldsEntry[], path: string): boolean {
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
