import type { Repository } from '../../crds/repository.ts';
import { readIndexes, type IndexDeps } from './read-indexes.ts';

export interface Wanted {
  readonly suite: string;
  readonly architecture: string;
  /** Names of packages. */
  readonly names: readonly string[];
}

/** Whether a suite of a repository has one of these packages, in any version, for an architecture. */
export async function offers(
  repository: Pick<Repository, 'spec' | 'status'>,
  { suite, architecture, names }: Wanted,
  deps: IndexDeps,
): Promise<boolean> {
  const isWanted = (place: { readonly suite: string; readonly architecture: string }) =>
    place.suite === suite && place.architecture === architecture;
  for await (const index of readIndexes(repository, isWanted, deps)) {
    if (names.some((name) => index.versions(name).length > 0)) return true;
  }
  return false;
}
