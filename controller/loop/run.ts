import { finalizer, keyOf, type KubeObject, type ObjectKey } from '../../crds/object.ts';
import { asCairnError, CairnError, type Reason, type Remedy } from '../../crds/reasons.ts';
import {
  StoreError,
  type AnyStatus,
  type StoreReader,
  type StoreWriter,
} from '../../crds/store.ts';
import type { Dependency, Gone, Report, RunContext } from '../../reconcilers/reconciler.ts';
import type { Log } from '../log.ts';
import type { Outcome } from './conditions.ts';
import type { EventLine } from './event-line.ts';
import { isSuspended, requestOf } from './seen.ts';
import { failureOf, fieldsOf, Settler } from './settle.ts';

/** A `Reconciler` of any kind, as the loop sees it. */
export interface AnyReconciler {
  readonly kind: { readonly kind: string };
  reconcile(object: KubeObject, context: RunContext): Promise<Report<AnyStatus>>;
  isBusy?(object: KubeObject): boolean;
  finalize?(object: KubeObject, context: RunContext): Promise<void>;
  forget?(gone: Gone): void;
  readonly isHeldByOthers?: true;
  keptBy?(object: KubeObject): readonly Dependency[];
}

/** What is to come after a run. */
export type Next =
  | { readonly do: 'gone' }
  /** Nothing, until something changes: the object is suspended, or not ours to delete. */
  | { readonly do: 'rest' }
  /** The controller is stopping; nothing was written. */
  | { readonly do: 'stop' }
  /** Somebody else wrote the object meanwhile, which is no failure. */
  | { readonly do: 'repeat' }
  | {
      readonly do: 'return';
      readonly remedy?: Remedy;
      /** Why it failed. */
      readonly reason?: Reason;
      readonly isProgressing?: boolean;
      readonly again?: Report<AnyStatus>['again'];
      /** Left out after a throw: what the last report said still holds. */
      readonly dependsOn?: readonly Dependency[];
    };

export interface RunnerOptions {
  readonly store: StoreReader & StoreWriter;
  readonly events: Pick<EventLine, 'add'>;
  readonly reconcilers: ReadonlyMap<string, AnyReconciler>;
  readonly now: () => Date;
  readonly log: Log;
  readonly poke: (key: string) => void;
  /** Whether many objects wait for a run. */
  readonly isBusy?: () => boolean;
}

/** What an object waits for is told at once, unless it is new and others wait for us: so late. */
const latestFirstWordMs = 30_000;
/** It may have become ready meanwhile, which saves telling that it waited. */
const secondLookMs = 5000;

