import type { Request } from 'express';
import type { KubeObject } from '../../../crds/object.ts';
import { bodyObject, bodyType, bodyValue } from './body.ts';
import { isRecord } from '../../../crds/record.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch, metadataOf } from './objects.ts';
import { ApiFailure } from './status.ts';

export type Body = Readonly<Record<string, unknown>>;

/** What a client makes of the stored object. */
export type Edit = (stored: KubeObject) => Body;

/** The patch of a request, by the type of its body. Throws 415 for other types. */
export function editOf(req: Request): Edit {
  const type = bodyType(req);
  if (type === 'application/merge-patch+json') {
    const patch = bodyObject(req);
    return (stored) => asBody(mergePatch(stored, patch));
  }
  if (type === 'application/json-patch+json') {
    const patch = bodyValue(req);
    return (stored) => asBody(jsonPatch(stored, patch));
  }
  const offer = ['json-patch+json', 'merge-patch+json', 'apply-patch+yaml'];
  const types = offer.map((one) => `application/${one}`).join(', ');
  const message = `patches of type ${type || '(none)'} are not understood; accepted are ${types}`;
  throw new ApiFailure(415, message);
}

function asBody(patched: unknown): Body {
  if (isRecord(patched)) return patched;
  throw new ApiFailure(422, 'the patch leaves no object');
}

/** A body under another name. */
export function withName(body: Body, name: string): Body {
  return { ...body, metadata: { ...metadataOf(body), name } };
}

/** What a promoter sends as managedFields is not looked at: it would be no promotion. */
export function withOwnersOf(
  { metadata: { managedFields } }: KubeObject,
  next: KubeObject,
): KubeObject {
  const { managedFields: _, ...metadata } = next.metadata;
  return { ...next, metadata: { ...metadata, ...(managedFields && { managedFields }) } };
}

/** Nothing was stored: there is no new version, and none at all of what was not there. */
export function asRehearsed(object: KubeObject, before: KubeObject | undefined): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const version = before && { resourceVersion: before.metadata.resourceVersion };
  return { ...object, metadata: { ...metadata, ...version } as KubeObject['metadata'] };
}
