import type { ManifestProblem } from '../../crds/config-source.ts';
import type { ObjectKey } from '../../crds/object.ts';
import type { FieldChange } from '../sources/changes.ts';
import type { Plan, PlannedApply } from '../sources/plan.ts';
import { countOf, formatProblem } from './manifest-files.ts';

export interface PlanView {
  readonly plan: Plan;
  /** What somebody has changed by hand, and what is left so: the config source reports it. */
  readonly drifted: readonly PlannedApply[];
  readonly problems: readonly ManifestProblem[];
  /** Whether the plan can tell what would be deleted. */
  readonly knowsDeletions: boolean;
}

/** A value of a field is shown up to this length. */
const maxValue = 120;

export function hasChanges({ plan }: PlanView): boolean {
  return plan.prune.length > 0 || plan.held !== undefined || changed(plan).length > 0;
}

export function planAsText(view: PlanView): string {
  const { plan, drifted, problems } = view;
  const lines = [
    ...problems.map((problem) => `! ${formatProblem(problem)}`),
    ...changed(plan).flatMap(applyLines),
    ...drifted.flatMap(driftLines),
    ...plan.prune.map((key) => `- ${label(key)}`),
    ...(plan.held?.objects ?? []).map((key) => `? ${label(key)}   held: would be deleted`),
  ];
  return [...lines, ...(lines.length > 0 ? [''] : []), summaryOf(view)].join('\n');
}

export function planAsMarkdown(view: PlanView): string {
  if (!hasChanges(view) && view.problems.length === 0) return `**Cairn plan**: ${summaryOf(view)}`;
  const body = planAsText(view).split('\n').slice(0, -2);
  const kept = fitting(body, 60_000);
  const left = body.length - kept.length;
  const fence = longestFence(kept);
  return [
    `**Cairn plan**: ${summaryOf(view)}`,
    '',
    `${fence}diff`,
    ...kept,
    ...(left > 0 ? [`… and ${left} more lines`] : []),
    fence,
  ].join('\n');
}

export function planAsJson({ plan, drifted, problems, knowsDeletions }: PlanView): string {
  const planned = changed(plan).map(appliedAsJson);
  const { held } = plan;
  const deletions = plan.prune.map(keyIn);
  const unchanged = plan.apply.length - planned.length;
  const value = {
    apply: planned,
    drifted: drifted.map(appliedAsJson),
    delete: deletions,
    held: held ?? null,
    unchanged,
    problems,
    knowsDeletions,
  };
  return JSON.stringify(value, null, 2);
}

/** `isDrift`: it differs because somebody has changed or deleted it by hand. */
function appliedAsJson({ key, outcome, changes, loaded, wasApplied }: PlannedApply) {
  return {
    outcome,
    ...keyIn(key),
    file: loaded.file,
    line: loaded.line,
    ...(wasApplied && { isDrift: true }),
    ...(changes && { changes }),
  };
}

function changed({ apply }: Plan): readonly PlannedApply[] {
  return apply.filter(({ outcome }) => outcome !== 'unchanged');
}

function applyLines({ key, outcome, changes = [], wasApplied }: PlannedApply): readonly string[] {
  const [sign, drift] = outcome === 'create' ? ['+', 'deleted'] : ['~', 'changed'];
  const note = wasApplied ? `   ${drift} by hand` : '';
  return [`${sign} ${label(key)}${note}`, ...changes.map(changeLine)];
}

function driftLines({ key, outcome, changes = [] }: PlannedApply): readonly string[] {
  const drift = outcome === 'create' ? 'deleted' : 'changed';
  return [`= ${label(key)}   ${drift} by hand: left so`, ...changes.map(changeLine)];
}

function changeLine({ path, from, to }: FieldChange): string {
  return `    ${path}: ${shown(from)} -> ${shown(to)}`;
}

function shown(value: unknown): string {
  if (value === undefined) return '(none)';
  const text = JSON.stringify(value);
  return text.length > maxValue ? `${text.slice(0, maxValue)}…` : text;
}

function summaryOf({ plan, drifted, problems }: PlanView): string {
  const count = (outcome: PlannedApply['outcome']) =>
    plan.apply.filter((planned) => planned.outcome === outcome).length;
  const held = plan.held?.objects.length ?? 0;
  return [
    `${count('create')} to create, ${count('update')} to change, ${plan.prune.length} to delete`,
    ...(held > 0 ? [`${countOf(held, 'deletion')} would be held until approved`] : []),
    `${count('unchanged')} unchanged`,
    ...(drifted.length > 0 ? [`${drifted.length} changed by hand`] : []),
    ...(problems.length > 0 ? [countOf(problems.length, 'problem')] : []),
  ].join(', ');
}

function label({ kind, namespace, name }: ObjectKey): string {
  const place = namespace === 'default' ? '' : ` (namespace ${namespace})`;
  return `${kind.toLowerCase()}/${name}${place}`;
}

function keyIn({ kind, namespace, name }: ObjectKey): ObjectKey {
  return { kind, namespace, name };
}

function fitting(lines: readonly string[], budget: number): readonly string[] {
  let length = 0;
  const end = lines.findIndex((line) => (length += line.length + 1) > budget);
  return end === -1 ? lines : lines.slice(0, end);
}

/** A fence that nothing inside can end. */
function longestFence(lines: readonly string[]): string {
  const runs = lines.join('\n').match(/`+/g) ?? [];
  return '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
}
