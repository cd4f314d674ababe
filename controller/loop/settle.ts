import { conditionOf, keyOf, type KubeObject } from '../../crds/object.ts';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import {
  StoreError,
  type AnyStatus,
  type ObjectEvent,
  type StoreWriter,
} from '../../crds/store.ts';
import { isSame } from '../json.ts';
import type { Log } from '../log.ts';
import { redact } from '../../reconcilers/redact.ts';
import { firstLine, verdict, type Outcome } from './conditions.ts';
import type { EventLine } from './event-line.ts';

export interface SettlerOptions {
  readonly store: StoreWriter;
  readonly events: Pick<EventLine, 'add'>;
  readonly now: () => Date;
  readonly log: Log;
}

/** Puts what a run came to where people see it: the status, events, the log. */
export class Settler {
  readonly #options: SettlerOptions;
  /** The unknown error last logged for an object, so that its stack is logged once. */
  readonly #logged = new Map<string, string>();

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Writes the status, once and only if it differs, and tells people of what is new. */
  async settle(object: KubeObject, outcome: Outcome, handled: string | undefined): Promise<void> {
    this.#logUnknown(object, outcome);
    if ('report' in outcome) {
      for (const event of outcome.report.events ?? []) this.record(object, event);
    }
    const status = await this.#write(object, outcome, handled);
    const event = readyEvent(object, { ...object, status }, outcome);
    if (!event) return;
    if (!isToldBetter(outcome, event)) this.record(object, event);
    const { reason, message } = event;
    this.#options.log[event.type === 'Warning' ? 'warn' : 'info']('status changed', {
      ...fieldsOf(object),
      ready: conditionOf({ status }, 'Ready')?.status,
      reason,
      because: message,
    });
  }

  async #write(object: KubeObject, outcome: Outcome, handled?: string): Promise<AnyStatus> {
    const { store, now } = this.#options;
    const status = verdict(object, outcome, { now: now(), handled });
    if (isSame(status, object.status)) return status;
    try {
      await store.updateStatus({ ...object, status });
      return status;
    } catch (error) {
      const isRefused = error instanceof StoreError && error.reason === 'Invalid';
      if (!isRefused || 'thrown' in outcome) throw error;
      const thrown = new CairnError('InternalError', `its status was refused: ${error.message}`);
      return this.#write(object, { thrown }, handled);
    }
  }

  record(object: KubeObject, event: Omit<ObjectEvent, 'regarding'>): void {
    const message = redact(event.message);
    this.#options.events.add({ ...event, message, regarding: fieldsOf(object) });
  }

  #logUnknown(object: KubeObject, outcome: Outcome): void {
    const key = keyOf(object);
    const failure = 'thrown' in outcome ? outcome.thrown : outcome.report.failure;
    if (failure?.reason !== 'InternalError') {
      this.#logged.delete(key);
    } else if (this.#logged.get(key) !== failure.message) {
      this.#logged.set(key, failure.message);
      const error = failure.cause ?? failure;
      this.#options.log.error('unexpected error', { ...fieldsOf(object), error });
    }
  }

  /** The object is gone: nothing about it is remembered. */
  forget(key: string): void {
    this.#logged.delete(key);
  }
}

/** Runs `work` and yields what it threw, if it did. */
export async function failureOf(work: () => Promise<void>): Promise<CairnError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return asCairnError(error);
  }
}

/** An event when Ready has another status or reason than before. Waiting is no cause for alarm. */
function readyEvent(
  before: KubeObject,
  after: KubeObject,
  outcome: Outcome,
): Omit<ObjectEvent, 'regarding'> | undefined {
  const [old, ready] = [conditionOf(before, 'Ready'), conditionOf(after, 'Ready')];
  if (!ready || (old?.status === ready.status && old.reason === ready.reason)) return undefined;
  const failure = 'thrown' in outcome ? outcome.thrown : outcome.report.failure;
  const isAlarm = failure !== undefined && failure.remedy !== 'wait';
  const { reason, message } = ready;
  return { type: isAlarm ? 'Warning' : 'Normal', reason, message: firstLine(message) };
}

/** `Promoted: Serves base-2 after base-1` says all that `Succeeded: Serves base-2` would. */
function isToldBetter(outcome: Outcome, { type }: Omit<ObjectEvent, 'regarding'>): boolean {
  return type === 'Normal' && 'report' in outcome && (outcome.report.events ?? []).length > 0;
}

export function fieldsOf({ kind, metadata: { namespace, name } }: KubeObject) {
  return { kind, namespace, name };
}
