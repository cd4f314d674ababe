import { MirrorSetKind, type MirrorSet } from '../../crds/mirror-set.ts';
import { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind } from '../../crds/repository.ts';
import type { Reconciler, RunContext } from '../reconciler.ts';
import { absence, conflictIn, dependenciesOf, membersOf, type Absent } from './members.ts';

/** Says whether all members of a set hold something that can be frozen. */
export const mirrorSetReconciler: Reconciler<typeof MirrorSetKind> = {
  kind: MirrorSetKind,

  async reconcile(set: MirrorSet, { store }: RunContext) {
    const { found, absent } = await membersOf(set, store);
    const members = [
      ...found.map(({ kind, metadata, status }) => ({
        ...asNamed(kind, metadata.name),
        ready: status.state !== undefined,
        packages: status.state?.packages ?? 0,
      })),
      ...absent.map(({ kind, name }) => ({ ...asNamed(kind, name), ready: false, packages: 0 })),
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

function asNamed(kind: string, name: string): { name: string; kind?: 'Repository' } {
  return kind === RepositoryKind.kind ? { name, kind: 'Repository' } : { name };
}

function notReady(
  members: number,
  waiting: readonly string[],
  absent: readonly Absent[],
): CairnError | undefined {
  if (members === 0) return new CairnError('DependencyNotReady', 'nothing matches the selector');
  const lacking = absence(absent);
  if (lacking !== undefined) return new CairnError('DependencyNotReady', lacking);
  if (waiting.length === 0) return undefined;
  return new CairnError(
    'DependencyNotReady',
    `these have nothing complete yet: ${waiting.join(', ')}`,
  );
}
