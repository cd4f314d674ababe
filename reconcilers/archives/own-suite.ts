import type { Build } from '../../crds/build.ts';
import { findSuite, type Repository } from '../../crds/repository.ts';

/** Whether a suite of a Repository has one of the packages of these relations: see `repository/offers.ts`. */
export type Offers = (
  repository: Repository,
  wanted: {
    readonly suite: string;
    readonly architecture: string;
    readonly relations: readonly string[];
  },
) => Promise<boolean>;

/** The name of the suite that packages are published into; a suite may be meant by its codename. */
export function suiteFor(
  { suite }: Build['spec']['repositoryRef'],
  repository: Pick<Repository, 'spec'>,
): string {
  return (
    findSuite(repository.spec, suite === undefined ? undefined : [suite])?.name ?? suite ?? 'stable'
  );
}

/**
 * The suite that a build publishes into, if it has one of the packages that the build names, or one that provides it: then they
 * are installed from there. Else it is left alone, since it changes with each Build.
 */
export async function ownSuite(
  { repositoryRef, build: { architecture } }: Pick<Build['spec'], 'repositoryRef' | 'build'>,
  relations: readonly string[],
  repository: Repository,
  offers: Offers,
): Promise<string | undefined> {
  const suite = suiteFor(repositoryRef, repository);
  return (await offers(repository, { suite, architecture, relations })) ? suite : undefined;
}
