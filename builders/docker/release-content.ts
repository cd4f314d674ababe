import { splitCleartext } from '../../apt/cleartext.ts';
import { componentDirectory, parseRelease, type Release } from '../../apt/release.ts';

/**
 * All of a Release or InRelease that makes a difference to what can be installed: the digests of its indexes, and how eager apt
 * is to use them. Not its dates. Undefined when it can't be read; whether it is signed is for others to say.
 */
export function releaseContent(
  bytes: Buffer,
  components: readonly string[],
  architecture: string,
): unknown {
  try {
    const text = bytes.toString();
    const isCleartext = text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----');
    const release = parseRelease(isCleartext ? splitCleartext(bytes).text : text);
    const indexes = [...release.files.values()]
      .filter(({ path }) => isIndexOf(path, foldersOf(release, components, architecture)))
      .map(({ path, size, hashes }) => [path, size, hashes.SHA256 ?? '', hashes.SHA512 ?? ''])
      .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
    if (indexes.length === 0) return undefined;
    const { notAutomatic = false, butAutomaticUpgrades = false } = release;
    return [indexes, notAutomatic, butAutomaticUpgrades];
  } catch {
    return undefined;
  }
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
