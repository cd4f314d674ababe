import type { MirroredSuite } from '../../crds/mirror.ts';
import type { Mount } from './mount-table.ts';

/** The directory of a suite's Release files, without slashes at its ends: empty for `./`. */
export function directoryOf(suite: Pick<MirroredSuite, 'path'>): string {
  return suite.path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

/** Whether a suite is a flat repository: packages lie beside its Release file. */
export function isFlat({ suite }: Pick<MirroredSuite, 'suite'>): boolean {
  return suite.endsWith('/');
}

/** The suite that a file belongs to: the one with the deepest directory above it. */
export function suiteOf(mount: Mount, path: string): MirroredSuite | undefined {
  let best: MirroredSuite | undefined;
  for (const suite of mount.suites) {
    const directory = directoryOf(suite);
    const inside = directory === '' || path.startsWith(`${directory}/`);
    if (inside && directory.length >= (best ? directoryOf(best).length : 0)) best = suite;
  }
  return best;
}

/** `InRelease` and `Release.gpg` anywhere, and the `Release` of a suite (not of a component). */
export function isReleaseFile(mount: Mount, path: string): boolean {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (name === 'InRelease' || name === 'Release.gpg') return true;
  const directory = slash < 0 ? '' : path.slice(0, slash);
  return name === 'Release' && mount.suites.some((suite) => directoryOf(suite) === directory);
}

/** `…/by-hash/<Type>/<hex>`: a name that says what is inside. */
export function isByHash(path: string): boolean {
  return /(^|\/)by-hash\/[A-Za-z0-9]{1,16}\/[0-9a-f]{32,128}$/.test(path);
}

/** Whether a file is a package or source that keeps its content for ever, and no index. */
export function isPoolFile(mount: Mount, path: string): boolean {
  const suite = suiteOf(mount, path);
  if (!suite) return true;
  return (
    isFlat(suite) &&
    /\.(u?deb|ddeb|dsc|tar(\.[a-z0-9]+)?|diff\.gz|asc|buildinfo|changes)$/.test(path)
  );
}
