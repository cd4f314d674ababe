import { compareVersions } from '../../apt/version.ts';
import type { Repository } from '../../crds/repository.ts';
import { readIndexes, type IndexDeps } from './read-indexes.ts';

/**
 * The highest version of a source package that a repository publishes now, in any of its suites: all of them
 * share a pool, in which a version is there once. Undefined when there is none.
 */
export async function highestVersion(
  repository: Pick<Repository, 'spec' | 'status'>,
  name: string,
  deps: IndexDeps,
): Promise<string | undefined> {
  let highest: string | undefined;
  const isSources = ({ architecture }: { readonly architecture: string }) =>
    architecture === 'source';
  for await (const index of readIndexes(repository, isSources, deps)) {
    for (const { version } of index.versions(name)) {
      if (highest === undefined || compareVersions(version, highest) > 0) highest = version;
    }
  }
  return highest;
}
