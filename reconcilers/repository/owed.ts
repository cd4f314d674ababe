/**
 * What a publication leaves for later: indexes in .xz, and Contents. That something is owed follows
 * from the state that is published alone, so nobody has to remember it.
 */
import type { RepositoryState } from '../../crds/repository.ts';
import type { TreeEntry } from '../../depot/depot.ts';
import type { PublishRequest } from './request.ts';

/** Of a state that is being made; without `owedSince` when it lacks nothing. */
export function stillOwed(
  { previous, slow, date }: Pick<PublishRequest, 'previous' | 'slow' | 'date'>,
  { entries, isSame }: { readonly entries: readonly TreeEntry[]; readonly isSame: boolean },
): Pick<RepositoryState, 'owedSince' | 'fileLists'> {
  const fileLists = slow?.fileLists ?? previous?.fileLists;
  const lists = fileLists === undefined ? {} : { fileLists };
  const indexes = entries.filter(({ path }) => /\/(Packages|Sources)\.gz$/.test(path));
  const isCompleted = ({ path, sha256 }: TreeEntry) => slow?.completes?.[path] === sha256;
  const wasOwed = previous?.owedSince !== undefined;
  if ((isSame && previous && !wasOwed) || indexes.every(isCompleted)) return lists;
  return { ...lists, owedSince: (slow ? undefined : previous?.owedSince) ?? date };
}

/** So long a repository is to be quiet first, and a millisecond more for each file of its pool: what is made takes longer the larger it is. */
const quietMs = 5000;
/** It is made even though it never is. */
const mostMs = 600_000;

/** When what a state lacks is to be made, in milliseconds; undefined when it lacks nothing. */
export function owedAt(
  state: RepositoryState,
  { isQuiet }: { readonly isQuiet: boolean },
): number | undefined {
  if (state.owedSince === undefined) return undefined;
  const atLast = Date.parse(state.owedSince) + mostMs;
  const quiet = Date.parse(state.date) + quietMs + state.packages;
  return isQuiet ? Math.min(quiet, atLast) : atLast;
}
