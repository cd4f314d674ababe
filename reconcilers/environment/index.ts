import { EnvironmentKind, type Environment, type Publication } from '../../crds/environment.ts';
import { CairnError } from '../../crds/reasons.ts';
import { SnapshotKind, type Snapshot } from '../../crds/snapshot.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { keptStatus } from '../kept-status.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { inputsOf, publish, type PublishDeps } from './publish.ts';
import { againAt, mostAheadMs, nextDate, renewAt } from '../signing/release-dates.ts';
import { signersOf, type SignerDeps } from '../signing/signers.ts';

type Status = Environment['status'];

const mostHistory = 10;
/** Nobody tells that a secret has changed. */
const lookAgainMs = 60_000;
/** Many promotions at once have to wait no longer than this; else somebody has set the clock back. */
const shortWaitMs = 10_000;

/**
 * Points an environment at a snapshot. The spec decides; what is served changes with one status
 * write, after every byte of the new state is durable. While the wanted snapshot isn't there or
 * isn't ready, the last good content stays in service.
 */
export function environmentReconciler(
  deps: PublishDeps & SignerDeps,
): Reconciler<typeof EnvironmentKind> {
  return { kind: EnvironmentKind, reconcile };

  async function reconcile(environment: Environment, context: RunContext): Promise<Report<Status>> {
    const { namespace } = environment.metadata;
    const { name } = environment.spec.snapshotRef;
    const snapshotKey = { kind: SnapshotKind.kind, namespace, name };
    const dependsOn = [snapshotKey];
    const snapshot = (await context.store.get(snapshotKey)) as Snapshot | undefined;
    const kept = keptStatus(environment);
    const unready = whyNot(name, snapshot);
    const serving = await servable(environment, snapshot, context);
    if (!serving) {
      const failure = unready ?? new CairnError('DependencyNotReady', 'nothing to serve yet');
      return { status: kept, message: '', failure, dependsOn };
    }
    const now = context.now();
    const signers = await signersOf({ ...environment, owner: 'environment' }, deps, now);
    const inputs = inputsOf(environment, serving, signers.keys);
    const { published } = environment.status;
    const current = published?.inputs === inputs && now.getTime() < renewAt(published);
    const date = nextDate(published?.date, now);
    if (!current && date.getTime() > now.getTime() + mostAheadMs) {
      return { ...waitForClock(kept, date, now), dependsOn };
    }
    const next =
      published && current
        ? published
        : await publish(environment, serving, { keys: signers.keys, date, deps });
    return {
      status: { ...moved(kept, published, next, date), keys: signers.status },
      message: `Serves ${next.snapshot}: ${packagesOf(next)} pool files`,
      ...(unready ? { failure: stillServing(unready, next) } : {}),
      dependsOn,
      // One that is gone, or goes, can't be held; and needs not be.
      ...(serving === snapshot && isStaying(serving) ? { holds: [snapshotKey] } : {}),
      events: eventsOf(published, next),
      ...againAt(
        [
          renewAt(next),
          signers.nextChange,
          environment.spec.signing.keyRef && now.getTime() + lookAgainMs,
        ],
        now,
      ),
    };
  }

  /**
   * The snapshot to publish: the wanted one when it is ready; else the one in service, so that its
   * Valid-Until is still kept fresh.
   */
  async function servable(
    { metadata, status }: Environment,
    wanted: Snapshot | undefined,
    { store }: RunContext,
  ): Promise<Snapshot | undefined> {
    if (wanted && !whyNot(wanted.metadata.name, wanted)) return wanted;
    if (!status.published) return undefined;
    const { snapshot: name, snapshotUid } = status.published;
    const { namespace } = metadata;
    const last = (await store.get({ kind: SnapshotKind.kind, namespace, name })) as
      Snapshot | undefined;
    return last?.metadata.uid === snapshotUid ? last : fromPublication(status.published, namespace);
  }
}

/** The snapshot in service has been deleted: what was published of it is all that is needed. */
function fromPublication(published: Publication, namespace: string): Snapshot {
  const { snapshot: name, snapshotUid: uid, members } = published;
  return {
    apiVersion: '',
    kind: SnapshotKind.kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: '',
      generation: 1,
      creationTimestamp: published.promotedAt,
    },
    spec: { mirrorSetRef: { name: '' } },
    status: { members: members.map(({ overlay: _, ...member }) => member) },
  };
}

function whyNot(name: string, snapshot: Snapshot | undefined): CairnError | undefined {
  if (!snapshot) return new CairnError('DependencyNotReady', `there is no Snapshot ${name}`);
  if (snapshot.status.members) return undefined; // once taken, it never changes
  return new CairnError('DependencyNotReady', `Snapshot ${name} is not ready yet`);
}

function isStaying({ metadata }: Snapshot): boolean {
  return metadata.deletionTimestamp === undefined;
}

function stillServing(unready: CairnError, { snapshot }: Publication): CairnError {
  return new CairnError(unready.reason, `${unready.message}; still serving ${snapshot}`);
}

/** A new Date would be too far ahead: it comes when the clock has come closer. */
function waitForClock(kept: Report<Status>['status'], date: Date, now: Date): Report<Status> {
  const ms = date.getTime() - mostAheadMs - now.getTime();
  const waiting = { status: kept, again: { ms, exact: true } };
  if (ms <= shortWaitMs) {
    const message = `The Release files need a later Date: issued in ${Math.ceil(ms / 1000)} s`;
    return { ...waiting, message, progressing: true };
  }
  return {
    ...waiting,
    message: '',
    failure: new CairnError(
      'SigningFailed',
      `the last Release files are dated ahead of this machine's clock; waiting until ` +
        `${date.toISOString()} to issue the next`,
    ),
  };
}

/** The status after publishing: what was served before goes into the history. */
function moved(
  kept: Report<Status>['status'],
  before: Publication | undefined,
  next: Publication,
  date: Date,
): Report<Status>['status'] {
  if (!before || before.snapshotUid === next.snapshotUid) return { ...kept, published: next };
  const entry = {
    snapshot: before.snapshot,
    snapshotUid: before.snapshotUid,
    from: before.promotedAt,
    until: timestamp(date),
    trees: before.members.map(({ tree }) => tree),
    overlays: before.members.map(({ overlay }) => overlay),
  };
  return {
    ...kept,
    published: next,
    previous: before.snapshot,
    history: [entry, ...(kept.history ?? [])].slice(0, mostHistory),
  };
}

function eventsOf(
  before: Publication | undefined,
  next: Publication,
): NonNullable<Report<Status>['events']> {
  if (before?.snapshotUid === next.snapshotUid) return [];
  const from = before ? ` after ${before.snapshot}` : '';
  return [{ type: 'Normal', reason: 'Promoted', message: `Serves ${next.snapshot}${from}` }];
}

function packagesOf({ members }: Publication): number {
  return members.reduce((sum, { packages }) => sum + packages, 0);
}
