import { Type, type Static } from 'typebox';
import { OneOf } from './scalars.ts';

/** The API group and version of every kind. */
export const group = 'cairn.build';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

/** One aspect of an object's state, as `metav1.Condition` of Kubernetes. */
export const Condition = Type.Object(
  {
    type: Type.String({
      pattern: '^[A-Z][A-Za-z0-9]*$',
      maxLength: 316,
      description: 'What this condition is about: Ready, Reconciling, Stalled.',
    }),
    status: OneOf(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
    observedGeneration: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The metadata.generation that this condition was made from.',
      }),
    ),
    lastTransitionTime: Type.String({
      format: 'date-time',
      description: 'When `status` last flipped.',
    }),
    reason: Type.String({
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      minLength: 1,
      maxLength: 1024,
      description: 'One word for programs.',
    }),
    message: Type.String({ maxLength: 32768, description: 'A sentence for people.' }),
  },
  { description: 'One aspect of the state of this object.' },
);
export type Condition = Static<typeof Condition>;

/** What every status holds, whatever the kind. */
export const commonStatus = {
  observedGeneration: Type.Optional(
    Type.Integer({
      description: 'The metadata.generation that this status was made from; -1 before the first.',
    }),
  ),
  conditions: Type.Optional(
    Type.Array(Condition, { maxItems: 16, description: 'The state, aspect by aspect.' }),
  ),
  lastHandledReconcileAt: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'The reconcile.cairn.build/requestedAt annotation that was last acted on.',
    }),
  ),
} as const;

export interface CommonStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  lastHandledReconcileAt?: string;
}

/** The part of Kubernetes' ObjectMeta that Cairn uses. Times are RFC 3339 in UTC. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
}

/** The fields that one manager has set, as Kubernetes keeps it. Only a store writes it. */
export interface ManagedFieldsEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time: string;
  fieldsType: 'FieldsV1';
  fieldsV1: Record<string, unknown>;
  /** The subresource that they were set through: `status`. */
  subresource?: string;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any stored object. `Spec` and `Status` are the static types of its kind's schemas. */
export interface KubeObject<Spec = unknown, Status = CommonStatus> {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: Spec;
  status: Status;
}

/** What a person writes: an object that is not stored yet. */
export interface Manifest<Spec = unknown> {
  apiVersion: string;
  kind: string;
  metadata: Pick<ObjectMeta, 'name'> &
    Partial<Pick<ObjectMeta, 'namespace' | 'labels' | 'annotations'>>;
  spec: Spec;
}

/** A name for one object: kinds are unique inside the group. */
export interface ObjectKey {
  kind: string;
  namespace: string;
  name: string;
}

/** Annotations that Cairn acts on. */
export const annotations = {
  /** Any change of the value asks for a reconcile now; it is echoed in status.lastHandledReconcileAt. */
  reconcile: 'reconcile.cairn.build/requestedAt',
  /** The same of Flux, so that its tools work here too. */
  fluxReconcile: 'reconcile.fluxcd.io/requestedAt',
  /** Pauses reconciling without touching the spec; the value is `true`. */
  paused: 'cairn.build/paused',
  /** On a ConfigSource: the digest of a held prune plan that may proceed. */
  pruneApproved: 'cairn.build/prune-approved',
  /** On an object: `Never` keeps it when its manifest goes. */
  prune: 'cairn.build/prune',
  /** On an object: `disabled` has config sources leave it alone: nothing is applied, nothing pruned. */
  reconcileObject: 'cairn.build/reconcile',
  /** On a manifest: how it is applied: `Override`, `IfNotPresent` or `Ignore`. */
  ssa: 'cairn.build/ssa',
  /** On a Mirror: the digest of a held shrinking refresh that may proceed. */
  shrinkApproved: 'cairn.build/shrink-approved',
  /** On a Source: any new value has its commit built once more. */
  build: 'cairn.build/build',
  /** On a Source: when a git host has told of a push last. */
  pushed: 'cairn.build/pushed',
  /** On a Build: ends it; the value says why. */
  cancel: 'cairn.build/cancel',
} as const;

/** The finalizer of all kinds that have something to clean up. */
export const finalizer = 'cairn.build/finalizer';

/** The text form of a key, used in logs and as a map key: `Mirror/default/debian`. */
export function keyOf(object: KubeObject | ObjectKey): string {
  const { kind, namespace, name } =
    'metadata' in object
      ? {
          kind: object.kind,
          namespace: object.metadata.namespace,
          name: object.metadata.name,
        }
      : object;
  return `${kind}/${namespace}/${name}`;
}

/** The condition of a type, if the object has it. */
export function conditionOf(
  object: { status?: CommonStatus | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/**
 * Whether Ready is True for the object's current generation
 * (`kubectl wait` reads conditions the same way).
 */
export function isReady(object: KubeObject<unknown, CommonStatus>): boolean {
  const ready = conditionOf(object, 'Ready');
  return (
    ready?.status === 'True' &&
    (object.status.observedGeneration ?? -1) >= object.metadata.generation &&
    (ready.observedGeneration ?? -1) >= object.metadata.generation
  );
}
