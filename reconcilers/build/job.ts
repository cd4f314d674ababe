import { RequestInvalid } from '../../builders/docker/request.ts';
import { SourceInvalid } from '../../builders/docker/source-tar.ts';
import { EngineError } from '../../builders/docker/engine-error.ts';
import type { FairQueue } from '../../builders/fair-queue.ts';
import type { RunResult } from '../../builders/results.ts';
import type { Build } from '../../crds/build.ts';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { timestamp } from '../../crds/timestamp.ts';
import type { BlobReader, BlobWriter } from '../../depot/depot.ts';
import { SubmoduleUngiven } from '../git/checkout.ts';
import { archivesOf } from './archives.ts';
import { BuildFiles, type BuildOutcome, type RunPlan } from './files.ts';
import { BuildLog, endOfLog } from './log.ts';
import { noteFor, takeOver } from './note.ts';
import { foreignPackage } from './own-packages.ts';
import { keyOf, packagedTree, prepareRun, repositoryOf, type PrepareDeps } from './prepare.ts';
import { treeTar } from './tree-tar.ts';

export interface JobDeps extends PrepareDeps {
  readonly blobs: Pick<BlobReader, 'bytes' | 'read'> & Pick<BlobWriter, 'write' | 'sync'>;
  /** Where each Build has a folder, by its uid. */
  readonly folder: string;
  /** How many are worked on at once, and in which order. */
  readonly queue: FairQueue;
}

export type JobPhase = 'Queued' | 'Preparing' | 'Building';

/** One Build that is worked on in the background. */
export interface Job {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  /** By the clock of `now`. */
  readonly startedAt: number;
  phase: JobPhase;
  /** Others have to end first. */
  isWaiting: boolean;
  plan: RunPlan | undefined;
  outcome: BuildOutcome | undefined;
  /** The world may heal by itself. */
  failure: CairnError | undefined;
}

/** Of what is said before the run; the run has a limit of its own. */
const mostPreparingBytes = 16 * 2 ** 20;

/** Goes on with a Build wherever it is; `poke` is called whenever there is news. */
export function startJob(build: Build, deps: JobDeps, poke: () => void): Job {
  const stop = new AbortController();
  const job: { -readonly [Key in keyof Job]: Job[Key] } = {
    ...{ stop, startedAt: deps.now().getTime(), phase: phaseOf(build), isWaiting: false },
    ...{ plan: undefined, outcome: undefined, failure: undefined },
    done: Promise.resolve(),
  };
  job.done = work(build, job, deps, poke)
    .catch((error: unknown) => {
      job.failure = failureOf(error);
    })
    .then(() => {
      if (!stop.signal.aborted) poke();
    });
  return job;
}

/** One that goes on after a restart is where it was. */
function phaseOf({ status: { phase = 'Queued' } }: Build): JobPhase {
  return phase === 'Queued' || phase === 'Preparing' ? phase : 'Building';
}

function failureOf(error: unknown): CairnError {
  if (!(error instanceof EngineError)) return asCairnError(error);
  return new CairnError('BuilderUnavailable', error.message, { cause: error });
}

async function work(build: Build, job: Job, deps: JobDeps, poke: () => void): Promise<void> {
  const files = new BuildFiles(deps.folder, build.metadata.uid);
  await files.make();
  job.plan = await files.plan();
  job.outcome = await files.outcome();
  if (job.outcome) return;
  const { signal } = job.stop;
  job.plan ??= await takeOver(build, files, deps.builder, signal);
  job.isWaiting = !job.plan;
  const leave = job.plan
    ? deps.queue.occupy(keyOf(build))
    : await deps.queue.acquire(keyOf(build), signal);
  job.isWaiting = false;
  try {
    const enter = (phase: JobPhase) => {
      job.phase = phase;
      poke();
    };
    const outcome = await followToEnd({ build, job, files, enter }, deps);
    await deps.blobs.sync();
    await files.writeOutcome(outcome);
    job.outcome = outcome;
  } finally {
    leave();
    await files.removeCheckout();
  }
}

