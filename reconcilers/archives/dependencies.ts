import { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { ArchiveRef } from './served.ts';

export type ExternalArchive = Repository['spec']['externalDependencies'][number];

/** An archive that packages of a repository need, and the Repository that says so. */
export type Dependency =
  | { readonly ref: ArchiveRef; readonly via: string }
  | { readonly external: ExternalArchive; readonly namespace: string; readonly via: string };

const mostDependencies = 256;

/**
 * The archives that packages of a repository are built against and may depend on: those that it names,
 * and those that Repositories among them name in turn, each once, the nearest first. Repositories may
 * name each other. Throws `SpecInvalid` when there are too many.
 */
export async function dependenciesOf(
  repository: Pick<Repository, 'metadata' | 'spec'>,
  store: Pick<StoreReader, 'get'>,
): Promise<readonly Dependency[]> {
  const found = new Map<string, Dependency>();
  const { namespace, name } = repository.metadata;
  const seen = new Set([keyOf({ kind: RepositoryKind.kind, namespace, name })]);
  const waiting = [repository];
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    for (const dependency of namedBy(next)) {
      const key = keyOf('ref' in dependency ? dependency.ref : dependency.external);
      if (seen.has(key)) continue;
      seen.add(key);
      found.set(key, dependency);
      if (found.size > mostDependencies) throw tooMany(name);
      if (!('ref' in dependency) || dependency.ref.kind !== RepositoryKind.kind) continue;
      const other = await store.get(dependency.ref);
      if (other) waiting.push(other as Repository); // the store validated it as such
    }
  }
  return [...found.values()];
}

function namedBy({ metadata, spec }: Pick<Repository, 'metadata' | 'spec'>): Dependency[] {
  const { namespace, name: via } = metadata;
  return [
    ...spec.dependencies.map(({ kind, name }) => ({ ref: { kind, namespace, name }, via })),
    ...spec.externalDependencies.map((external) => ({ external, namespace, via })),
  ];
}

function keyOf(value: ArchiveRef | ExternalArchive): string {
  return JSON.stringify(value);
}

function tooMany(name: string): CairnError {
  const told = `Repository ${name} depends on more than ${mostDependencies} archives`;
  return new CairnError('SpecInvalid', told);
}
