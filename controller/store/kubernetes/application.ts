import { createHash } from 'node:crypto';
import { apiVersion, type KubeObject, type Manifest } from '../../../crds/object.ts';
import { isSame, plain } from '../../json.ts';
import { keyOfManifest } from '../declared.ts';
import { merge } from '../managed-fields/merge.ts';
import type { Tracked } from '../managed-fields/ownership.ts';
import { trackedManifest, trackedObject, trackedType } from '../managed-fields/tracked.ts';
import type { ServedKind } from './resource.ts';

/** What a manifest asks of the API server. */
export interface Application {
  /** Of an apply patch: the fields that the manifest gives, and no default. */
  readonly body: object;
  /** All of the object that comes of it, as far as can be told here: to be judged. */
  readonly whole: Manifest;
  /** What the object is compared with: itself with those fields in it. */
  readonly merged: Tracked;
  /** Names this application to the object of a uid. */
  digest(uid: string): string;
}

/**
 * `before` is the object that is there. A manifest that names a uid or a resourceVersion is refused
 * by the server when the object has another one. Throws Invalid where a list has an item twice.
 */
export function applicationOf(
  manifest: Manifest,
  kind: ServedKind,
  before: KubeObject | undefined,
): Application {
  const { name, namespace } = keyOfManifest(manifest);
  const given = trackedManifest(manifest, kind);
  const merged = merge(before ? trackedObject(before) : {}, given, trackedType(kind)) as Tracked; // maps both
  const { labels, annotations } = (merged['metadata'] ?? {}) as Manifest['metadata'];
  const { uid, resourceVersion } = manifest.metadata as Partial<KubeObject['metadata']>;
  const only = { uid: uid || undefined, resourceVersion: resourceVersion || undefined };
  const metadata = { ...(given['metadata'] as object | undefined), ...only, name, namespace };
  const body = plain({ apiVersion, kind: kind.kind, ...given, metadata });
  return {
    body,
    whole: {
      apiVersion: manifest.apiVersion,
      kind: kind.kind,
      metadata: plain({
        name,
        namespace,
        ...(labels && { labels }),
        ...(annotations && { annotations }),
      }),
      spec: merged['spec'],
    },
    merged,
    digest: (of) => digestOf([body, of]),
  };
}

/** Whether an object is as an application wants it. */
export function holds(object: KubeObject, { merged }: Application): boolean {
  return isSame(trackedObject(object), merged);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}
