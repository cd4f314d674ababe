import { createHash } from 'node:crypto';
import { apiVersion, type ObjectKey } from '../../../crds/object.ts';
import { StoreError, type ObjectEvent, type RecordedEvent } from '../../../crds/store.ts';
import type { Caller } from './connection.ts';
import { isRecord } from '../../../crds/record.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface EventsOptions {
  readonly connection: Caller;
  readonly now: () => Date;
  /** What tells these events, for people: the name of this process. */
  readonly instance: string;
  /** The uid of an object, if it is known. */
  readonly uid: (key: ObjectKey) => string | undefined;
}

/** Kubernetes' own limits on an event. */
const longestMessage = 1024;
const longestReason = 128;
const controller = 'cairn.build/controller';
const mostListed = 500;

/**
 * Events of `core/v1`, which every version of kubectl reads. Their names say what they tell, so the
 * same thing again raises a count also after a restart. Too many of one object are left out.
 */
export class Events {
  readonly #options: EventsOptions;
  readonly #buckets: TokenBuckets;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#buckets = new TokenBuckets(options.now);
  }

  async record(event: ObjectEvent): Promise<void> {
    const { kind, namespace, name } = event.regarding;
    if (!this.#buckets.take(`${kind}/${namespace}/${name}`)) return;
    const eventName = nameOf(event, this.#options.uid(event.regarding));
    const path = `${eventsPath(namespace)}/${eventName}`;
    const { connection } = this.#options;
    const first = this.#first(event, eventName);
    const post = { method: 'POST', path: eventsPath(namespace), body: first } as const;
    if (await connection.call(post).catch(unless('AlreadyExists'))) return;
    const known = await connection.call({ method: 'GET', path }).catch(unless('NotFound'));
    if (!known) return; // it has expired at this moment
    const body = this.#repeated(known.body);
    await connection.call({ method: 'PATCH', path, body, type: 'application/merge-patch+json' });
  }

  async of({ kind, namespace, name }: ObjectKey): Promise<readonly RecordedEvent[]> {
    const query = new URLSearchParams({
      fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}`,
      limit: String(mostListed),
    });
    return this.#listed(`${eventsPath(namespace)}?${query.toString()}`);
  }

  /** Of all objects of Cairn's kinds, in one namespace or in all. */
  async all(namespace?: string): Promise<readonly RecordedEvent[]> {
    const query = new URLSearchParams({ fieldSelector: 'source=cairn', limit: String(mostListed) });
    const path = namespace === undefined ? '/api/v1/events' : eventsPath(namespace);
    return this.#listed(`${path}?${query.toString()}`);
  }

  async #listed(path: string): Promise<readonly RecordedEvent[]> {
    const { body } = await this.#options.connection.call({ method: 'GET', path });
    const { items } = isRecord(body) ? body : {};
    const events = (Array.isArray(items) ? items : []).map(recorded);
    return events.sort((a, b) => (a.lastAt < b.lastAt ? -1 : 1));
  }

  #first({ regarding, type, reason, message }: ObjectEvent, name: string): unknown {
    const { now, instance, uid } = this.#options;
    const at = now();
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace },
      involvedObject: { apiVersion, ...regarding, uid: uid(regarding) },
      type,
      reason: reason.slice(0, longestReason),
      message: clipped(message),
      action: reason.slice(0, longestReason),
      source: { component: 'cairn' },
      reportingComponent: controller,
      reportingInstance: instance.slice(0, 128),
      eventTime: microTime(at),
      firstTimestamp: seconds(at),
      lastTimestamp: seconds(at),
      count: 1,
    };
  }

  #repeated(event: unknown): unknown {
    const count = countOf(event) + 1;
    const at = this.#options.now();
    const series = { count, lastObservedTime: microTime(at) };
    return { count, lastTimestamp: seconds(at), series };
  }
}

/** RFC 3339 with six digits of a second: kube-apiserver refuses a MicroTime with fewer. */
export function microTime(at: Date): string {
  return at.toISOString().replace('Z', '000Z');
}

function seconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}

function eventsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** A name of at most 253 characters, the same for the same thing told of the same object. */
function nameOf({ regarding, type, reason, message }: ObjectEvent, uid = ''): string {
  const told = JSON.stringify([regarding.kind, uid, type, reason, message]);
  const digest = createHash('sha256').update(told).digest('hex').slice(0, 16);
  return `${regarding.name.slice(0, 230).replace(/[-.]+$/, '')}.${digest}`;
}

/** At most 1,024 bytes, not cut inside of a character. */
function clipped(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= longestMessage) return message;
  return `${bytes
    .subarray(0, longestMessage - 8)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')} …`;
}

function unless(reason: StoreError['reason']): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof StoreError && error.reason === reason) return undefined;
    throw error;
  };
}

function countOf(event: unknown): number {
  const { count, series } = isRecord(event) ? event : {};
  const inSeries = isRecord(series) ? Number(series['count']) : 0;
  return Math.max(1, inSeries || 0, Number(count) || 0);
}

function recorded(event: unknown): RecordedEvent {
  const fields = isRecord(event) ? event : {};
  const object = isRecord(fields['involvedObject']) ? fields['involvedObject'] : {};
  const [kind, namespace, name] = [object['kind'], object['namespace'], object['name']].map(String);
  const { type, reason, message, series, eventTime, firstTimestamp, lastTimestamp } = fields;
  const firstAt = String(eventTime ?? firstTimestamp ?? '');
  const seen = isRecord(series) ? series['lastObservedTime'] : undefined;
  return {
    regarding: { kind, namespace, name } as ObjectKey, // three texts
    type: type === 'Warning' ? 'Warning' : 'Normal',
    reason: String(reason ?? ''),
    message: String(message ?? ''),
    count: countOf(event),
    firstAt,
    lastAt: String(seen ?? eventTime ?? lastTimestamp ?? firstAt),
  };
}