interface Work {
  readonly build: Build;
  readonly job: Job;
  readonly files: BuildFiles;
  readonly enter: (phase: JobPhase) => void;
}

const mostNotesLength = 800;

/** What came of it, with how it was packaged where that may be why, and the end of its log. */
async function explained({ result, message }: Ended, { job, files }: Work): Promise<string> {
  const notes = result === 'FailedToBuild' ? (job.plan?.notes ?? []) : [];
  const told = notes.length > 0 ? [notes.join('\n').slice(0, mostNotesLength)] : [];
  return [message, ...told, await endOfLog(files.log)].join('\n');
}

type Ended = Omit<BuildOutcome, 'log' | 'finishedAt'>;

async function followToEnd(work: Work, deps: JobDeps): Promise<BuildOutcome> {
  const { job, files } = work;
  const log = await BuildLog.open(files.log, {
    keep: job.plan ? undefined : 0,
    mostBytes: mostPreparingBytes + (job.plan?.limits.logBytes ?? 64 * 2 ** 20),
  });
  try {
    const ended = await tried(work, log, deps);
    await log.say(ended.message === '' ? ended.result : `${ended.result}: ${ended.message}`);
    const message = ended.result === 'Built' ? '' : await explained(ended, work);
    const finishedAt = timestamp(deps.now());
    return { ...ended, message, finishedAt, log: await deps.blobs.write(await log.content()) };
  } finally {
    await log.close();
  }
}

/** What can't be built is a result; what may be otherwise next time is thrown. */
async function tried(work: Work, log: BuildLog, deps: JobDeps): Promise<Ended> {
  const { build, job, files, enter } = work;
  const { signal } = job.stop;
  try {
    if (!job.plan) {
      enter('Preparing');
      const made = await prepareRun({ build, files, log, signal }, deps);
      if ('result' in made) return made;
      await files.writePlan(made);
      job.plan = made;
    }
    enter('Building');
    return await asEnded(await run(work, job.plan, log, deps), job.plan, deps);
  } catch (error) {
    signal.throwIfAborted();
    // Somebody has to give it, which takes time: its Source has it tried again, and not for ever.
    if (error instanceof SubmoduleUngiven) {
      return { result: 'DependencyWait', message: error.message };
    }
    const isOurs = error instanceof CairnError && error.remedy === 'stall';
    if (!isOurs && !(error instanceof SourceInvalid) && !(error instanceof RequestInvalid)) {
      throw error;
    }
    return { result: 'FailedToBuild', message: error.message };
  }
}

async function run(
  { build, job, files }: Work,
  plan: RunPlan,
  log: BuildLog,
  deps: JobDeps,
): Promise<RunResult> {
  const { signal } = job.stop;
  const { network } = build.spec.build;
  const repository = await repositoryOf(build, deps);
  const archives =
    network === 'None' ? [] : (await archivesOf(build, repository, plan.own, deps)).archives;
  const { command, epoch, limits, prepared, logStart } = plan;
  return await deps.builder.run(
    {
      ...{ id: build.metadata.uid, key: keyOf(build), image: prepared.image, command },
      ...{ sourceDateEpoch: epoch, network, archives, limits },
    },
    {
      source: async () =>
        treeTar((await packagedTree({ build, files, signal }, repository, deps, plan)).folder),
      note: async () => noteFor(plan, await log.head(logStart)),
      keptLog: () => log.size - logStart,
      writeLog: (bytes) => log.write(bytes),
      artifact: async (_name, _size, content) => void (await deps.blobs.write(content)),
    },
    signal,
  );
}

async function asEnded(result: RunResult, plan: RunPlan, { blobs }: JobDeps): Promise<Ended> {
  if (result.result !== 'Succeeded') return { result: result.result, message: result.message };
  const { artifacts } = result;
  const foreign = await foreignPackage(artifacts, plan, blobs);
  if (foreign !== undefined) return { result: 'FailedToBuild', message: foreign };
  return { result: 'Built', message: '', artifacts };
}
