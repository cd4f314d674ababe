import { alternativesOf, satisfies } from '../../apt/relations.ts';
import type { Repository } from '../../crds/repository.ts';
import type { ProvidedNames } from './provided.ts';
import { readIndexes, type IndexDeps } from './read-indexes.ts';

export interface Wanted {
  readonly suite: string;
  readonly architecture: string;
  /** Relations, as in Build-Depends. */
  readonly relations: readonly string[];
}

export interface OffersDeps extends IndexDeps {
  readonly provided: ProvidedNames;
}

/**
 * Whether a suite of a repository has one of these packages, in any version, for an architecture; or one that provides it, in a
 * version that is wanted: apt knows of an unversioned name that it is never the right version (Policy 7.5).
 */
export async function offers(
  repository: Pick<Repository, 'spec' | 'status'>,
  { suite, architecture, relations }: Wanted,
  { provided, ...deps }: OffersDeps,
): Promise<boolean> {
  const wanted = Map.groupBy(relations.flatMap(alternativesOf), ({ name }) => name);
  if (wanted.size === 0) return false;
  const isWanted = (place: { readonly suite: string; readonly architecture: string }) =>
    place.suite === suite && place.architecture === architecture;
  for await (const index of readIndexes(repository, isWanted, deps)) {
    for (const name of wanted.keys()) if (index.versions(name).length > 0) return true;
    const found = await provided.some(
      index,
      (one) => wanted.get(one.name)?.some((relation) => satisfies(one, relation)) === true,
    );
    if (found) return true;
  }
  return false;
}
