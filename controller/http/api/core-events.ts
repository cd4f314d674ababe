import { createHash } from 'node:crypto';
import { kinds } from '../../../crds/index.ts';
import { apiVersion, keyOf } from '../../../crds/object.ts';
import type { EventReader, RecordedEvent, StoreReader } from '../../../crds/store.ts';
import { timestamp } from '../../../crds/timestamp.ts';
import { ageOf } from '../../cli/age.ts';
import type { FieldRequirement } from './field-selector.ts';
import type { ApiObject, TableColumn } from './table.ts';

/** An event as core/v1 has it: what `kubectl describe` and `kubectl get events` show. */
export interface CoreEvent extends ApiObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid?: string;
  };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

/** What an event can be selected by. */
const readers: Readonly<Record<string, (event: CoreEvent) => string | undefined>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
  'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion,
  'involvedObject.kind': ({ involvedObject }) => involvedObject.kind,
  'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace,
  'involvedObject.name': ({ involvedObject }) => involvedObject.name,
  'involvedObject.uid': ({ involvedObject }) => involvedObject.uid,
  'involvedObject.fieldPath': () => '',
  reason: ({ reason }) => reason,
  type: ({ type }) => type,
  reportingComponent: () => 'cairn',
  source: () => 'cairn',
};
export const eventFields = Object.keys(readers);

/** Events of all namespaces or one, oldest first. Those of an object that is gone have no uid. */
export async function coreEvents(
  store: Pick<StoreReader, 'get'> & EventReader,
  namespace: string | undefined,
  fields: readonly FieldRequirement[],
): Promise<readonly CoreEvent[]> {
  const uids = new Map<string, string | undefined>();
  const events: CoreEvent[] = [];
  for (const event of await store.allEvents(namespace)) {
    const key = keyOf(event.regarding);
    if (!uids.has(key)) uids.set(key, (await store.get(event.regarding))?.metadata.uid);
    events.push(coreEvent(event, uids.get(key)));
  }
  return events.filter((event) =>
    fields.every(({ field, value, negated }) => (readers[field]?.(event) === value) !== negated),
  );
}

function coreEvent(event: RecordedEvent, uid: string | undefined): CoreEvent {
  const { regarding, type, reason, message, count, firstAt, lastAt } = event;
  const digest = digestOf(event);
  const [first, last] = [timestamp(new Date(firstAt)), timestamp(new Date(lastAt))];
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${regarding.name}.${digest.slice(0, 16)}`,
      namespace: regarding.namespace,
      ...{ uid: asUid(digest), resourceVersion: String(Date.parse(lastAt)) },
      ...{ creationTimestamp: first },
    },
    involvedObject: { apiVersion, ...regarding, ...(uid !== undefined && { uid }) },
    type,
    reason,
    message,
    count,
    firstTimestamp: first,
    lastTimestamp: last,
    ...{ source: { component: 'cairn' }, reportingComponent: 'cairn', reportingInstance: 'cairn' },
  };
}

/** The store counts what is the same, so these tell events apart. */
function digestOf({ regarding, type, reason, message }: RecordedEvent): string {
  const parts = [keyOf(regarding), type, reason, message];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** A digest in the form of a UUID: the same thing has the same one, always. */
export function asUid(digest: string): string {
  const parts = /^(.{8})(.{4})(.{4})(.{4})(.{12})/.exec(digest) ?? [];
  return parts.slice(1).join('-');
}

/** The columns of `kubectl get events`, as the API server has them. */
export const eventColumns: readonly TableColumn[] = [
  column('Last Seen', 0, (event, now) => ageOf(event.lastTimestamp, now)),
  column('Type', 0, ({ type }) => type),
  column('Reason', 0, ({ reason }) => reason),
  column('Object', 0, ({ involvedObject }) => shortName(involvedObject)),
  column('Subobject', 1, () => ''),
  column('Source', 1, () => 'cairn'),
  column('Message', 0, ({ message }) => message.trim()),
  column('First Seen', 1, (event, now) => ageOf(event.firstTimestamp, now)),
  { ...column('Count', 1, ({ count }) => count), type: 'integer' },
  column('Name', 1, ({ metadata }) => metadata.name),
];

function column(
  name: string,
  priority: 0 | 1,
  cell: (event: CoreEvent, now: Date) => string | number,
): TableColumn {
  return {
    name,
    type: 'string',
    ...(name === 'Name' && { format: 'name' }),
    description: `${name} of the event.`,
    priority,
    cell: (object, now) => cell(object as CoreEvent, now), // rows of these columns are events
  };
}

function shortName({ kind, name }: CoreEvent['involvedObject']): string {
  const known = kinds.find((one) => one.kind === kind);
  return `${(known?.kind ?? kind).toLowerCase()}/${name}`;
}
