import { BuildKind, type Build, type BuildResult, type BuildStatus } from '../../crds/build.ts';
import { annotations } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Repository } from '../../crds/repository.ts';
import type { StoreReader, StoreWriter } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { UploadKind, type Upload } from '../../crds/upload.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { BuildFiles, type BuildOutcome } from './files.ts';
import { startJob, type Job, type JobDeps } from './job.ts';
import { repositoryOf } from './prepare.ts';
import { publishable } from './request.ts';

type Status = Build['status'];
type Kept = Report<Status>['status'];

/** How files that a build has made are published: see `repository/upload-manifest.ts`. */
export type PublishFiles = (
  store: StoreReader & Pick<StoreWriter, 'create'>,
  upload: {
    readonly repository: Pick<Repository, 'metadata'>;
    readonly name: string;
    readonly files: Upload['spec']['files'];
    readonly suite?: string | undefined;
    readonly component?: string | undefined;
  },
) => Promise<Upload>;

export interface BuildDeps extends Omit<JobDeps, 'builder' | 'store'> {
  readonly store: StoreReader & Pick<StoreWriter, 'create'>;
  /** Undefined where nothing can be built. */
  readonly builder: JobDeps['builder'] | undefined;
  readonly publish: PublishFiles;
}

const superseded = 'Superseded';

/**
 * Brings Builds to their ends. What it is about is in the spec; what has happened is in a folder of its own,
 * written before anything follows from it; the status says it to people, and is the last to know.
 */
export class Builds {
  readonly #deps: BuildDeps;
  readonly #jobs = new Map<string, Job>();
  readonly #tidied = new Set<string>();

  constructor(deps: BuildDeps) {
    this.#deps = deps;
  }

  reconciler(): Reconciler<typeof BuildKind> {
    return {
      kind: BuildKind,
      reconcile: (build, context) => this.#reconcile(build, context),
      finalize: (build) => this.#finalize(build),
      forget: ({ uid }) => void this.#tidied.delete(uid),
    };
  }

  /** Lets go of everything: containers run on. */
  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const { stop } of jobs) stop.abort(new Error('Cairn ends'));
    await Promise.all(jobs.map(({ done }) => done));
  }

  async #reconcile(build: Build, context: RunContext): Promise<Report<Status>> {
    const { uid } = build.metadata;
    if (build.status.finishedAt !== undefined) {
      await this.#tidy(uid);
      return reportOf(keptOf(build), build);
    }
    const { builder, store } = this.#deps;
    if (!builder) {
      const message = 'there is no Docker engine to build with: cairn run --docker names one';
      throw new CairnError('BuilderUnavailable', message);
    }
    const job = this.#jobOf(build, { ...this.#deps, builder, store }, context.poke);
    const why = build.metadata.annotations?.[annotations.cancel];
    if (why !== undefined && !job.outcome) return this.#cancel(build, job, { why, context });
    if (job.failure) {
      this.#jobs.delete(uid);
      return { ...reportOf(statusOf(build, job), build), failure: job.failure, progressing: false };
    }
    if (!job.outcome) return reportOf(statusOf(build, job), build);
    if (job.outcome.result === 'Built') return this.#publish(build, job, job.outcome, context);
    const { result, message, missing = [] } = job.outcome;
    const isOld = result === 'Cancelled' && why === superseded;
    const own = {
      message: message.slice(0, 4000),
      ...(missing.length > 0 ? { missing: [...missing] } : {}),
    };
    return finish(build, { ...statusOf(build, job), ...own }, isOld ? superseded : result, context);
  }

  #jobOf(build: Build, deps: JobDeps, poke: () => void): Job {
    const { uid } = build.metadata;
    const known = this.#jobs.get(uid);
    if (known) return known;
    const job = startJob(build, deps, poke);
    this.#jobs.set(uid, job);
    return job;
  }

  /** What runs is ended, and tells so itself; what does not run yet never will. */
  async #cancel(
    build: Build,
    job: Job,
    { why, context }: { readonly why: string; readonly context: RunContext },
  ): Promise<Report<Status>> {
    const { uid } = build.metadata;
    if (job.phase === 'Building' && !job.failure) {
      await this.#deps.builder?.cancel(uid, why);
      return reportOf(statusOf(build, job), build);
    }
    job.stop.abort(new Error('the Build was cancelled'));
    await job.done;
    const status = { ...statusOf(build, job), message: why };
    return finish(build, status, why === superseded ? superseded : 'Cancelled', context);
  }

  async #publish(
    build: Build,
    job: Job,
    { artifacts = [] }: BuildOutcome,
    context: RunContext,
  ): Promise<Report<Status>> {
    const { metadata, spec } = build;
    const status: Kept = {
      ...statusOf(build, job),
      phase: 'Publishing',
      publishingAt: build.status.publishingAt ?? timestamp(context.now()),
      artifacts: artifacts.map(({ name, sha256, size }) => ({ name, sha256, size })),
    };
    const files = publishable(artifacts);
    if (!files.some(({ name }) => name.endsWith('.deb'))) {
      const message = 'it has made no package';
      return finish(build, { ...status, message }, 'FailedToBuild', context);
    }
    const repository = await repositoryOf(build, this.#deps);
    const { suite, component } = spec.repositoryRef;
    const name = `build-${metadata.uid}`;
    const upload = await this.#deps.publish(this.#deps.store, {
      ...{ repository, name, files: [...files], suite, component },
    });
    const { result, message = '' } = upload.status;
    if (result === 'Published') return finish(build, status, 'Succeeded', context);
    if (result === 'Refused') {
      return finish(build, { ...status, message }, 'FailedToUpload', context);
    }
    const key = { kind: UploadKind.kind, namespace: metadata.namespace, name };
    return { ...reportOf(status, build), dependsOn: [key] };
  }

  /** The status holds all that counts: the container and the folder can go. */
  async #tidy(uid: string): Promise<void> {
    if (this.#tidied.has(uid)) return;
    const files = new BuildFiles(this.#deps.folder, uid);
    // Where the engine is away, the next sweep takes what is left.
    if (await files.isThere()) await this.#deps.builder?.forget(uid).catch(() => {});
    await files.remove();
    this.#jobs.delete(uid);
    this.#tidied.add(uid);
  }

  async #finalize({ metadata: { uid } }: Build): Promise<void> {
    const job = this.#jobs.get(uid);
    job?.stop.abort(new Error('the Build was deleted'));
    await job?.done;
    this.#tidied.delete(uid);
    await this.#tidy(uid);
  }
}

