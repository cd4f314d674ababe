import { isPublic, type Mirror } from '../../crds/mirror.ts';
import { mountPath } from '../../crds/mount-path.ts';
import { repositoryPath, type Repository } from '../../crds/repository.ts';
import type { FrozenMember } from '../../crds/snapshot.ts';
import { isRepository, type Member } from './members.ts';

/** A member's last complete state; undefined before it has one. */
export function frozen(member: Member): FrozenMember | undefined {
  return isRepository(member) ? frozenRepository(member) : frozenMirror(member);
}

function frozenMirror(mirror: Mirror): FrozenMember | undefined {
  const { metadata, status } = mirror;
  const { state } = status;
  if (!state) return undefined;
  return {
    mirror: metadata.name,
    path: mountPath(state.url),
    url: state.url,
    tree: state.tree,
    generation: state.generation,
    public: isPublic(mirror),
    download: state.download,
    ...(state.keyring ? { keyring: state.keyring } : {}),
    packages: state.packages,
    suites: state.suites,
  };
}

function frozenRepository(repository: Repository): FrozenMember | undefined {
  const { metadata, spec, status } = repository;
  const { state } = status;
  if (!state) return undefined;
  return {
    mirror: metadata.name,
    kind: 'Repository',
    path: repositoryPath(repository),
    url: `/${repositoryPath(repository)}`,
    tree: state.tree,
    generation: state.generation,
    public: spec.public,
    download: 'Eager',
    keyring: state.keyring,
    packages: state.packages,
    suites: state.suites,
  };
}
