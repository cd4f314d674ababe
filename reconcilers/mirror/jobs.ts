import { asCairnError, type CairnError } from '../../crds/reasons.ts';
import { ThreadError } from '../threads/caller.ts';
import type { Progress, Refreshed, RefreshRequest, Shrink } from './request.ts';
import type { RefreshRunner } from './thread-runner.ts';

export interface Outcome {
  readonly refreshed?: Refreshed;
  readonly failure?: CairnError;
  /** Beside a ShrinkHeld failure: what is held. */
  readonly shrink?: Shrink;
}

/** One refresh that runs in the background. */
export interface Job {
  /** The request of a person that it answers. */
  readonly token: string | undefined;
  /** The time of the schedule that it answers. */
  readonly scheduledAt: number | undefined;
  readonly stop: AbortController;
  /** Undefined as long as it only looks whether there is something new. */
  progress: Progress | undefined;
  outcome: Outcome | undefined;
}

/** Starts a refresh; `poke` is called whenever there is news. */
export function startJob(
  runner: RefreshRunner,
  request: RefreshRequest,
  { token, scheduledAt, poke }: Pick<Job, 'token' | 'scheduledAt'> & { poke: () => void },
): Job {
  const job: Job = {
    token,
    scheduledAt,
    stop: new AbortController(),
    progress: undefined,
    outcome: undefined,
  };
  const onProgress = (progress: Progress) => {
    if (progress.phase === 'Release' && !job.progress) return; // nothing new was found so far
    job.progress = progress;
    poke();
  };
  runner.refresh(request, onProgress, job.stop.signal).then(
    (refreshed) => settle({ refreshed }),
    (error: unknown) => settle(failed(error)),
  );
  function settle(outcome: Outcome): void {
    job.outcome = outcome;
    if (!job.stop.signal.aborted) poke();
  }
  return job;
}

function failed(error: unknown): Outcome {
  const failure = asCairnError(error);
  const isShrink = error instanceof ThreadError && error.reason === 'ShrinkHeld';
  return { failure, ...(isShrink ? { shrink: error.detail as Shrink } : {}) }; // set by thread.ts
}
