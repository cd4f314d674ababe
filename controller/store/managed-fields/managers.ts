import { apiVersion, type ManagedFieldsEntry } from '../../../crds/object.ts';
import { fromFieldsV1, toFieldsV1, union, type FieldSet } from './field-set.ts';

/** One entry of managedFields, with its fields as a set. */
export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** Managers by who they are and how they wrote. */
export type Managers = ReadonlyMap<string, Manager>;

/** As many managers that update are told apart, as in Kubernetes; the oldest become one. */
const maxUpdaters = 10;
const ancient = 'ancient-changes';

export function idOf(one: Pick<Manager, 'manager' | 'operation' | 'subresource'>): string {
  return JSON.stringify([one.operation, one.manager, one.subresource]);
}

/** Reads managedFields; entries that make no sense, or of another API version, are left out. */
export function decode(entries: readonly unknown[] = []): Managers {
  const managers = entries.flatMap((entry) => {
    const manager = decodeOne(entry);
    return manager ? [[idOf(manager), manager] as const] : [];
  });
  return new Map(managers);
}

/** managedFields in Kubernetes' order: those who apply, then by time. */
export function encode(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].sort(byAge).map(({ subresource, fields, ...one }) => ({
    ...one,
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(fields),
    ...(subresource !== '' && { subresource }),
  }));
}

/** Makes one of the oldest updaters when there are too many. */
export function capped(managers: Managers): Managers {
  const updaters = [...managers.values()]
    .filter(({ operation }) => operation === 'Update')
    .sort(byAge);
  if (updaters.length <= maxUpdaters) return managers;
  const oldest = updaters.slice(0, updaters.length - maxUpdaters + 1);
  const kept = [...managers.values()].filter((one) => !oldest.includes(one));
  const fields = union(...oldest.map((one) => one.fields));
  const time = oldest.at(-1)?.time ?? '';
  const bucket = { manager: ancient, operation: 'Update', subresource: '', time, fields } as const;
  return new Map([...kept, bucket].map((one) => [idOf(one), one]));
}

function byAge(a: Manager, b: Manager): number {
  if (a.operation !== b.operation) return a.operation === 'Apply' ? -1 : 1;
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return idOf(a) < idOf(b) ? -1 : 1;
}

function decodeOne(entry: unknown): Manager | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const given = new Map<string, unknown>(Object.entries(entry));
  const [manager, operation, time] = ['manager', 'operation', 'time'].map((key) => given.get(key));
  const subresource = given.get('subresource') ?? '';
  if (given.get('apiVersion') !== apiVersion || given.get('fieldsType') !== 'FieldsV1') {
    return undefined;
  }
  if (typeof manager !== 'string' || (operation !== 'Apply' && operation !== 'Update')) {
    return undefined;
  }
  if (subresource !== '' && subresource !== 'status') return undefined;
  const fields = fromFieldsV1(given.get('fieldsV1'));
  if (fields.isEmpty()) return undefined;
  return { manager, operation, subresource, time: typeof time === 'string' ? time : '', fields };
}
