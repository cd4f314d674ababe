import type { Kind } from '../../../crds/kind.ts';
import {
  apiVersion,
  type CommonStatus,
  type KubeObject,
  type ObjectKey,
  type ObjectMeta,
} from '../../../crds/object.ts';
import { isRecord } from '../../../crds/record.ts';
import { checkFields, checkStatus } from './field-validation.ts';
import { checkIsSame, ownedMetadata } from './owned-metadata.ts';
import type { FieldValidation } from './parameters.ts';
import { ApiFailure } from './status.ts';

type Body = Readonly<Record<string, unknown>>;

/** An object's place in the API. */
export interface Target {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

export function keyOfTarget({ kind, namespace, name }: Target): ObjectKey {
  return { kind: kind.kind, namespace, name };
}

/**
 * A body as the document that its URL names: what it leaves out comes from there. Throws 400 when
 * the two disagree.
 */
export function documentOf(
  body: Body,
  { kind, namespace, name }: Omit<Target, 'name'> & { readonly name?: string },
): Body {
  const metadata = metadataOf(body);
  return {
    ...body,
    apiVersion: agreed('apiVersion', body['apiVersion'], apiVersion),
    kind: agreed('kind', body['kind'], kind.kind),
    metadata: {
      ...withoutNulls(metadata),
      namespace: agreed('metadata.namespace', metadata['namespace'], namespace),
      ...(name !== undefined && { name: agreed('metadata.name', metadata['name'], name) }),
    },
  };
}

/**
 * The stored object with what a client writes in its place, and warnings. Without a resourceVersion
 * the client does not care what was there. Throws as `documentOf` and `checkFields`, and 409 when it
 * means another object.
 */
export function replaced(
  body: Body,
  stored: KubeObject,
  { target, validation }: { readonly target: Target; readonly validation: FieldValidation },
): { readonly next: KubeObject; readonly warnings: readonly string[] } {
  const { manifest, warnings } = checkFields(documentOf(body, target), validation);
  const given = metadataOf(body);
  const { labels, annotations } = manifest.metadata;
  const about = { kind: target.kind.kind, name: target.name };
  const next: KubeObject = {
    ...stored,
    metadata: {
      ...stem(stored.metadata),
      ...same(given, stored),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...ownedMetadata(given, about),
      ...(Array.isArray(given['managedFields']) && { managedFields: given['managedFields'] }),
    },
    spec: manifest.spec,
  };
  return { next, warnings };
}

/** The stored object with a client's status, and warnings. Throws as `replaced`. */
export function withStatus(
  body: Body,
  stored: KubeObject,
  { target, validation }: { readonly target: Target; readonly validation: FieldValidation },
): { readonly next: KubeObject; readonly warnings: readonly string[] } {
  const given = body['status'];
  if (!isRecord(given)) throw new ApiFailure(400, 'the body has no status');
  const { status, warnings } = checkStatus({ ...target, status: given }, validation);
  const metadata = { ...stored.metadata, ...same(metadataOf(body), stored) };
  return { next: { ...stored, metadata, status: status as CommonStatus }, warnings };
}

export function metadataOf(body: Body): Body {
  return isRecord(body['metadata']) ? body['metadata'] : {};
}

/** A field that is null is one that was left out. */
function withoutNulls(metadata: Body): Body {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

/** The metadata that stays when a client leaves the rest out. */
function stem(metadata: ObjectMeta): ObjectMeta {
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...rest } = metadata;
  return rest;
}

/** The version and uid that a client has read. */
function same(metadata: Body, stored: KubeObject): Pick<ObjectMeta, 'resourceVersion'> {
  const { resourceVersion } = metadata;
  checkIsSame(metadata, stored.metadata.uid);
  const version = typeof resourceVersion === 'string' && resourceVersion !== '';
  return { resourceVersion: version ? resourceVersion : stored.metadata.resourceVersion };
}

function agreed(field: string, given: unknown, expected: string): string {
  if (given === undefined || given === null || given === '' || given === expected) return expected;
  throw new ApiFailure(400, `${field} is ${JSON.stringify(given)}, but the URL says ${expected}`);
}

/** RFC 7386. `null` removes a field. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result = new Map(Object.entries(isRecord(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}
