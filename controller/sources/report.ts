import type { ConfigSource, ManifestProblem } from '../../crds/config-source.ts';
import { annotations, type ObjectKey } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Report } from '../../reconcilers/reconciler.ts';
import type { Applied } from './apply.ts';
import {
  contestMessage,
  correctionEvents,
  driftCondition,
  driftNote,
  driftStatus,
  type DriftOutcome,
} from './drift-report.ts';
import { byPlace, type Reading } from './manifests.ts';
import type { Checkout } from './origin.ts';
import type { Plan } from './plan.ts';

type ConfigReport = Report<ConfigSource['status']>;

export interface Outcome {
  readonly source: ConfigSource;
  /** Its name as a field manager, less the prefix. */
  readonly name: string;
  readonly checkout: Checkout;
  readonly reading: Reading;
  readonly plan: Plan;
  readonly applied: Applied;
  readonly drift: DriftOutcome;
  /** Why there is no newer state than this one. */
  readonly failure: CairnError | undefined;
}

// As the schema of the status says.
const maxProblems = 200;
const maxHeld = 1000;
const maxNamed = 5;

/** What people are told of one run. */
export function reportOf(outcome: Outcome): ConfigReport {
  const { checkout, reading, plan, applied, drift } = outcome;
  const problems = [...reading.problems, ...plan.problems, ...applied.problems].sort(byPlace);
  const revision = checkout.revision ?? reading.digest;
  const { held } = plan;
  const failure = failureOf(outcome, problems);
  const drifted = driftStatus(drift);
  const condition = driftCondition(drift);
  return {
    status: {
      revision,
      objects: applied.objects,
      ...(problems.length > 0 && { problems: problems.slice(0, maxProblems) }),
      ...(held && { prune: heldStatus(held) }),
      ...(drifted && { drift: drifted }),
    },
    message: failure?.message ?? goodMessage(applied, checkout) + driftNote(drift),
    ...(failure && { failure }),
    ...(condition && { condition }),
    events: [...eventsOf(applied), ...correctionEvents(drift.corrected)],
  };
}

function failureOf(
  { failure, plan, source, name, drift }: Outcome,
  problems: readonly ManifestProblem[],
) {
  if (failure) return failure;
  const [first] = problems;
  if (first) {
    const { file, line, column, message } = first;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    return new CairnError('ConfigInvalid', `${file}:${line}:${column}: ${message}${more}`);
  }
  if (plan.held) return new CairnError('PruneHeld', heldMessage(plan.held, source));
  if (drift.contested.length === 0) return undefined;
  return new CairnError('DriftContested', contestMessage(drift.contested, name));
}

function heldStatus({ digest, objects }: NonNullable<Plan['held']>) {
  return { digest, total: objects.length, objects: objects.slice(0, maxHeld) };
}

function heldMessage({ digest, objects }: NonNullable<Plan['held']>, source: ConfigSource): string {
  const approval = `cairn approve configsource/${source.metadata.name}`;
  return (
    `${objects.length} objects are declared no more (${named(objects)}), which is a lot at once: ` +
    `they are kept. If that is right, let them go with: ${approval} ` +
    `(or the annotation ${annotations.pruneApproved}=${digest})`
  );
}

function goodMessage({ objects }: Applied, { revision }: Checkout): string {
  const count = objects === 1 ? '1 object' : `${objects} objects`;
  return revision === undefined ? `holds ${count}` : `holds ${count} of ${revision.slice(0, 12)}`;
}

function eventsOf({ created, configured, pruned }: Applied): NonNullable<ConfigReport['events']> {
  const event = (reason: string, verb: string, objects: readonly ObjectKey[]) =>
    objects.length === 0
      ? []
      : [{ type: 'Normal' as const, reason, message: `${verb} ${named(objects)}` }];
  return [
    ...event('Created', 'created', created),
    ...event('Configured', 'changed', configured),
    ...event('Pruned', 'deleted', pruned),
  ];
}

/** A few by name, the others by number. */
function named(objects: readonly ObjectKey[]): string {
  const names = objects.slice(0, maxNamed).map(({ kind, name }) => `${kind} ${name}`);
  const others = objects.length - names.length;
  return others > 0 ? `${names.join(', ')} and ${others} more` : names.join(', ');
}
