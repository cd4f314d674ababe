import { compareVersions } from '../../apt/version.ts';
import { IndexFile } from '../../apt/write/index-file.ts';
import { suitesOf, type Repository } from '../../crds/repository.ts';
import type { BlobReader } from '../../depot/depot.ts';
import type { Trees } from '../../depot/tree-reader.ts';
import { indexPath } from './places.ts';

const mostIndexBytes = 1024 * 1024 * 1024;

/**
 * The highest version of a source package that a repository publishes now, in any of its suites: all of them
 * share a pool, in which a version is there once. Undefined when there is none.
 */
export async function highestVersion(
  { spec, status: { state } }: Pick<Repository, 'spec' | 'status'>,
  name: string,
  {
    blobs,
    trees,
  }: { readonly blobs: Pick<BlobReader, 'bytes'>; readonly trees: Pick<Trees, 'open'> },
): Promise<string | undefined> {
  if (!state) return undefined;
  const tree = await trees.open(state.tree);
  let highest: string | undefined;
  for (const { name: suite, components } of suitesOf(spec)) {
    for (const component of components) {
      const path = indexPath({ suite, component, architecture: 'source' });
      const found = await tree.get(`dists/${suite}/${path}.gz`);
      if (!found) continue;
      const index = new IndexFile(await blobs.bytes(found.sha256, mostIndexBytes));
      for (const { version } of index.versions(name)) {
        if (highest === undefined || compareVersions(version, highest) > 0) highest = version;
      }
    }
  }
  return highest;
}
