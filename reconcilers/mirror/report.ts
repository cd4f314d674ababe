import type { MirrorState, MirrorStatus } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Report } from '../reconciler.ts';
import type { Job } from './jobs.ts';
import type { RefreshRequest } from './request.ts';
import { digestOf } from './spec-digest.ts';

/** What the status shows of refreshes that have ended. */
export interface Finished {
  readonly state: MirrorState | undefined;
  readonly status: {
    readonly predecessors: MirrorStatus['predecessors'] | undefined;
    readonly lastScheduledAt: string | undefined;
  };
  readonly handled: string | undefined;
  readonly events: NonNullable<Report<MirrorStatus>['events']>;
}

/** What is known of the refresh that runs, or of the last one. */
export interface Known {
  readonly job: Job | undefined;
  readonly failure: CairnError | undefined;
  readonly shrink: MirrorStatus['shrink'];
}

export interface Moment {
  readonly due: number;
  readonly now: number;
  readonly isSuspended: boolean;
}

export function reportOf(
  { job, failure: failed, shrink }: Known,
  { state, status, handled, events }: Finished,
  request: RefreshRequest,
  { due, now, isSuspended }: Moment,
): Report<MirrorStatus> {
  const complete = isComplete(state, request);
  const failure = failed ?? (isSuspended && !job && !complete ? suspended() : undefined);
  return {
    status: defined({
      ...status,
      state: state && complete ? { ...state, ...asAsked(request) } : state,
      refreshInProgress: job !== undefined && (isNews(job) || (!complete && !failed)),
      progress: job?.progress,
      shrink,
    }),
    message: messageOf(state, job),
    progressing: !complete && !failure,
    ...(failure ? { failure } : {}),
    ...(handled === undefined ? { handled: null } : { handled }),
    events,
    ...againAt(request, { job, due, now, isSuspended }),
  };
}

/**
 * Whether a refresh is worth telling of. Most of them find that nothing has changed: if each were
 * in the status, thousands of Mirrors would write it all day, and all at once after a restart.
 */
function isNews({ token, progress }: Job): boolean {
  return token !== undefined || progress !== undefined;
}

function suspended(): CairnError {
  return new CairnError('Suspended', 'suspended before what its spec asks for was complete');
}

function againAt(
  { spec }: RefreshRequest,
  { job, due, now, isSuspended }: Moment & Pick<Known, 'job'>,
): Pick<Report<MirrorStatus>, 'again'> {
  if (isSuspended && !job) return {};
  return {
    again: { ms: job ? 60_000 : Math.max(50, due - now), exact: spec.schedule !== undefined },
  };
}

/** What a state takes over from a spec that asks for just the files that it has. */
function asAsked({ generation, spec }: RefreshRequest): Pick<MirrorState, 'generation' | 'public'> {
  return { generation, public: spec.public };
}

function messageOf(state: MirrorState | undefined, job: Job | undefined): string {
  if (!state) return job ? 'The first refresh is running' : 'Waiting for the first refresh';
  const suites = state.suites.map(({ suite, date }) => `${suite} of ${date.slice(0, 10)}`);
  const missing =
    state.missing.length > 0 ? `, ${state.missing.length} files missing upstream` : '';
  return `Holds ${suites.join(', ')}: ${state.packages} pool files${missing}`;
}

/** Whether a state is what the present spec asks for. */
export function isComplete(state: MirrorState | undefined, request: RefreshRequest): boolean {
  return state?.specDigest === digestOf(request.spec, request.keyring);
}

/** Leaves out the undefined ones: what is not there is not in the JSON either. */
function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  }; // only undefined was taken out
}