/** Runs reconcilers, one object at a time, and puts what they find into statuses and events. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #settler: Settler;
  /** Since when objects that nothing is told of yet are known. */
  readonly #untold = new Map<string, number>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#settler = new Settler(options);
  }

  /** One run for the newest state of an object. Rejects only when the store fails. */
  async run(key: ObjectKey, signal: AbortSignal): Promise<Next> {
    const object = await this.#options.store.get(key);
    const reconciler = this.#options.reconcilers.get(key.kind);
    if (!object || !reconciler) return { do: 'gone' };
    try {
      if (object.metadata.deletionTimestamp !== undefined) {
        return await this.#finalize(reconciler, object, signal);
      }
      return isSuspended(object) && reconciler.isBusy?.(object) !== true
        ? { do: 'rest' }
        : await this.#reconcile(reconciler, object, signal);
    } catch (error) {
      if (isStoreError(error, 'Forbidden')) return this.#denied(object, asCairnError(error));
      if (!isOvertaken(error)) throw error;
      this.#options.log.debug('overtaken', { object: keyOf(object), because: error.message });
      return { do: 'repeat' };
    }
  }

  /** The object is gone: nothing about it is remembered. */
  forget(key: string): void {
    this.#settler.forget(key);
    this.#untold.delete(key);
  }

  /** A person has just declared the object, and wants to see that it was noticed. */
  tellSoon(key: string): void {
    this.#untold.set(key, Number.NEGATIVE_INFINITY);
  }

  /** The object is gone; another one of its name may be there. */
  gone(last: Gone & { readonly kind: string }): void {
    this.#options.reconcilers.get(last.kind)?.forget?.(last);
  }

  async #reconcile(
    reconciler: AnyReconciler,
    found: KubeObject,
    signal: AbortSignal,
  ): Promise<Next> {
    const keepsItself = reconciler.finalize !== undefined && reconciler.isHeldByOthers !== true;
    const object = keepsItself ? await this.#withFinalizer(found) : found;
    const context = this.#context(object, signal);
    const copy = structuredClone(object); // what a reconciler does to it must not hide a change
    const reported = await attempt(() => reconciler.reconcile(copy, context));
    const late = lateness(signal);
    if (signal.aborted && !late) return { do: 'stop' };
    const outcome = late && 'thrown' in reported ? { thrown: late } : reported;
    const later = this.#later(object, outcome);
    if (later) return later;
    if ('report' in outcome) await this.#hold(outcome.report.holds ?? []);
    await this.#settler.settle(object, outcome, handledBy(outcome, context));
    if ('thrown' in outcome) return failedWith(outcome.thrown);
    const { failure, progressing = false, again, dependsOn = [] } = outcome.report;
    return {
      do: 'return',
      isProgressing: progressing,
      dependsOn,
      ...(failure && { remedy: failure.remedy, reason: failure.reason }),
      ...(again && { again }),
    };
  }

  /** What a new object waits for is worth no write while many others wait for theirs. */
  #later(object: KubeObject, outcome: Outcome): Next | undefined {
    const key = keyOf(object);
    const now = this.#options.now().getTime();
    const since = this.#untold.get(key) ?? now;
    const isNew = !object.status.conditions?.length && now - since < latestFirstWordMs;
    if (!isNew || this.#options.isBusy?.() !== true || !isInterim(outcome)) {
      this.#untold.delete(key);
      return undefined;
    }
    const { dependsOn = [], again } = outcome.report;
    this.#untold.set(key, since);
    const ms = Math.min(again?.ms ?? secondLookMs, secondLookMs);
    return { do: 'return', isProgressing: true, dependsOn, again: { ms } };
  }

  /** The object says what this process may not do; where not even that is allowed, an event does. */
  async #denied(object: KubeObject, thrown: CairnError): Promise<Next> {
    try {
      await this.#settler.settle(object, { thrown }, undefined);
    } catch (error) {
      const { reason, message } = thrown;
      this.#settler.record(object, { type: 'Warning', reason, message });
      if (!isOvertaken(error)) throw error;
    }
    return failedWith(thrown);
  }

  async #finalize(
    reconciler: AnyReconciler,
    object: KubeObject,
    signal: AbortSignal,
  ): Promise<Next> {
    const { finalizers = [] } = object.metadata;
    if (!finalizers.includes(finalizer)) return { do: 'rest' };
    const context = this.#context(object, signal);
    const failure = await failureOf(async () => reconciler.finalize?.(object, context));
    const late = lateness(signal);
    if (signal.aborted && !late) return { do: 'stop' };
    const thrown = failure && (late ?? failure); // what has ended well after all is done
    if (thrown) {
      await this.#settler.settle(object, { thrown }, context.requested);
      const dependsOn = reconciler.keptBy?.(object);
      return { ...failedWith(thrown), ...(dependsOn && { dependsOn }) };
    }
    const left = finalizers.filter((one) => one !== finalizer);
    await this.#options.store.update(withFinalizers(object, left));
    this.#options.log.info('finalized', fieldsOf(object));
    return { do: 'rest' };
  }

  /** The finalizer goes in before the first effect, so that no effect is left behind. */
  async #withFinalizer(object: KubeObject): Promise<KubeObject> {
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer)) return object;
    return this.#options.store.update(withFinalizers(object, [...finalizers, finalizer]));
  }

  /** Before a status refers to them. Throws as if overtaken when one of them is about to go. */
  async #hold(keys: readonly ObjectKey[]): Promise<void> {
    for (const key of keys) {
      const object = await this.#options.store.get(key);
      if (object?.metadata.finalizers?.includes(finalizer)) continue;
      if (!object || object.metadata.deletionTimestamp !== undefined) {
        throw new StoreError('NotFound', `${key.kind} ${key.name} has gone meanwhile`);
      }
      await this.#withFinalizer(object);
    }
  }

  #context(object: KubeObject, signal: AbortSignal): RunContext {
    const { store, now, poke } = this.#options;
    const request = requestOf(object);
    const isNew = request !== undefined && request !== object.status.lastHandledReconcileAt;
    return {
      store,
      now,
      signal,
      poke: () => poke(keyOf(object)),
      ...(isNew && { requested: request }),
      ...(isSuspended(object) && { isSuspended: true }),
    };
  }
}

function failedWith({ remedy, reason }: CairnError): Next {
  return { do: 'return', remedy, reason };
}

/** It only says what the object waits for, or that work goes on. */
function isInterim(outcome: Outcome): outcome is Extract<Outcome, { readonly report: unknown }> {
  if ('thrown' in outcome) return false;
  const { failure, progressing = false } = outcome.report;
  return failure ? failure.remedy === 'wait' : progressing;
}

/** Why a run was broken off, if that is because of its own time, and not because of a shutdown. */
function lateness({ reason }: AbortSignal): CairnError | undefined {
  return reason instanceof CairnError && reason.reason === 'RunTimeout' ? reason : undefined;
}

async function attempt(work: () => Promise<Report<AnyStatus>>): Promise<Outcome> {
  try {
    return { report: await work() };
  } catch (error) {
    // overtaken, or nowhere to write to: nothing that the object should say
    if (isStoreError(error, 'Conflict') || isStoreError(error, 'Unavailable')) throw error;
    return { thrown: asCairnError(error) };
  }
}

/** The request that a run has answered; a reconciler may say that its work still goes on. */
function handledBy(outcome: Outcome, { requested }: RunContext): string | undefined {
  const handled = 'report' in outcome ? outcome.report.handled : undefined;
  return handled === undefined ? requested : (handled ?? undefined);
}

function isOvertaken(error: unknown): error is StoreError {
  return isStoreError(error, 'Conflict') || isStoreError(error, 'NotFound');
}

function isStoreError(error: unknown, reason: StoreError['reason']): error is StoreError {
  return error instanceof StoreError && error.reason === reason;
}

function withFinalizers(object: KubeObject, finalizers: string[]): KubeObject {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}
