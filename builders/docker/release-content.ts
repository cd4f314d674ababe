import { componentDirectory, type Release } from '../../apt/release.ts';

/**
 * All of a Release that makes a difference to what can be installed: the digests of its indexes, and how eager apt is to use
 * them. Not its dates, and not who has signed it.
 */
export function releaseContent(
  release: Release,
  components: readonly string[],
  architecture: string,
): unknown {
  const folders = foldersOf(release, components, architecture);
  const indexes = [...release.files.values()]
    .filter(({ path }) => isIndexOf(path, folders))
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

function isIndexOf(path: string, folders: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    /^Packages(\.[a-z0-9]+)?$/.test(name) &&
    folders.includes(path.slice(0, -name.length || undefined))
  );
}
