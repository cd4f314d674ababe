import type { Kind } from '../../../crds/kind.ts';
import type { StoredKind } from '../declared.ts';
import { group, version, type ObjectKey } from '../../../crds/object.ts';

/** What the store on Kubernetes has to know of the kinds it holds. */
export type ServedKind = StoredKind & Pick<Kind, 'plural'>;

/** The path of a kind's objects: of one namespace, or of all. */
export function collectionPath({ plural }: Pick<ServedKind, 'plural'>, namespace?: string): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${group}/${version}${within}/${plural}`;
}

export function objectPath(kind: Pick<ServedKind, 'plural'>, key: Omit<ObjectKey, 'kind'>): string {
  return `${collectionPath(kind, key.namespace)}/${encodeURIComponent(key.name)}`;
}

/** A field manager of at most 128 characters, as the API server wants it, for any name. */
export function fieldManager(manager: string): string {
  return manager.replace(/[^\x20-\x7e]/g, '_').slice(-128);
}
