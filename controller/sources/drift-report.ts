import type { ConfigSource } from '../../crds/config-source.ts';
import { conditionOf, keyOf, type ObjectKey } from '../../crds/object.ts';
import type { ObjectEvent } from '../../crds/store.ts';
import type { Drift, DriftedField } from './drift.ts';

type Status = NonNullable<ConfigSource['status']['drift']>;

/** What a run has found out about drift. */
export interface DriftOutcome {
  readonly corrected: readonly Drift[];
  readonly reported: readonly Drift[];
  readonly contested: readonly Drift[];
}

// As the schema of the status says.
const maxObjects = 100;
const maxFields = 16;
const maxPath = 512;
const maxManager = 128;
/** As many are named in a sentence. */
const maxNamed = 3;

/** The drift that is there now; undefined when all is as it is declared. */
export function driftStatus({ reported, contested }: DriftOutcome): Status | undefined {
  const isContested = new Set(contested);
  const all = [...reported, ...contested].sort(byKey);
  if (all.length === 0) return undefined;
  const objects = all.slice(0, maxObjects).map((drift) => {
    const { kind, namespace, name } = drift.key;
    const change = isContested.has(drift) ? ('Contested' as const) : drift.change;
    const fields = drift.fields.slice(0, maxFields).map(bounded);
    return { kind, namespace, name, change, ...(fields.length > 0 && { fields }) };
  });
  return { total: all.length, objects };
}

/** In the message of Ready, of a source that reports; empty when there is nothing to say. */
export function driftNote({ reported }: DriftOutcome): string {
  if (reported.length === 0) return '';
  return reported.length === 1
    ? '; 1 is not as it is declared'
    : `; ${reported.length} are not as they are declared`;
}

/** The condition `Drifted`, which is there only while it is True. */
export function driftCondition({ reported, contested }: DriftOutcome) {
  const all = [...contested, ...reported];
  if (all.length === 0) return undefined;
  const reason = contested.length > 0 ? 'DriftContested' : 'DriftReported';
  return { type: 'Drifted', status: 'True' as const, reason, message: sentence(all) };
}

/** The same, while nothing new is known: what is in the status still holds. */
export function keptCondition(source: ConfigSource) {
  const { reason, message } = conditionOf(source, 'Drifted') ?? {};
  if (reason === undefined || message === undefined || !source.status.drift) return {};
  return { condition: { type: 'Drifted', status: 'True' as const, reason, message } };
}

/** Why a source is not ready whose objects somebody else changes again and again. */
export function contestMessage(contested: readonly Drift[], manager: string): string {
  return (
    `edited by two managers, ${manager} and another one: ${sentence(contested)}. It was put back ` +
    'several times, and is left for a while; give the field to one of them'
  );
}

/** For the object itself: whoever has changed it looks there first. */
export function correctionOf(drift: Drift, source: string): Omit<ObjectEvent, 'regarding'> {
  const message =
    drift.change === 'Deleted'
      ? `was deleted, and is declared by the config source ${source}: made again`
      : `${changesOf(drift)}; put back as the config source ${source} declares it`;
  return { type: 'Normal', reason: 'DriftCorrected', message };
}

/** For the config source: all that a run has put back. */
export function correctionEvents(corrected: readonly Drift[]): Omit<ObjectEvent, 'regarding'>[] {
  if (corrected.length === 0) return [];
  return [{ type: 'Normal', reason: 'DriftCorrected', message: `put back ${sentence(corrected)}` }];
}

/** `Mirror debian (spec.public by "kubectl-edit"), Mirror x (deleted) and 3 more`. */
function sentence(drifts: readonly Drift[]): string {
  const told = drifts.toSorted(byKey).slice(0, maxNamed).map(label);
  const others = drifts.length - told.length;
  return others > 0 ? `${told.join(', ')} and ${others} more` : told.join(', ');
}

function label(drift: Drift): string {
  const { kind, name } = drift.key;
  return `${kind} ${name} (${drift.change === 'Deleted' ? 'deleted' : changesOf(drift)})`;
}

function changesOf({ fields }: Drift): string {
  const told = fields.slice(0, maxNamed).map(bounded).map(fieldText);
  const others = fields.length - told.length;
  return others > 0 ? `${told.join(', ')} and ${others} more fields` : told.join(', ');
}

function fieldText({ path, manager }: DriftedField): string {
  return manager === undefined ? `${path} by somebody` : `${path} by ${JSON.stringify(manager)}`;
}

function bounded({ path, manager }: DriftedField): DriftedField {
  return {
    path: path.slice(0, maxPath),
    ...(manager !== undefined && { manager: manager.slice(0, maxManager) }),
  };
}

function byKey({ key: a }: { readonly key: ObjectKey }, { key: b }: { readonly key: ObjectKey }) {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
