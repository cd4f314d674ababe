import type { Kind, ObjectOf, StatusOf } from '../crds/kind.ts';
import type { ObjectKey } from '../crds/object.ts';
import type { CairnError } from '../crds/reasons.ts';
import type { ObjectEvent, StoreReader } from '../crds/store.ts';

/** What an object depends on: one object by name, or every object of a kind that has these labels. */
export type Dependency = (
  | ObjectKey
  | {
      readonly kind: string;
      readonly namespace: string;
      /** Left out: whatever labels it has. */
      readonly labels?: Readonly<Record<string, string>>;
    }
) & {
  /** `declared`: what people declare of it alone, spec, labels and annotations, and no status. */
  readonly aspect?: 'declared';
};

/**
 * What one run found out. The loop turns it into conditions, writes the status once and only if
 * something changed, and decides when to look again.
 */
export interface Report<Status> {
  /** The kind's own fields; conditions and observedGeneration belong to the loop. */
  readonly status: Omit<Status, 'conditions' | 'observedGeneration' | 'lastHandledReconcileAt'>;
  /** The message of Ready, for people: `holds bookworm of 2026-08-01, 63441 packages`. */
  readonly message: string;
  /**
   * The work for this generation goes on in the background: Reconciling=True and Ready=False. The
   * work calls `poke` when there is news.
   */
  readonly progressing?: boolean;
  /** Why the object is not ready. The status beside it is written all the same. */
  readonly failure?: CairnError;
  /** A condition of the kind's own, which is there as long as it is reported. */
  readonly condition?: {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
  };
  /** Wakes this object when one of these changes, appears or goes. */
  readonly dependsOn?: readonly Dependency[];
  /**
   * Look again after so long even if nothing changes; the loop adds jitter unless `exact`. Beside
   * a failure it takes the place of the loop's own back-off.
   */
  readonly again?: { readonly ms: number; readonly exact?: boolean };
  /**
   * The request (see `RunContext.requested`) that has been answered by now: what status echoes.
   * Left out: the present one. Null: none yet, the work for it still goes on.
   */
  readonly handled?: string | null;
  /**
   * What the status refers to and must not go: it gets our finalizer before the status is written.
   * Their reconcilers say `isHeldByOthers`.
   */
  readonly holds?: readonly ObjectKey[];
  /** Things that happened in this run, worth an event each. */
  readonly events?: readonly Omit<ObjectEvent, 'regarding'>[];
}

export interface RunContext {
  /** All that is read here comes from one store; see `Store` for its guarantees. */
  readonly store: StoreReader;
  readonly now: () => Date;
  /** Runs this object again soon; for background work that has news. */
  readonly poke: () => void;
  /** A person asked for work now: the value of the reconcile annotation, until it is handled. */
  readonly requested?: string;
  /** The object is to be left as it is, and only work of before is to be told of. */
  readonly isSuspended?: boolean;
  readonly signal: AbortSignal;
}

/** An object that is no longer there. */
export interface Gone {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * Brings the world to what objects of one kind ask for. `reconcile` is handed the newest object,
 * never an event; it may be called at any time, any number of times, and does only what is missing.
 * It never waits for long work: that runs in the background and is looked at again.
 */
export interface Reconciler<K extends Kind> {
  readonly kind: K;
  reconcile(object: ObjectOf<K>, context: RunContext): Promise<Report<StatusOf<K>>>;
  /**
   * Whether background work goes on, or its end is not in the status yet. Then a suspended object
   * is run all the same, so that its status does not speak of work that is over.
   */
  isBusy?(object: ObjectOf<K>): boolean;
  /**
   * Cleans up before the object goes. Throws a `CairnError` to keep it for now; `dependsOn` of the
   * last report still wakes it. Left out where there is nothing to clean up.
   */
  finalize?(object: ObjectOf<K>, context: RunContext): Promise<void>;
  /** The object has gone, or another one has its name: what memory has of it can go as well. */
  forget?(gone: Gone): void;
  /** There is something to clean up, or to keep, only once another object's report `holds` it. */
  readonly isHeldByOthers?: true;
  /** What wakes an object that `finalize` keeps; left out, what its last report has said. */
  keptBy?(object: ObjectOf<K>): readonly Dependency[];
}
