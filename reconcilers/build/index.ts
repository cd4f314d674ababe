import { BuildKind, type Build } from '../../crds/build.ts';
import { annotations } from '../../crds/object.ts';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { keptStatus } from '../kept-status.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { BuildFiles } from './files.ts';
import { startJob, type Job, type JobDeps } from './job.ts';
import { storeLog } from './log.ts';
import { publishBuilt, type PublishDeps } from './publish.ts';
import { failedAgain, failedReport, lasts, type Failed } from './failed.ts';
import { finish, reportOf, statusOf, type Kept, type Status } from './report.ts';

export interface BuildDeps extends Omit<JobDeps, 'builder' | 'store' | 'blobs'>, PublishDeps {
  readonly store: PublishDeps['store'];
  readonly blobs: JobDeps['blobs'] & PublishDeps['blobs'];
  /** Undefined where nothing can be built. */
  readonly builder: JobDeps['builder'] | undefined;
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
  /** Of those that could not go on, by uid. */
  readonly #failures = new Map<string, Failed>();

  constructor(deps: BuildDeps) {
    this.#deps = deps;
  }

  reconciler(): Reconciler<typeof BuildKind> {
    return {
      kind: BuildKind,
      reconcile: (build, context) => this.#reconcile(build, context),
      finalize: (build) => this.#finalize(build),
      forget: ({ uid }) => {
        this.#tidied.delete(uid);
        this.#failures.delete(uid);
      },
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
      return reportOf(keptStatus(build), build);
    }
    const { builder, store } = this.#deps;
    if (!builder) {
      const message = 'there is no Docker engine to build with: cairn run --docker names one';
      throw new CairnError('BuilderUnavailable', message);
    }
    const why = build.metadata.annotations?.[annotations.cancel];
    const failed = this.#failures.get(uid);
    const isAsked = why !== undefined || context.requested !== undefined;
    if (failed && !isAsked && !this.#jobs.has(uid) && failed.againAt > Date.now()) {
      return failedReport(reportOf(keptStatus(build), build), build, failed);
    }
    const job = this.#jobOf(build, { ...this.#deps, builder, store }, context.poke);
    if (why !== undefined && !job.outcome) return this.#cancel(build, job, { why, context });
    const known = reportOf(this.#statusOf(build, job), build);
    const isRetry = failed && !lasts(job.startedAt, this.#deps.now().getTime());
    if (job.failure) {
      this.#jobs.delete(uid);
      const again = failedAgain(failed, job.failure);
      this.#failures.set(uid, again);
      return failedReport(known, build, again);
    }
    if (!job.outcome) {
      // Until it comes further than before, it is told what was in its way.
      if (isRetry && job.phase !== 'Building') return failedReport(known, build, failed);
      const isQueued = job.isWaiting && known.status.phase === 'Preparing';
      return isQueued ? reportOf({ ...known.status, phase: 'Queued' }, build) : known;
    }
    if (job.outcome.result === 'Built') return this.#publish(build, job, context);
    const { result, message, missing = [] } = job.outcome;
    // One that nobody wants any more is not tried again.
    const isCancelled = why !== undefined && (result === 'Cancelled' || result === 'BuilderLost');
    const own = {
      message: message.slice(0, 4000),
      ...(missing.length > 0 ? { missing: [...missing] } : {}),
    };
    const status = { ...this.#statusOf(build, job), ...own };
    return finish(build, status, isCancelled ? cancelledAs(why) : result, context);
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
      return reportOf(this.#statusOf(build, job), build);
    }
    job.stop.abort(new Error('the Build was cancelled'));
    await job.done;
    const { folder, blobs } = this.#deps;
    const files = new BuildFiles(folder, uid);
    const log = await storeLog(files.log, blobs, `${cancelledAs(why)}: ${why}`);
    const status = { ...this.#statusOf(build, job), ...(log ? { log } : {}), message: why };
    return finish(build, status, cancelledAs(why), context);
  }

  async #publish(build: Build, job: Job, context: RunContext): Promise<Report<Status>> {
    const { plan, outcome } = job;
    if (!plan || !outcome) throw new CairnError('InternalError', 'nothing was built');
    const status = this.#statusOf(build, job);
    try {
      return await publishBuilt({ build, plan, outcome, status }, this.#deps, context);
    } catch (error) {
      const known = reportOf({ ...status, phase: 'Publishing' }, build);
      const failed = failedAgain(this.#failures.get(build.metadata.uid), asCairnError(error));
      this.#failures.set(build.metadata.uid, failed);
      return failedReport(known, build, failed);
    }
  }

  #statusOf(build: Build, job: Job): Kept {
    return statusOf(build, job, this.#deps.baseUrl());
  }

  /** The status holds all that counts: the container and the folder can go. */
  async #tidy(uid: string): Promise<void> {
    if (this.#tidied.has(uid)) return;
    const files = new BuildFiles(this.#deps.folder, uid);
    // Where the engine is away, the next sweep takes what is left.
    if (await files.isThere()) await this.#deps.builder?.forget(uid).catch(() => {});
    await files.remove();
    this.#jobs.delete(uid);
    this.#failures.delete(uid);
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

function cancelledAs(why: string) {
  return why === superseded ? superseded : 'Cancelled';
}
