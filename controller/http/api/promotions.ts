import { EnvironmentKind } from '../../../crds/environment.ts';
import type { Kind } from '../../../crds/kind.ts';
import { annotations, type KubeObject } from '../../../crds/object.ts';
import { compare } from '../../store/managed-fields/compare.ts';
import { placesOf, union } from '../../store/managed-fields/field-set.ts';
import { trackedObject, trackedType } from '../../store/managed-fields/tracked.ts';

/** The annotations by which a promoter asks for work, and approves of what is held. */
const allowed: readonly string[] = [
  annotations.reconcile,
  annotations.fluxReconcile,
  annotations.pruneApproved,
  annotations.shrinkApproved,
].map((key) => `.metadata.annotations.${key}`);

/**
 * The fields that a change touches and a promoter may not: all but the `snapshotRef` of an
 * Environment, and the annotations that ask for a reconcile or approve of something held.
 */
export function beyondPromotion(kind: Kind, before: KubeObject, after: KubeObject): string[] {
  const type = trackedType(kind);
  const { added, modified, removed } = compare(trackedObject(before), trackedObject(after), type);
  return placesOf(union(added, modified, removed)).filter((place) => !isPromotion(kind, place));
}

function isPromotion({ kind }: Kind, place: string): boolean {
  if (place === '.metadata.annotations' || allowed.includes(place)) return true;
  return kind === EnvironmentKind.kind && /^\.spec\.snapshotRef(\.|$)/.test(place);
}
