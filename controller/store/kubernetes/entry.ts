import type { KubeObject, ManagedFieldsEntry } from '../../../crds/object.ts';
import { StoreError } from '../../../crds/store.ts';
import { isRecord } from '../../../crds/record.ts';

/** An object as it is kept: text, which is small, can't be changed, and is read as a copy. */
export interface Entry {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly body: string;
}

const fieldsOfMetadata = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
];

/**
 * An object of the API server as the store hands it out: without managedFields (a third of it), and
 * with a status even if its CRD gives none.
 */
export function entryOf(kind: string, input: unknown): Entry {
  if (!isRecord(input) || !isRecord(input['metadata'])) {
    throw new StoreError('Unavailable', `the API server sent a ${kind} without metadata`);
  }
  const { apiVersion, metadata, spec = {}, status } = input;
  const kept = Object.fromEntries(
    fieldsOfMetadata.flatMap((field) =>
      metadata[field] === undefined ? [] : [[field, metadata[field]]],
    ),
  ) as unknown as KubeObject['metadata']; // an API server fills these in
  const { namespace = '', name, uid, resourceVersion, labels = {} } = kept;
  const whole = {
    apiVersion,
    kind,
    metadata: kept,
    spec,
    status: status ?? { observedGeneration: -1 },
  };
  return {
    namespace,
    name,
    uid,
    version: versionOf(resourceVersion),
    labels,
    body: JSON.stringify(whole),
  };
}

export function objectOf({ body }: Entry): KubeObject {
  return JSON.parse(body) as KubeObject; // the text that `entryOf` made
}

/** What a write would have made. An object that is not there yet has no version: 0 stands for it. */
export function rehearsedOf(kind: string, input: unknown): KubeObject {
  const { metadata } = isRecord(input) ? input : {};
  if (!isRecord(input) || !isRecord(metadata)) return objectOf(entryOf(kind, input));
  const { resourceVersion = '0' } = metadata;
  return objectOf(entryOf(kind, { ...input, metadata: { ...metadata, resourceVersion } }));
}

/** Who has set which field of an object of the API server. */
export function managedFieldsOf(input: unknown): readonly ManagedFieldsEntry[] {
  const { metadata } = isRecord(input) ? input : {};
  const { managedFields } = isRecord(metadata) ? metadata : {};
  return Array.isArray(managedFields) ? (managedFields as ManagedFieldsEntry[]) : [];
}

/**
 * Resource versions are compared as numbers: kube-apiserver has always made them from revisions of
 * etcd, and since 1.35 its API says so (KEP-5504). A server with others is refused.
 */
export function versionOf(text: unknown): number {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new StoreError('Unavailable', 'the API server has resource versions that are no numbers');
}
