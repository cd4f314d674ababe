import { buildPath, type Build, type BuildResult, type BuildStatus } from '../../crds/build.ts';
import { CairnError } from '../../crds/reasons.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { endingOf } from '../build-ending.ts';
import { keptStatus } from '../kept-status.ts';
import type { Report, RunContext } from '../reconciler.ts';
import type { Job } from './job.ts';

export type Status = Build['status'];
export type Kept = Report<Status>['status'];

/** What is known by now. */
export function statusOf(
  build: Build,
  { phase, plan, outcome }: Pick<Job, 'phase' | 'plan' | 'outcome'>,
  baseUrl: string | undefined,
): Kept {
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
    ...keptStatus(build),
    ...known,
    // What has been built once is not built again.
    phase: build.status.phase === 'Publishing' ? build.status.phase : phase,
    queuedAt: creationTimestamp,
    ...(outcome?.log ? { log: { sha256: outcome.log.sha256, size: outcome.log.size } } : {}),
    ...(baseUrl === undefined ? {} : urlsOf(build, baseUrl)),
  };
}

function urlsOf(build: Build, baseUrl: string) {
  const url = `${baseUrl}/${buildPath(build)}`;
  return { logUrl: `${url}/log`, artifactsUrl: `${url}/artifacts/` };
}

/** The one write after which nothing is done any more but tidying up. */
export function finish(
  build: Build,
  status: Kept,
  result: BuildResult,
  { now, poke }: RunContext,
): Report<Status> {
  setImmediate(poke); // to tidy up
  const finished = { phase: 'Finished', result, finishedAt: timestamp(now()) } as const;
  return reportOf({ ...status, ...finished }, build);
}

/** `waitsFor` says what holds it up, to people. */
export function reportOf(status: Kept, build: Build, waitsFor = ''): Report<Status> {
  const { spec } = build;
  const { result, phase = 'Queued', message = '' } = status;
  const commit = spec.commit.slice(0, 12);
  if (result === undefined) {
    const told = `${phase}: ${commit}${waitsFor === '' ? '' : `: ${waitsFor}`}`;
    const condition = {
      type: 'Succeeded',
      status: 'Unknown',
      reason: phase,
      message: told,
    } as const;
    return { status, message: told, progressing: true, condition };
  }
  if (result === 'Succeeded') {
    const but = message === '' ? '' : `, but ${message}`;
    const told = `Published ${status.sourceName ?? ''} ${status.version ?? ''}${but}`;
    const condition = { type: 'Succeeded', status: 'True', reason: result, message: told } as const;
    return { status, message: told, condition };
  }
  const told = `${result}: ${message}`;
  const condition = { type: 'Succeeded', status: 'False', reason: result, message: told } as const;
  const failure = new CairnError('BuildFailed', endingOf(build.metadata, status).line);
  return { status, message: '', failure, condition };
}
