import { keyOf, type ObjectKey } from '../../crds/object.ts';
import type { EventLog, ManagerReader } from '../../crds/store.ts';
import type { Log } from '../log.ts';
import { redact } from '../../reconcilers/redact.ts';
import { applyPlan, type Applied, type ApplyTo } from './apply.ts';
import { correctionOf, type DriftOutcome } from './drift-report.ts';
import { driftsOf, triage, type Corrections, type Drift, type DriftPolicy } from './drift.ts';
import type { Plan } from './plan.ts';

export interface CarryOutOptions extends ApplyTo {
  readonly store: ApplyTo['store'] & ManagerReader & EventLog;
  readonly policy: DriftPolicy;
  readonly corrections: Corrections;
  readonly now: () => Date;
  readonly log: Log;
}

export interface CarriedOut {
  readonly plan: Plan;
  readonly applied: Applied;
  readonly drift: DriftOutcome;
  /** When drift that is left for now may be corrected again; left out where there is none. */
  readonly againMs?: number;
}

/** As many objects are told that they were put back, in one run; the others are counted. */
const mostTold = 25;

/** Carries a plan out, and corrects drift or leaves it, by the policy of the source. */
export async function carryOut(whole: Plan, options: CarryOutOptions): Promise<CarriedOut> {
  const { store, policy, corrections } = options;
  const now = options.now().getTime();
  const waitMs = (key: ObjectKey) => corrections.waitMs(key, now);
  const { plan, ...parts } = triage(whole, policy, waitMs);
  // Before it is applied: whoever has set a field loses it then.
  const correcting = await driftsOf(parts.corrected, store);
  const all = await applyPlan(plan, options);
  const corrected = done(correcting, all);
  for (const { key } of corrected) corrections.note(key, now);
  await tell(corrected, options);
  const drift = {
    corrected,
    reported: await driftsOf(parts.reported, store),
    contested: await driftsOf(parts.contested, store),
  };
  const waits = parts.contested.map(({ key }) => waitMs(key));
  return {
    plan,
    applied: without(all, corrected),
    drift,
    ...(waits.length > 0 && { againMs: Math.min(...waits) }),
  };
}

/** The drift that was put back: the store may have refused some of it. */
function done(drifts: readonly Drift[], { created, configured }: Applied): readonly Drift[] {
  const written = new Set([...created, ...configured].map(keyOf));
  return drifts.filter(({ key }) => written.has(keyOf(key)));
}

/** What was put back is told of as that, and not as what a new version of its manifest has done. */
function without(applied: Applied, corrected: readonly Drift[]): Applied {
  const keys = new Set(corrected.map(({ key }) => keyOf(key)));
  const isNews = (key: ObjectKey) => !keys.has(keyOf(key));
  return {
    ...applied,
    created: applied.created.filter(isNews),
    configured: applied.configured.filter(isNews),
  };
}

/** Events are for people: one that can't be stored fails nothing. */
async function tell(
  corrected: readonly Drift[],
  { store, source, log }: CarryOutOptions,
): Promise<void> {
  for (const [index, drift] of corrected.entries()) {
    const object = keyOf(drift.key);
    log.info('put back what somebody had changed', {
      source,
      object,
      change: drift.change,
      fields: drift.fields,
    });
    if (index >= mostTold) continue;
    const { message, ...event } = correctionOf(drift, source);
    await store
      .record({ ...event, message: redact(message), regarding: drift.key })
      .catch((error: unknown) => log.warn('event not stored', { object, error }));
  }
}
