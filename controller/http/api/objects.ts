import type { Kind } from '../../../crds/kind.ts';
import {
  apiVersion,
  type CommonStatus,
  type KubeObject,
  type Manifest,
  type ObjectKey,
  type ObjectMeta,
} from '../../../crds/object.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { isRecord } from './body.ts';
import { ApiFailure, invalid } from './status.ts';

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
 * A manifest from a body; what it leaves out comes from its URL. Throws 400 when the two disagree,
 * 422 when it does not fit the schema.
 */
export function manifestOf(body: Body, target: Omit<Target, 'name'> & { name?: string }): Manifest {
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const whole = {
    ...body,
    apiVersion: agreed('apiVersion', body['apiVersion'], apiVersion),
    kind: agreed('kind', body['kind'], target.kind.kind),
    metadata: {
      ...metadata,
      namespace: agreed('metadata.namespace', metadata['namespace'], target.namespace),
      ...(target.name !== undefined && {
        name: agreed('metadata.name', metadata['name'], target.name),
      }),
    },
  };
  const { manifest, problems } = validateManifest(whole, { ignoreServerFields: true });
  if (manifest) return manifest;
  const name = whole.metadata['name' as keyof typeof whole.metadata];
  throw invalid(problems, {
    kind: target.kind.plural,
    ...(typeof name === 'string' && { name }),
  });
}

/**
 * The stored object with what a client writes in its place. Without a resourceVersion the client
 * does not care what was there. Throws as `manifestOf`, and 409 when it means another object.
 */
export function replaced(body: Body, stored: KubeObject, target: Target): KubeObject {
  const manifest = manifestOf(body, target);
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const { labels, annotations, finalizers, ownerReferences, ...fixed } = stored.metadata;
  return {
    ...stored,
    metadata: {
      ...fixed,
      ...same(metadata, stored),
      ...(manifest.metadata.labels && { labels: manifest.metadata.labels }),
      ...(manifest.metadata.annotations && { annotations: manifest.metadata.annotations }),
      ...listed(metadata, { finalizers, ownerReferences }),
    },
    spec: manifest.spec,
  };
}

/** The stored object with a client's status. Throws as `replaced`; a status is not validated. */
export function withStatus(body: Body, stored: KubeObject): KubeObject {
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const status = body['status'];
  if (!isRecord(status)) throw new ApiFailure(400, 'the body has no status');
  return {
    ...stored,
    metadata: { ...stored.metadata, ...same(metadata, stored) },
    status: status as CommonStatus, // of the admin token's holder, who vouches for it
  };
}

/** The version and uid that a client has read. */
function same(metadata: Body, stored: KubeObject): Pick<ObjectMeta, 'resourceVersion'> {
  const { uid, resourceVersion } = metadata;
  if (typeof uid === 'string' && uid !== '' && uid !== stored.metadata.uid) {
    throw new ApiFailure(409, 'this is another object of that name by now');
  }
  const version = typeof resourceVersion === 'string' && resourceVersion !== '';
  return { resourceVersion: version ? resourceVersion : stored.metadata.resourceVersion };
}

type Listed = Pick<ObjectMeta, 'finalizers' | 'ownerReferences'>;

function listed(
  metadata: Body,
  before: { [Key in keyof Listed]: Listed[Key] | undefined },
): Listed {
  const finalizers = 'finalizers' in metadata ? metadata['finalizers'] : before.finalizers;
  const isList = Array.isArray(finalizers) && finalizers.every((one) => typeof one === 'string');
  const { ownerReferences } = before;
  return { ...(isList && { finalizers }), ...(ownerReferences && { ownerReferences }) };
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
