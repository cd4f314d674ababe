import { EnvironmentKind, type Environment } from '../../crds/environment.ts';
import { MirrorSetKind, type MirrorSet } from '../../crds/mirror-set.ts';
import { annotations, conditionOf } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import { SnapshotKind, type FrozenMember, type Snapshot } from '../../crds/snapshot.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { frozen } from '../mirror-set/frozen.ts';
import {
  absence,
  conflictIn,
  dependenciesOf,
  membersOf,
  type Member,
} from '../mirror-set/members.ts';
import type { Dependency, Reconciler, RunContext } from '../reconciler.ts';

/**
 * Takes a snapshot: one list of the store gives every member's last complete state at one instant,
 * and one status write keeps it. A snapshot that was taken is never taken again.
 */
export const snapshotReconciler: Reconciler<typeof SnapshotKind> = {
  kind: SnapshotKind,

  async reconcile(snapshot: Snapshot, context: RunContext) {
    const { namespace } = snapshot.metadata;
    if (snapshot.status.members) {
      const {
        conditions: _c,
        observedGeneration: _o,
        lastHandledReconcileAt: _l,
        ...status
      } = snapshot.status;
      return { status, message: messageOf(snapshot.status.members) };
    }
    const { name } = snapshot.spec.mirrorSetRef;
    const set = (await context.store.get({ kind: MirrorSetKind.kind, namespace, name })) as
      MirrorSet | undefined;
    const dependsOn: Dependency[] = [
      { kind: MirrorSetKind.kind, namespace, name },
      ...(set ? dependenciesOf(set) : []),
    ];
    const members = set ? await cut(set, context) : undefined;
    if (!members || members instanceof CairnError) {
      const failure =
        members ?? new CairnError('DependencyNotReady', `there is no MirrorSet ${name} yet`);
      return { status: {}, message: '', failure, dependsOn };
    }
    const packages = members.reduce((sum, member) => sum + member.packages, 0);
    const expiresAt = firstExpiry(members);
    return {
      status: {
        id: snapshot.metadata.uid,
        takenAt: timestamp(context.now()),
        mirrorSet: name,
        members: [...members],
        packages,
        ...(expiresAt ? { expiresAt } : {}),
      },
      message: messageOf(members),
      events: [{ type: 'Normal', reason: 'Taken', message: messageOf(members) }],
    };
  },

  /** A snapshot that an Environment serves, or is about to serve, stays. */
  async finalize(snapshot: Snapshot, { store }: RunContext) {
    const { name, namespace, uid } = snapshot.metadata;
    const { items } = await store.list(EnvironmentKind.kind, { namespace });
    const users = (items as readonly Environment[])
      .filter(
        ({ spec, status }) =>
          spec.snapshotRef.name === name || status.published?.snapshotUid === uid,
      )
      .map(({ metadata }) => metadata.name);
    if (users.length > 0) {
      throw new CairnError(
        'SnapshotInUse',
        `Environment ${users.join(', ')} uses this snapshot; it goes when that has moved on`,
      );
    }
  },

  /** Most snapshots are never served: they may go at once. */
  isHeldByOthers: true,

  /** An Environment that lets go of it is what its deletion waits for. */
  keptBy: ({ metadata: { namespace } }) => [{ kind: EnvironmentKind.kind, namespace }],
};

/** All members at their last complete states, or why that can't be had yet. */
async function cut(
  set: MirrorSet,
  { store }: RunContext,
): Promise<readonly FrozenMember[] | CairnError> {
  const { found, absent } = await membersOf(set, store);
  const lacking = absence(absent);
  if (lacking !== undefined) return new CairnError('DependencyNotReady', lacking);
  if (found.length === 0) {
    return new CairnError('DependencyNotReady', 'the MirrorSet has no members');
  }
  const waiting = found.filter(isUnderWay).map(({ metadata }) => metadata.name);
  if (waiting.length > 0) {
    return new CairnError(
      'DependencyNotReady',
      `these have nothing complete yet: ${waiting.join(', ')}`,
    );
  }
  const conflict = conflictIn(found);
  if (conflict) return new CairnError('MountConflict', conflict);
  return found.map(frozen).filter((member) => member !== undefined);
}

/**
 * A member without a complete state, or one whose spec has just changed and whose first work
 * under it hasn't ended yet: whoever commits both together means the new one. One that fails,
 * or is suspended, is taken as it last was.
 */
function isUnderWay({ metadata, spec, status }: Member): boolean {
  if (!status.state) return true;
  if (spec.suspend || metadata.annotations?.[annotations.paused] === 'true') return false;
  const known = (status.observedGeneration ?? -1) >= metadata.generation;
  return !known || conditionOf({ status }, 'Reconciling')?.status === 'True';
}

function firstExpiry(members: readonly FrozenMember[]): string | undefined {
  return members
    .flatMap(({ suites }) => suites)
    .map(({ validUntil }) => validUntil)
    .filter((validUntil) => validUntil !== undefined)
    .sort()[0];
}

function messageOf(members: readonly FrozenMember[]): string {
  const packages = members.reduce((sum, member) => sum + member.packages, 0);
  return `Holds ${members.map(({ mirror }) => mirror).join(', ')}: ${packages} pool files`;
}
