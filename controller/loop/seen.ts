import { annotations, conditionOf, finalizer, type KubeObject } from '../../crds/object.ts';
import { isSame } from '../json.ts';
import type { Priority } from './queue.ts';

/** What the loop remembers of an object between two events: enough to tell what has changed. */
export interface Seen {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly isSuspended: boolean;
  readonly ready: 'True' | 'False' | 'Unknown';
}

/** Shared by the many that have none: there may be tens of thousands. */
const nothing = {};
const none: readonly string[] = [];

export function seenOf(object: KubeObject): Seen {
  const { namespace, name, uid, resourceVersion, generation } = object.metadata;
  return {
    kind: object.kind,
    namespace,
    name,
    uid,
    resourceVersion,
    generation,
    labels: object.metadata.labels ?? nothing,
    annotations: object.metadata.annotations ?? nothing,
    finalizers: object.metadata.finalizers ?? none,
    isSuspended: isSuspended(object),
    ready: conditionOf(object, 'Ready')?.status ?? 'Unknown',
  };
}

/**
 * How soon an object wants a run after a change of its own; undefined when nothing that it is made
 * from has changed, as after the loop's own writes. Deletion raises the generation.
 */
export function urgencyOf(before: Seen | undefined, after: Seen): Priority | undefined {
  if (before?.uid !== after.uid || before.generation !== after.generation) return 0;
  if (!isSame(before.annotations, after.annotations)) return 0;
  return isSame(foreign(before), foreign(after)) && !hasLostOurs(before, after) ? undefined : 1;
}

/** Whether something has changed that people declare: not the status, nor who holds the object. */
export function isDeclaredChange(before: Seen | undefined, after: Seen): boolean {
  if (before?.uid !== after.uid || before.generation !== after.generation) return true;
  return !areSame(before.labels, after.labels) || !areSame(before.annotations, after.annotations);
}

/** Mostly there are none, which costs nothing. */
function areSame(one: Seen['labels'], other: Seen['labels']): boolean {
  return one === other || isSame(one, other);
}

/** Whether the object is to be left as it is. Deletion goes on all the same. */
export function isSuspended(object: KubeObject): boolean {
  const { spec } = object;
  const isOff =
    typeof spec === 'object' && spec !== null && 'suspend' in spec && spec.suspend === true;
  return isOff || object.metadata.annotations?.[annotations.paused] === 'true';
}

/** As long as status.lastHandledReconcileAt may be. */
const maxToken = 256;

/**
 * What a person last put into the reconcile annotation. There are two, Cairn's and Flux's, and one
 * place in the status to echo them: the later one counts, or Cairn's when they aren't both times.
 */
export function requestOf(object: KubeObject): string | undefined {
  const given = object.metadata.annotations ?? {};
  const ours = given[annotations.reconcile]?.slice(0, maxToken);
  const flux = given[annotations.fluxReconcile]?.slice(0, maxToken);
  if (ours === undefined || flux === undefined) return ours ?? flux;
  return Date.parse(flux) > Date.parse(ours) ? flux : ours;
}

function foreign({ finalizers }: Seen): readonly string[] {
  return finalizers.filter((one) => one !== finalizer);
}

function hasLostOurs(before: Seen, after: Seen): boolean {
  return before.finalizers.includes(finalizer) && !after.finalizers.includes(finalizer);
}
