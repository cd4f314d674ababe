import { componentDirectory, type Release, type ReleaseFile } from '../../apt/release.ts';

/**
 * All of a Release that makes a difference to what can be installed: the digests of its indexes, and how eager apt is to use
 * them. Not its dates, not who has signed it, and not in which other forms there is an index whose plain form it lists.
 */
export function releaseContent(
  release: Release,
  components: readonly string[],
  architecture: string,
): unknown {
  const indexes = foldersOf(release, components, architecture)
    .flatMap((folder) => indexesIn(folder, release))
    .map(
      ({ path, size, hashes }) => [path, size, hashes.SHA256 ?? '', hashes.SHA512 ?? ''] as const,
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { notAutomatic = false, butAutomaticUpgrades = false } = release;
  return [indexes, notAutomatic, butAutomaticUpgrades];
}

function foldersOf(
  release: Release,
  components: readonly string[],
  architecture: string,
): readonly string[] {
  if (components.length === 0) return [''];
  return components
    .flatMap((component) => componentDirectory(release, component) ?? [])
    .flatMap((folder) => [`${folder}/binary-${architecture}/`, `${folder}/binary-all/`]);
}

function indexesIn(folder: string, { files }: Release): readonly ReleaseFile[] {
  const plain = files.get(`${folder}Packages`);
  if (plain) return [plain];
  const forms = ['gz', 'xz', 'bz2', 'lzma', 'lz4', 'zst'];
  return forms.flatMap((form) => files.get(`${folder}Packages.${form}`) ?? []);
}
