import { repositoryPath, suitesOf, type Repository } from '../../crds/repository.ts';

/** Where clients find a repository, and its lines of sources.list(5), for the server's own URL. */
export function sourceLists(
  repository: Pick<Repository, 'metadata' | 'spec'>,
  base: string,
): { keyUrl: string; binarySourceList: string; sourceSourceList: string } {
  const url = `${base}/${repositoryPath(repository)}`;
  const keyring = `/etc/apt/keyrings/${repository.metadata.name}.asc`;
  const lines = (type: 'deb' | 'deb-src') =>
    suitesOf(repository.spec)
      .map(
        ({ name, components }) =>
          `${type} [signed-by=${keyring}] ${url} ${name} ${components.join(' ')}`,
      )
      .join('\n');
  return {
    keyUrl: `${url}/key.asc`,
    binarySourceList: lines('deb'),
    sourceSourceList: lines('deb-src'),
  };
}
