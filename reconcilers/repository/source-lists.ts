import {
  RepositoryKind,
  repositoryPath,
  suitesOf,
  type Repository,
} from '../../crds/repository.ts';
import type { ExternalArchive } from '../archives/dependencies.ts';
import type { ArchiveRef, Served } from '../archives/served.ts';

/** Where clients find a repository, and its lines of sources.list(5), for the server's own URL. */
export function sourceLists(
  repository: Pick<Repository, 'metadata' | 'spec'>,
  base: string,
): { keyUrl: string; binarySourceList: string; sourceSourceList: string } {
  const url = `${base}/${repositoryPath(repository)}`;
  const signedBy = `signed-by=${keyringOf(repository.metadata.name)}`;
  const lines = (type: 'deb' | 'deb-src') =>
    suitesOf(repository.spec)
      .map(({ name, components }) => lineOf([signedBy], url, name, components, type))
      .join('\n');
  return {
    keyUrl: `${url}/key.asc`,
    binarySourceList: lines('deb'),
    sourceSourceList: lines('deb-src'),
  };
}

/** For an archive that Cairn serves, with its keys in the keyring that is named after it. */
export function linesForServed(
  { path, suites, signedBy, frozen }: Served,
  { kind, name }: ArchiveRef,
  base: string,
): readonly string[] {
  const keyring = kind === RepositoryKind.kind ? name : `${kind.toLowerCase()}-${name}`;
  const options = [
    signedBy === undefined ? 'trusted=yes' : `signed-by=${keyringOf(keyring)}`,
    ...(frozen ? ['check-valid-until=no'] : []),
  ];
  return suites.map(({ suite, components }) =>
    lineOf(options, `${base}/${path}`, suite, components),
  );
}

/** For an archive elsewhere, with its keys in a keyring that is named after host and path. */
export function linesForExternal(external: ExternalArchive): readonly string[] {
  const { url, suites, series, components } = external;
  const keyring = url
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replaceAll(/[^A-Za-z0-9.-]+/g, '_');
  const options = [`signed-by=${keyringOf(keyring.slice(0, mostName))}`];
  return (suites ?? series ?? []).map((suite) => lineOf(options, url, suite, components));
}

const mostName = 200;

function keyringOf(name: string): string {
  return `/etc/apt/keyrings/${name}.asc`;
}

/** A suite that ends in a slash is the directory of a flat archive, which has no components. */
function lineOf(
  options: readonly string[],
  url: string,
  suite: string,
  components: readonly string[],
  type: 'deb' | 'deb-src' = 'deb',
): string {
  const isFlat = suite.endsWith('/');
  const words = [suite === '/' ? './' : suite, ...(isFlat ? [] : components)];
  return [type, `[${options.join(' ')}]`, url, ...words].join(' ');
}
