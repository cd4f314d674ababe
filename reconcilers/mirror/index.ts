import { MirrorKind, type Mirror, type MirrorStatus } from '../../crds/mirror.ts';
import { annotations } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { remember } from '../predecessors.ts';
import type { Gone, Reconciler, Report, RunContext } from '../reconciler.ts';
import { secretValue, type Secrets } from '../secrets.ts';
import { failureTold } from './failures.ts';
import { asOf, checkSchedule, dueAt, type Attempts } from './due.ts';
import { startJob, type Job, type Outcome } from './jobs.ts';
import { isComplete, reportOf, type Finished, type Known } from './report.ts';
import type { RefreshRequest } from './request.ts';
import { accessOf, digestOf } from './spec-digest.ts';
import type { RefreshRunner } from './thread-runner.ts';

export interface MirrorDeps {
  readonly runner: RefreshRunner;
  readonly secrets: Secrets;
  /** Told of what metrics want to know. */
  readonly observer?: {
    refreshed(mirror: Mirror, at: Date, ok: boolean): void;
    forget(mirror: Gone): void;
  };
}

/** States before the current one whose indexes still answer by-hash requests. */
const mostPredecessors = 10;

const neverTried: Attempts = { endedAt: undefined, succeeded: false, failures: 0 };

/** What this process knows of one mirror; losing it costs one conditional request. */
interface Memory extends Known {
  /** Digest of the spec and keys that all of it is about. */
  inputs: string;
  attempts: Attempts;
  /** Digest of how the last refresh was to reach upstream. */
  access: string;
  job: Job | undefined;
  /** The job that ended last, until the status is known to hold its outcome. */
  ended: Job | undefined;
  failure: CairnError | undefined;
  shrink: MirrorStatus['shrink'];
}

/**
 * Keeps mirrors like their upstreams. A refresh runs in the background; a run of the reconciler
 * only starts it, passes on how far it is, or takes over its outcome. The last complete state stays
 * in service, and in the status, whatever happens to a refresh.
 */
