import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { checkRepository, repositoryRules } from './repository-check.ts';
import { repositorySpec, type RepositorySpec } from './repository-spec.ts';
import { repositoryStatus } from './repository-state.ts';

export type { RepositorySpec } from './repository-spec.ts';
export type {
  HiddenPackage,
  DependencyStatus,
  PackageCount,
  RepositoryState,
  UploadResult,
} from './repository-state.ts';

export const RepositoryKind = defineKind({
  kind: 'Repository',
  plural: 'repositories',
  shortNames: ['repo'],
  summary:
    'A signed APT repository of your own: what is published into it is there for apt at once.',
  spec: repositorySpec,
  status: repositoryStatus,
  check: checkRepository,
  rules: repositoryRules,
  columns: [
    { name: 'Packages', jsonPath: '.status.state.packages', type: 'integer' },
    { name: 'Published', jsonPath: '.status.state.date', type: 'date' },
    { name: 'Key', jsonPath: '.status.keys[0].fingerprint', wide: true },
    { name: 'Suspended', jsonPath: '.spec.suspend', wide: true },
    ...commonColumns,
  ],
});

export type Repository = ObjectOf<typeof RepositoryKind>;

/** A suite with all that it has from its repository. */
export interface RepositorySuite extends Omit<
  RepositorySpec['suites'][number],
  'components' | 'architectures'
> {
  readonly components: readonly string[];
  readonly architectures: readonly string[];
}

export function suitesOf({ suites, components, architectures }: RepositorySpec): RepositorySuite[] {
  return suites.map((suite) => ({ components, architectures, ...suite }));
}

/** The first suite that has one of these names or codenames; the first of all when nobody says which. */
export function findSuite(
  spec: RepositorySpec,
  names: readonly string[] | undefined,
): RepositorySuite | undefined {
  return suitesOf(spec).find(
    ({ name, codename }) =>
      names === undefined || names.some((one) => one === name || one === codename),
  );
}

/** Where it is served: `repositories/<namespace>/<name>`, below the server and below snapshots. */
export function repositoryPath({ metadata }: Pick<Repository, 'metadata'>): string {
  return `repositories/${metadata.namespace}/${metadata.name}`;
}
