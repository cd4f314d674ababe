import { conditionOf } from '../../crds/object.ts';
import { CairnError, reasons, type Reason } from '../../crds/reasons.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { StoreError, type StoreWriter } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { UploadKind, waitsForLabel, type Upload } from '../../crds/upload.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { labelOf } from './upload-manifest.ts';

type Status = Upload['status'];
type Kept = Report<Status>['status'];

/** How long one is kept for people to see what became of it. */
const keptMs = { Published: 3_600_000, Refused: 24 * 3_600_000 } as const;
/** One whose repository never comes. */
const hopelessMs = 24 * 3_600_000;
const soonMs = 1000;

/**
 * Tells what became of an Upload, and removes it when that is long ago. Its Repository publishes
 * it; this passes on what that says, and keeps it when the Repository has forgotten it.
 */
export function uploadReconciler(
  store: Pick<StoreWriter, 'delete' | 'update'>,
): Reconciler<typeof UploadKind> {
  return { kind: UploadKind, reconcile };

  async function reconcile(upload: Upload, context: RunContext): Promise<Report<Status>> {
    const { namespace } = upload.metadata;
    const { name } = upload.spec.repositoryRef;
    const key = { kind: RepositoryKind.kind, namespace, name };
    const repository = (await context.store.get(key)) as Repository | undefined;
    const now = context.now();
    const told = toldOf(upload, repository, now);
    const goesAt = told
      ? Date.parse(told.finishedAt ?? '') + keptMs[told.result ?? 'Published']
      : Date.parse(upload.metadata.creationTimestamp) + hopelessMs;
    const isOver = now.getTime() >= goesAt && (told !== undefined || !repository);
    if (isOver) await store.delete(keyOf(upload), { uid: upload.metadata.uid });
    else await label(upload);
    const isNews = told !== undefined && !upload.status.result;
    const again = { again: { ms: isNews ? soonMs : Math.max(goesAt - now.getTime(), soonMs) } };
    if (told) return { ...reportOf(told, name), ...again };
    const dependsOn = [key];
    if (repository) {
      return { status: {}, message: whyNotYet(repository), progressing: true, dependsOn };
    }
    const failure = new CairnError('DependencyNotReady', `there is no Repository ${name}`);
    return { status: {}, message: '', failure, dependsOn, ...again };
  }

  /**
   * Its Repository finds it by a label, which it has as long as it has no result: somebody may have
   * left it out, and nobody need look at thousands that are over.
   */
  async function label(upload: Upload): Promise<void> {
    const { [waitsForLabel]: is, ...others } = upload.metadata.labels ?? {};
    const wanted = upload.status.result ? undefined : labelOf(upload.spec.repositoryRef.name);
    if (is === wanted) return;
    const labels = wanted === undefined ? others : { ...others, [waitsForLabel]: wanted };
    await store.update({ ...upload, metadata: { ...upload.metadata, labels } });
    throw new StoreError('Conflict', 'it has changed just now, and is looked at again');
  }
}

function keyOf({ kind, metadata: { namespace, name } }: Upload) {
  return { kind, namespace, name };
}

/** The result, if there is one: our own, or what the Repository says. */
function toldOf(
  { metadata, status }: Upload,
  repository: Repository | undefined,
  now: Date,
): Kept | undefined {
  if (status.result) {
    const { result, packages, removed, reason, message, heldBy, finishedAt } = status;
    return {
      result,
      ...(packages && { packages }),
      ...(removed && { removed }),
      ...(reason !== undefined && { reason }),
      ...(message !== undefined && { message }),
      ...(heldBy !== undefined && { heldBy }),
      ...(finishedAt !== undefined && { finishedAt }),
    };
  }
  const found = repository?.status.uploads?.find(({ uid }) => uid === metadata.uid);
  if (!found) return undefined;
  const { uid: _, ...result } = found;
  return { ...result, finishedAt: timestamp(now) };
}

function reportOf(status: Kept, repository: string): Report<Status> {
  const { result, reason = '', message = '' } = status;
  if (result === 'Published') return { status, message: doneOf(status) };
  const known: Reason = isReason(reason) ? reason : 'PackageInvalid';
  // Nothing that happens later makes it good.
  const named: Reason = reasons[known] === 'stall' ? known : 'PackageInvalid';
  const told = `Repository ${repository} has refused all of it: ${message}`;
  return { status, message: '', failure: new CairnError(named, told) };
}

function doneOf({ packages = [], removed = [] }: Kept): string {
  const done = [
    ...(packages.length > 0 ? [`Published ${packages.join(', ')}`] : []),
    ...(removed.length > 0 ? [`Removed ${removed.join(', ')}`] : []),
  ];
  return done.length > 0 ? done.join('; ') : 'Nothing was there to be removed';
}

function whyNotYet({ metadata, spec, status }: Repository): string {
  if (spec.suspend) return `waits for Repository ${metadata.name}, which is suspended`;
  const ready = conditionOf({ status }, 'Ready');
  if (ready?.status !== 'False') return `waits for Repository ${metadata.name}`;
  return `waits for Repository ${metadata.name}: ${ready.reason}: ${ready.message}`.slice(0, 4000);
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(reasons, text);
}