function keptOf({ status }: Build): Kept {
  const { conditions: _c, observedGeneration: _o, lastHandledReconcileAt: _l, ...kept } = status;
  return kept;
}

/** What is known by now. */
function statusOf(build: Build, { phase, plan, outcome }: Job): Kept {
  const { creationTimestamp } = build.metadata;
  const known: Partial<BuildStatus> = plan
    ? {
        ...{ preparingAt: plan.preparingAt, buildingAt: plan.buildingAt, kind: plan.kind },
        ...{ sourceName: plan.sourceName, version: plan.version },
        inputs: {
          ...{ image: plan.prepared.image, base: plan.prepared.base },
          archives: plan.prepared.archives.map((one) => ({ ...one })),
        },
      }
    : {};
  return {
    ...keptOf(build),
    ...known,
    phase,
    queuedAt: creationTimestamp,
    ...(outcome ? { log: { sha256: outcome.log.sha256, size: outcome.log.size } } : {}),
  };
}

/** The one write after which nothing is done any more but tidying up. */
function finish(
  build: Build,
  status: Kept,
  result: BuildResult,
  { now, poke }: RunContext,
): Report<Status> {
  setImmediate(poke); // to tidy up
  const finished = { phase: 'Finished', result, finishedAt: timestamp(now()) } as const;
  return reportOf({ ...status, ...finished }, build);
}

function reportOf(status: Kept, { spec }: Build): Report<Status> {
  const { result, phase = 'Queued', message = '' } = status;
  const commit = spec.commit.slice(0, 12);
  if (result === undefined) {
    const told = `${phase}: ${commit}`;
    const condition = {
      type: 'Succeeded',
      status: 'Unknown',
      reason: phase,
      message: told,
    } as const;
    return { status, message: told, progressing: true, condition };
  }
  if (result === 'Succeeded') {
    const told = `Published ${status.sourceName ?? ''} ${status.version ?? ''}`;
    const condition = { type: 'Succeeded', status: 'True', reason: result, message: told } as const;
    return { status, message: told, condition };
  }
  const told = `${result}: ${message}`;
  const condition = { type: 'Succeeded', status: 'False', reason: result, message: told } as const;
  return { status, message: '', failure: new CairnError('BuildFailed', told), condition };
}
