import { MirrorSetKind, type MirrorSet } from '../../crds/mirror-set.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Reconciler, RunContext } from '../reconciler.ts';
import { conflictIn, dependenciesOf, membersOf } from './members.ts';

/** Says whether all members of a set hold something that can be frozen. */
export const mirrorSetReconciler: Reconciler<typeof MirrorSetKind> = {
  kind: MirrorSetKind,

  async reconcile(set: MirrorSet, { store }: RunContext) {
    const { found, absent } = await membersOf(set, store);
    const members = [
      ...found.map(({ metadata, status }) => ({
        name: metadata.name,
        ready: status.state !== undefined,
        packages: status.state?.packages ?? 0,
      })),
      ...absent.map((name) => ({ name, ready: false, packages: 0 })),
    ].sort((a, b) => (a.name < b.name ? -1 : 1));
    const waiting = members.filter(({ ready }) => !ready).map(({ name }) => name);
    const conflict = conflictIn(found);
    const failure = conflict
      ? new CairnError('MountConflict', conflict)
      : notReady(members.length, waiting, absent);
    return {
      status: { members, membersReady: `${members.length - waiting.length}/${members.length}` },
      message: `All ${members.length} members are ready`,
      ...(failure ? { failure } : {}),
      dependsOn: dependenciesOf(set),
    };
  },
};

function notReady(
  members: number,
  waiting: readonly string[],
  absent: readonly string[],
): CairnError | undefined {
  if (members === 0) return new CairnError('DependencyNotReady', 'no Mirror matches the selector');
  if (absent.length > 0) {
    return new CairnError('DependencyNotReady', `there is no Mirror ${absent.join(', ')} yet`);
  }
  if (waiting.length === 0) return undefined;
  return new CairnError(
    'DependencyNotReady',
    `these Mirrors have nothing complete yet: ${waiting.join(', ')}`,
  );
}