export function mirrorReconciler({
  runner,
  secrets,
  observer,
}: MirrorDeps): Reconciler<typeof MirrorKind> {
  const memories = new Map<string, Memory>();

  return { kind: MirrorKind, reconcile, isBusy, forget };

  async function reconcile(mirror: Mirror, context: RunContext): Promise<Report<MirrorStatus>> {
    checkSchedule(mirror.spec);
    const request = await requestOf(mirror);
    const memory = recall(mirror, digestOf(request.spec, request.keyring));
    const finished = takeOutcome(mirror, memory, context);
    const now = context.now().getTime();
    const [attempts, lastScheduledAt] = asOf(now, memory.attempts, finished.status.lastScheduledAt);
    const due = dueAt(mirror.spec, attempts, {
      complete: isComplete(finished.state ?? mirror.status.state, request),
      lastScheduledAt,
    });
    const news = !isComplete(finished.state, request) && memory.attempts.failures === 0;
    const token = context.requested === finished.handled ? undefined : context.requested;
    const access = accessOf(request);
    const isMended = memory.failure !== undefined && memory.access !== access;
    const isWanted = news || isMended || token !== undefined || isApproved(mirror, memory);
    const { isSuspended = false } = context;
    if (!memory.job && !isSuspended && (isWanted || due <= now)) {
      memory.access = access;
      const scheduledAt = mirror.spec.schedule && due <= now ? now : undefined;
      memory.job = startJob(runner, request, { token, scheduledAt, poke: context.poke });
    }
    return reportOf(memory, finished, request, { due, now, isSuspended });
  }

  function isBusy({ metadata, status }: Mirror): boolean {
    return memories.get(metadata.uid)?.job !== undefined || status.refreshInProgress === true;
  }

  /** The memory of a mirror, fresh when its spec or keys have changed; a job of before is stopped. */
  function recall(mirror: Mirror, inputs: string): Memory {
    const { uid } = mirror.metadata;
    const known = memories.get(uid);
    if (known?.inputs === inputs) return known;
    known?.job?.stop.abort(new Error('the Mirror has changed'));
    const told = known ? undefined : failureTold(mirror);
    const fresh: Memory = {
      inputs,
      attempts: neverTried,
      access: '',
      job: undefined,
      ended: undefined,
      failure: told,
      shrink: told && mirror.status.shrink,
    };
    memories.set(uid, fresh);
    return fresh;
  }

  /**
   * Moves the outcome of a job that has ended into the status; again, when the status that a run
   * before has reported could not be written.
   */
  function takeOutcome(mirror: Mirror, memory: Memory, context: RunContext): Finished {
    const { state, predecessors, lastScheduledAt } = mirror.status;
    const kept: Finished = {
      state,
      status: { predecessors, lastScheduledAt },
      handled: mirror.status.lastHandledReconcileAt,
      events: [],
    };
    if (memory.job?.outcome) note(mirror, memory, memory.job.outcome, context.now());
    const job = memory.ended;
    if (!job?.outcome || isWritten(mirror, job)) {
      memory.ended = undefined;
      return kept;
    }
    const { refreshed } = job.outcome;
    const status = {
      ...kept.status,
      ...(job.scheduledAt === undefined
        ? {}
        : { lastScheduledAt: timestamp(new Date(job.scheduledAt)) }),
    };
    const handled = job.token ?? kept.handled;
    if (!refreshed) return { ...kept, status, handled };
    const replaced = state && state.tree !== refreshed.state.tree ? state.tree : undefined;
    return {
      state: refreshed.state,
      status: {
        ...status,
        predecessors: replaced
          ? remember(predecessors, { tree: replaced, now: context.now(), most: mostPredecessors })
          : predecessors,
      },
      handled,
      events: refreshed.changed
        ? [
            {
              type: 'Normal',
              reason: 'Refreshed',
              message: `${refreshed.added} files came or changed, ${refreshed.removed} went`,
            },
          ]
        : [],
    };
  }

  /** Remembers what came of the job that runs: it has ended. */
  function note(mirror: Mirror, memory: Memory, outcome: Outcome, now: Date): void {
    const { failure, shrink } = outcome;
    const failures = failure ? memory.attempts.failures + 1 : 0;
    memory.attempts = { endedAt: now.getTime(), succeeded: !failure, failures };
    memory.failure = failure;
    memory.shrink = shrink;
    memory.ended = memory.job;
    memory.job = undefined;
    observer?.refreshed(mirror, now, !failure);
  }

  async function requestOf(mirror: Mirror): Promise<RefreshRequest> {
    const { metadata, spec, status } = mirror;
    return {
      name: metadata.name,
      spec,
      generation: metadata.generation,
      keyring: await keyringOf(mirror),
      credentials: await credentialsOf(mirror),
      previous: status.state,
      shrinkApproved: metadata.annotations?.[annotations.shrinkApproved],
    };
  }

  async function keyringOf({ metadata, spec }: Mirror): Promise<string | undefined> {
    const { signedBy } = spec;
    const { namespace } = metadata;
    if (signedBy?.inline !== undefined) return signedBy.inline;
    if (signedBy?.secretRef) return secretValue(secrets, { ...signedBy.secretRef, namespace });
    if (signedBy?.file !== undefined) {
      throw new CairnError(
        'SpecInvalid',
        'spec.signedBy.file is read when a manifest is applied from a config source or with ' +
          '`cairn apply`; give the keys inline, or in a secret, here',
      );
    }
    return undefined;
  }

  async function credentialsOf({ metadata, spec }: Mirror): Promise<RefreshRequest['credentials']> {
    if (!spec.secretRef) return undefined;
    const { name } = spec.secretRef;
    const secret = await secrets({ namespace: metadata.namespace, name });
    if (!secret) throw new CairnError('SecretMissing', `there is no secret ${name}`);
    return secret;
  }

  function forget(gone: Gone): void {
    memories.get(gone.uid)?.job?.stop.abort(new Error('the Mirror has been deleted'));
    memories.delete(gone.uid);
    observer?.forget(gone);
  }
}

/** Whether a status holds what came of a job. */
function isWritten({ status }: Mirror, { token, scheduledAt, outcome }: Job): boolean {
  const { state, lastHandledReconcileAt, lastScheduledAt } = status;
  const made = outcome?.refreshed?.state;
  return (
    (!made || (state?.tree === made.tree && state.completedAt === made.completedAt)) &&
    (token === undefined || lastHandledReconcileAt === token) &&
    (scheduledAt === undefined || lastScheduledAt === timestamp(new Date(scheduledAt)))
  );
}

function isApproved(mirror: Mirror, { shrink }: Memory): boolean {
  return (
    shrink !== undefined &&
    mirror.metadata.annotations?.[annotations.shrinkApproved] === shrink.digest
  );
}
