import type { Condition, KubeObject } from '../../crds/object.ts';
import type { CairnError } from '../../crds/reasons.ts';
import type { AnyStatus } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import type { Report } from '../../reconcilers/reconciler.ts';
import { redact } from '../../reconcilers/redact.ts';

/** What one run came to: a report, or the failure that it threw. */
export type Outcome = { readonly report: Report<AnyStatus> } | { readonly thrown: CairnError };

/** What a condition says, before it is one: its time depends on what was there. */
export type Statement = Omit<Condition, 'lastTransitionTime'>;

/** Shorter than the 32 KiB of the schema: people read it in a terminal. */
const maxMessage = 4096;

/**
 * The whole status of an object after a run. Ready is always there; Reconciling and Stalled only
 * while they are True, and never both, so that kstatus, `kubectl wait` and Flux's tools read it
 * right. After a throw the kind's own fields stay as they were.
 */
export function verdict(
  object: KubeObject,
  outcome: Outcome,
  { now, handled }: { now: Date; handled?: string | undefined },
): AnyStatus {
  const { lastHandledReconcileAt: before, ...old } = object.status as AnyStatus; // as stored
  const own = 'report' in outcome ? outcome.report.status : old;
  const lastHandledReconcileAt = handled ?? before;
  return {
    ...own,
    observedGeneration: object.metadata.generation,
    conditions: conditionsAfter(object, outcome, now),
    ...(lastHandledReconcileAt !== undefined && { lastHandledReconcileAt }),
  };
}

/**
 * The conditions with this one set. `lastTransitionTime` changes only when the status flips;
 * messages are bounded and lose their secrets.
 */
export function withCondition(
  conditions: readonly Condition[],
  statement: Statement,
  now: Date,
): Condition[] {
  const old = conditions.find(({ type }) => type === statement.type);
  const isFlip = old?.status !== statement.status;
  const lastTransitionTime = isFlip ? timestamp(now) : old.lastTransitionTime;
  const message = bounded(redact(statement.message));
  const condition = { ...statement, message, lastTransitionTime };
  return old
    ? conditions.map((one) => (one === old ? condition : one))
    : [...conditions, condition];
}

export function withoutCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter((one) => one.type !== type);
}

function conditionsAfter(object: KubeObject, outcome: Outcome, now: Date): Condition[] {
  const old = object.status.conditions ?? [];
  const observedGeneration = object.metadata.generation;
  const made = statementsOf(outcome).reduce<Condition[]>((made, statement) => {
    const before = old.filter(({ type }) => type === statement.type);
    return [...made, ...withCondition(before, { ...statement, observedGeneration }, now)];
  }, []);
  return 'thrown' in outcome ? [...made, ...old.filter(isOfKind)] : made;
}

const common: ReadonlySet<string> = new Set(['Ready', 'Reconciling', 'Stalled']);

/** After a throw, what a kind says of itself stays, as its fields do. */
function isOfKind({ type }: Condition): boolean {
  return !common.has(type);
}

/** The conditions that a run calls for, Ready first. */
function statementsOf(outcome: Outcome): Statement[] {
  const own = 'report' in outcome ? outcome.report.condition : undefined;
  return own ? [...commonStatements(outcome), own] : commonStatements(outcome);
}

function commonStatements(outcome: Outcome): Statement[] {
  const failure = 'thrown' in outcome ? outcome.thrown : outcome.report.failure;
  const isProgressing = 'report' in outcome && outcome.report.progressing === true;
  if (failure) return failed(failure, isProgressing);
  const message = 'report' in outcome ? outcome.report.message : '';
  if (!isProgressing) {
    return [{ type: 'Ready', status: 'True', reason: 'Succeeded', message }];
  }
  return [
    { type: 'Ready', status: 'False', reason: 'Progressing', message },
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message },
  ];
}

function failed({ reason, remedy, message }: CairnError, isProgressing: boolean): Statement[] {
  const ready: Statement = { type: 'Ready', status: 'False', reason, message };
  const line = firstLine(message);
  if (remedy === 'stall') {
    return [ready, { type: 'Stalled', status: 'True', reason, message: line }];
  }
  if (!isProgressing) return [ready];
  const again = { status: 'True', reason: 'ProgressingWithRetry', message: line } as const;
  return [ready, { type: 'Reconciling', ...again }];
}

/** What a message is about: Ready alone has what follows, such as the end of a log, and nobody reads that twice. */
export function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}

function bounded(message: string): string {
  return message.length > maxMessage ? `${message.slice(0, maxMessage - 1)}…` : message;
}
