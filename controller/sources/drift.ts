import type { ConfigSource } from '../../crds/config-source.ts';
import { keyOf, type ObjectKey } from '../../crds/object.ts';
import type { ManagerReader } from '../../crds/store.ts';
import type { Dependency } from '../../reconcilers/reconciler.ts';
import { isOfSource, isOwned } from './changes.ts';
import type { Reading } from './manifests.ts';
import type { Plan, PlannedApply } from './plan.ts';

/** An object that somebody has changed, or deleted, since it was applied. */
export interface Drift {
  readonly key: ObjectKey;
  readonly change: 'Edited' | 'Deleted';
  /** What differs from the manifest, with who has set it. Of a deleted object: none. */
  readonly fields: readonly DriftedField[];
}

export interface DriftedField {
  readonly path: string;
  /** Its field manager; left out where nobody is known: a field that was taken away, say. */
  readonly manager?: string;
}

/** Told of drift by the config sources' reconciler. */
export interface DriftObserver {
  seen(source: ConfigSource, counts: { readonly corrected: number; readonly left: number }): void;
  /** The ConfigSource is gone, and its series with it. */
  forget(source: ConfigSource): void;
}

/** `Correct`: the manifest counts. `Report`: the object stays as it is, and people are told. */
export type DriftPolicy = 'Correct' | 'Report';

/** What is to be done about drift, and what not. */
export interface Triage {
  /** What is carried out: all of the plan but drift that is left. */
  readonly plan: Plan;
  /** Part of it: drift that is corrected. */
  readonly corrected: readonly PlannedApply[];
  /** Drift that is left as it is, by policy. */
  readonly reported: readonly PlannedApply[];
  /** Drift that is left for now: it was corrected, and somebody has changed it again, many times. */
  readonly contested: readonly PlannedApply[];
}

/** Corrections of one object that are made at once; after that, there are growing pauses. */
const patience = 5;
const firstPauseMs = 60_000;
const longestPauseMs = 30 * 60_000;
/** Whoever leaves an object alone for so long doesn't fight over it any more. */
const calmMs = 60 * 60_000;

/** How often the drift of each object was corrected lately: what keeps two managers from racing. */
export class Corrections {
  readonly #made = new Map<string, { readonly count: number; readonly at: number }>();

  /** How long the next correction has to wait; 0 when it may be made. `now` is in ms. */
  waitMs(key: ObjectKey, now: number): number {
    const { count, at } = this.#made.get(keyOf(key)) ?? { count: 0, at: 0 };
    if (count < patience || now - at > calmMs) return 0;
    const pause = Math.min(firstPauseMs * 2 ** (count - patience), longestPauseMs);
    return Math.max(0, at + pause - now);
  }

  note(key: ObjectKey, now: number): void {
    for (const [text, { at }] of this.#made) if (now - at > calmMs) this.#made.delete(text);
    const count = this.#made.get(keyOf(key))?.count ?? 0;
    this.#made.set(keyOf(key), { count: count + 1, at: now });
  }
}

/** Parts a plan into what is carried out and the drift that is left. */
export function triage(
  plan: Plan,
  policy: DriftPolicy,
  waitMs: (key: ObjectKey) => number,
): Triage {
  const drifted = plan.apply.filter(({ outcome, wasApplied }) => {
    return wasApplied && outcome !== 'unchanged';
  });
  const isReported = policy === 'Report';
  const contested = isReported ? [] : drifted.filter(({ key }) => waitMs(key) > 0);
  const reported = isReported ? drifted : [];
  const left = new Set([...reported, ...contested]);
  // An entry whose object has gone stays: it says that the object was there, and is not new.
  const kept = new Set([...left].map(({ key }) => keyOf(key)));
  return {
    plan: {
      ...plan,
      apply: plan.apply.filter((planned) => !left.has(planned)),
      forget: plan.forget.filter((entry) => !kept.has(keyOf(entry))),
    },
    corrected: drifted.filter((planned) => !left.has(planned)),
    reported,
    contested,
  };
}

/** As many objects are asked about: who has changed them. */
const mostAsked = 100;

/** What has become of objects, and by whom. The rest of many is told without managers. */
export async function driftsOf(
  planned: readonly PlannedApply[],
  store: ManagerReader,
): Promise<readonly Drift[]> {
  const drifts: Drift[] = [];
  for (const one of planned) drifts.push(await driftOf(one, drifts.length < mostAsked, store));
  return drifts;
}

async function driftOf(
  { key, outcome, changes = [] }: PlannedApply,
  isAsked: boolean,
  store: ManagerReader,
): Promise<Drift> {
  if (outcome === 'create') return { key, change: 'Deleted', fields: [] };
  // Who it was is good to know, and no reason to leave anything undone.
  const entries = isAsked ? await store.managedFields(key).catch(() => []) : [];
  const others = entries.filter((entry) => !isOfSource(entry));
  const fields = changes.map(({ path }): DriftedField => {
    const manager = others.find((entry) => isOwned([entry], path))?.manager;
    return { path, ...(manager !== undefined && { manager }) };
  });
  return { key, change: 'Edited', fields };
}

/** What people change of its objects wakes a config source; what becomes of them doesn't. */
export function dependenciesOf({ manifests }: Reading): readonly Dependency[] {
  const places = new Map(
    manifests.map(({ manifest: { kind, metadata } }): [string, Dependency] => {
      const { namespace = 'default' } = metadata;
      return [`${kind}/${namespace}`, { kind, namespace, aspect: 'declared' }];
    }),
  );
  return [...places.values()];
}
