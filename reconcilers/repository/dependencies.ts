import { asCairnError } from '../../crds/reasons.ts';
import type { DependencyStatus, Repository } from '../../crds/repository.ts';
import type { StoreReader } from '../../crds/store.ts';
import { dependenciesOf, type Dependency } from '../archives/dependencies.ts';
import { servedFor } from '../archives/served.ts';
import type { Report } from '../reconciler.ts';
import { secretValue, type Secrets } from '../secrets.ts';
import { linesForExternal, linesForServed } from './source-lists.ts';

export interface DependencyDeps {
  readonly store: Pick<StoreReader, 'get'>;
  readonly secrets: Secrets;
  /** How clients reach this server; undefined while nobody knows. */
  readonly base: string | undefined;
}

/** What a repository tells of the archives that its packages depend on. */
export interface Dependencies {
  readonly status: Pick<Repository['status'], 'dependencies' | 'dependencySourceList'>;
  /** For people, at the end of what Ready says; empty when all is well. */
  readonly remark: string;
  readonly condition?: NonNullable<Report<Repository['status']>['condition']>;
  readonly dependsOn: NonNullable<Report<Repository['status']>['dependsOn']>;
  /** Nobody tells when a secret changes that one of them needs. */
  readonly hasSecrets: boolean;
}

interface Resolved {
  readonly told: DependencyStatus;
  readonly lines: readonly string[];
}

/**
 * Looks at what a repository depends on. That something of it is missing stops nobody from publishing:
 * it is said, and in the way of builds alone.
 */
export async function lookAtDependencies(
  repository: Pick<Repository, 'metadata' | 'spec'>,
  deps: DependencyDeps,
): Promise<Dependencies> {
  const found = await findAll(repository, deps);
  if (found instanceof Error) {
    const { message } = found;
    const condition = conditionOf('False', found.reason, message);
    return { status: {}, remark: `; ${message}`, condition, dependsOn: [], hasSecrets: false };
  }
  if (found.length === 0) return { status: {}, remark: '', dependsOn: [], hasSecrets: false };
  const { name } = repository.metadata;
  const resolved = await Promise.all(found.map((one) => resolve(one, name, deps)));
  const dependencies = resolved.map(({ told }) => told);
  const list = joined(resolved.flatMap(({ lines }) => lines));
  return {
    status: { dependencies, ...(list === '' ? {} : { dependencySourceList: list }) },
    ...verdict(dependencies),
    dependsOn: found.flatMap((one) => ('ref' in one ? [one.ref] : [])),
    hasSecrets: found.some((one) => 'external' in one && one.external.keyRef !== undefined),
  };
}

async function findAll(
  repository: Pick<Repository, 'metadata' | 'spec'>,
  { store }: DependencyDeps,
) {
  try {
    return await dependenciesOf(repository, store);
  } catch (error) {
    return asCairnError(error);
  }
}

async function resolve(one: Dependency, own: string, deps: DependencyDeps): Promise<Resolved> {
  const about = {
    ...nameOf(one),
    ...(one.via === own ? {} : { via: one.via }),
    ...clientSources(one, deps.base),
  };
  try {
    const lines = await linesOf(one, deps);
    return { told: { ...about, ready: true }, lines };
  } catch (error) {
    const { message } = asCairnError(error);
    return { told: { ...about, ready: false, message: message.slice(0, mostText) }, lines: [] };
  }
}

const mostText = 1000;

function nameOf(one: Dependency): Pick<DependencyStatus, 'kind' | 'name'> {
  if ('external' in one) return { kind: 'External', name: one.external.url };
  return { kind: one.ref.kind as DependencyStatus['kind'], name: one.ref.name }; // by its schema
}

async function linesOf(one: Dependency, deps: DependencyDeps): Promise<readonly string[]> {
  if ('external' in one) {
    const { external, namespace } = one;
    if (external.keyRef) await secretValue(deps.secrets, { ...external.keyRef, namespace });
    return linesForExternal(external);
  }
  const served = await servedFor(one.ref, deps.store);
  const { base } = deps;
  return base === undefined
    ? []
    : served.flatMap((archive) => linesForServed(archive, one.ref, base));
}

const folders: Readonly<Record<string, string>> = {
  Mirror: 'mirrors',
  Snapshot: 'snapshots',
  Environment: 'environments',
};

function clientSources(one: Dependency, base: string | undefined) {
  if ('external' in one || base === undefined) return {};
  const { kind, namespace, name } = one.ref;
  const folder = folders[kind] ?? `repositories/${namespace}`;
  return { clientSources: `${base}/${folder}/${name}/client.sources` };
}

function verdict(all: readonly DependencyStatus[]): Pick<Dependencies, 'remark' | 'condition'> {
  const [first, ...more] = all.filter(({ ready }) => !ready);
  if (!first) {
    return { remark: '', condition: conditionOf('True', 'Succeeded', `${all.length} are ready`) };
  }
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  const { kind, name, message = '' } = first;
  const named = message.startsWith(`${kind} ${name}`) ? message : `${kind} ${name}: ${message}`;
  return {
    remark: `; a dependency is not ready: ${named}${others}`,
    condition: conditionOf('False', 'DependencyNotReady', `${named}${others}`),
  };
}

function conditionOf(status: 'True' | 'False', reason: string, message: string) {
  return { type: 'DependenciesReady', status, reason, message } as const;
}

const mostList = 65_000;

/** As many lines as there is room for. */
function joined(lines: readonly string[]): string {
  let list = '';
  for (const line of new Set(lines)) {
    if (list.length + line.length >= mostList) break;
    list += list === '' ? line : `\n${line}`;
  }
  return list;
}
