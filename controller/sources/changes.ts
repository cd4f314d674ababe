import type { KubeObject, Manifest } from '../../crds/object.ts';
import { isSame } from '../json.ts';

/** One field that differs. `from` or `to` is left out where there is none. */
export interface FieldChange {
  /** As in `spec.limits.retries`. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/**
 * What applying a manifest changes in an object: the whole spec, and the labels and annotations
 * that the manifest gives. Those that it gave before and gives no more are not known here.
 */
export function manifestChanges(object: KubeObject, manifest: Manifest): FieldChange[] {
  const { labels = {}, annotations = {} } = manifest.metadata;
  return [
    ...added('metadata.labels', object.metadata.labels ?? {}, labels),
    ...added('metadata.annotations', object.metadata.annotations ?? {}, annotations),
    ...differences('spec', object.spec, manifest.spec),
  ];
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
