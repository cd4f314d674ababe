import { join } from 'node:path';
import type { DockerBuilder } from '../../builders/docker/index.ts';
import type { BaseRequest } from '../../builders/docker/base.ts';
import type { PrepareResult } from '../../builders/results.ts';
import type { Build } from '../../crds/build.ts';
import { CairnError } from '../../crds/reasons.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { applyPackaging } from '../../packaging/apply.ts';
import { given } from '../../packaging/given.ts';
import { planPackaging } from '../../packaging/plan.ts';
import type { PackagingPlan } from '../../packaging/request.ts';
import { checkOut } from '../git/checkout.ts';
import { readSecret } from '../secrets.ts';
import { archivesOf, type ArchiveDeps } from './archives.ts';
import type { BuildFiles, RunPlan } from './files.ts';
import type { BuildLog } from './log.ts';
import { ownSuite, suiteFor, type Offers } from '../archives/own-suite.ts';
import { registryLogins } from './registry-logins.ts';
import { commandOf, limitsOf } from './request.ts';

export interface PrepareDeps extends ArchiveDeps {
  readonly builder: DockerBuilder;
  /** The highest version of a source package that a repository publishes. */
  readonly highestVersion: (
    repository: Repository,
    sourceName: string,
  ) => Promise<string | undefined>;
  readonly offers: Offers;
}

export interface Preparing {
  readonly build: Build;
  readonly files: BuildFiles;
  readonly log: BuildLog;
  readonly signal: AbortSignal;
}

/** For the status: all of them are in the log. */
const mostNotes = 10;

type Unprepared = Extract<PrepareResult, { result: 'DependencyWait' | 'ChrootProblem' }>;

/** Everything up to the run: the packaged tree, and an image to build it in; or why there is none. */
export async function prepareRun(
  { build, files, log, signal }: Preparing,
  deps: PrepareDeps,
): Promise<RunPlan | Unprepared> {
  const preparingAt = timestamp(deps.now());
  const repository = await repositoryOf(build, deps);
  const { plan } = await packagedTree({ build, files, signal }, repository, deps);
  await log.say(`${plan.sourceName} ${plan.version}, ${plan.kind}, of ${build.spec.commit}`);
  for (const note of plan.notes) await log.say(note);
  const own = await ownSuite(build.spec, plan.buildDependencies, repository, deps.offers);
  const { archives, ...made } = await archivesOf(build, repository, own, deps);
  const base = await withLogins(made.base, build, deps);
  await log.say('preparing the root file system');
  const prepared = await deps.builder.prepare(
    {
      key: keyOf(build),
      ...{ base, archives },
      dependencies: { control: controlOf(plan, base) },
      architecture: build.spec.build.architecture,
      log: (bytes) => void log.write(bytes).catch(() => {}),
    },
    signal,
  );
  // Nothing of the build has run yet: it waits until the engine is back.
  if (prepared.result === 'BuilderLost') {
    throw new CairnError('BuilderUnavailable', prepared.message);
  }
  const denied = deniedTo(build, prepared);
  if (denied) throw denied;
  if (prepared.result !== 'Prepared') return prepared;
  await log.say(`building in ${prepared.image}`);
  return {
    ...{ kind: plan.kind, sourceName: plan.sourceName, version: plan.version, last: plan.last },
    command: commandOf(plan),
    epoch: plan.date,
    limits: limitsOf(build),
    notes: plan.notes.slice(0, mostNotes),
    prepared: { image: prepared.image, base: prepared.base, archives: prepared.archives },
    ...given('own', own),
    ...{ logStart: log.size, preparingAt, buildingAt: timestamp(deps.now()) },
  };
}

/** With what its secret has for the registry of an image. Throws `SecretMissing`. */
async function withLogins(
  base: BaseRequest,
  { metadata, spec }: Build,
  { secrets }: Pick<PrepareDeps, 'secrets'>,
): Promise<BaseRequest> {
  const ref = spec.build.base.secretRef;
  const secret = await readSecret(secrets, metadata, ref);
  if (!ref || !secret || base.kind !== 'image') return base;
  return { ...base, logins: registryLogins(ref.name, secret, base.name) };
}

/** Other credentials in the same secret, or rights at the registry, mend that: the Build waits for them. */
function deniedTo({ spec }: Build, prepared: PrepareResult): CairnError | undefined {
  const ref = spec.build.base.secretRef;
  if (prepared.result !== 'ChrootProblem' || !prepared.denied || !ref) return undefined;
  const told = `${prepared.message} (with the secret ${ref.name})`;
  return new CairnError('UpstreamRefused', told);
}

/** For whom it is built: turns are shared out between Sources. */
export function keyOf({ metadata, spec }: Build): string {
  return `${metadata.namespace}/${spec.sourceRef.name}`;
}

export async function repositoryOf(
  { metadata: { namespace }, spec }: Build,
  { store }: Pick<ArchiveDeps, 'store'>,
): Promise<Repository> {
  const { name } = spec.repositoryRef;
  const found = await store.get({ kind: RepositoryKind.kind, namespace, name });
  if (found) return found as Repository;
  throw new CairnError('DependencyNotReady', `there is no Repository ${name}`);
}

/**
 * Checks the commit out, and writes what its package lacks. The same commit gives the same tree, once it is
 * `known` what its version had to be higher than: others go on publishing.
 */
export async function packagedTree(
  { build, files, signal }: Pick<Preparing, 'build' | 'files' | 'signal'>,
  repository: Repository,
  { secrets, highestVersion }: Pick<PrepareDeps, 'secrets' | 'highestVersion'>,
  known?: Pick<RunPlan, 'last'>,
): Promise<{ readonly plan: PackagingPlan; readonly folder: string }> {
  const { metadata, spec } = build;
  const { url, commit, ref, path, counter, lastVersion } = spec;
  const secret = await readSecret(secrets, metadata, spec.secretRef);
  const submodules = spec.submodules && {
    secret: await readSecret(secrets, metadata, spec.submoduleSecretRef),
  };
  const request = { url, secret, commit, ref, submodules, folder: files.checkout };
  const { root, date, author, subject } = await checkOut(request, signal);
  const tag = /^refs\/tags\/(.*)$/.exec(ref)?.[1];
  const plan = await planPackaging({
    folder: root,
    ...(path === undefined ? {} : { subdirectory: path }),
    source: {
      ...{ name: spec.sourceRef.name, url, commit, date, author, subject },
      ...(tag === undefined ? {} : { describe: tag }),
    },
    version: {
      counter,
      ...given('last', known ? known.last : lastVersion),
      ...(known ? {} : { lastOf: (name: string) => highestVersion(repository, name) }),
    },
    maintainer: spec.maintainer,
    distribution: suiteFor(spec.repositoryRef, repository),
  });
  await applyPackaging(plan, root);
  return { plan, folder: join(root, path ?? '') };
}

/** What apt is to install, in the form of a debian/control. */
function controlOf(plan: PackagingPlan, base: BaseRequest): string {
  // A base that is made has them; of an image nobody knows.
  const essential = base.kind === 'image' ? ['build-essential', 'fakeroot'] : [];
  const list = (name: string, relations: readonly string[]) =>
    relations.length === 0 ? '' : `${name}: ${relations.join(', ')}\n`;
  return [
    `Source: ${plan.sourceName}\n`,
    list('Build-Depends', [...plan.buildDependencies, ...essential]),
    list('Build-Conflicts', plan.buildConflicts),
  ].join('');
}
