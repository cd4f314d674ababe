import type { ManagedFieldsEntry } from '../../../crds/object.ts';
import { compare, fieldSetOf, type Comparison } from './compare.ts';
import { conflictError, type Conflict } from './conflict.ts';
import { difference, FieldSet, intersection, isSameSet, union } from './field-set.ts';
import { allowedByLastApplied } from './last-applied.ts';
import { capped, decode, encode, idOf, type Manager, type Managers } from './managers.ts';
import { merge, prune } from './merge.ts';
import type { Type } from './structure.ts';

/** Who writes, where, and when (RFC 3339). */
export interface Writing {
  readonly manager: string;
  readonly subresource?: 'status';
  readonly time: string;
}

/** An object's part that has owners: metadata, spec and status, whatever is being written of it. */
export type Tracked = Readonly<Record<string, unknown>>;

/**
 * Who owns what after somebody has replaced `before` with `after`: whoever changes a field owns it
 * from then on, alone.
 */
export function afterUpdate(
  entries: readonly ManagedFieldsEntry[] | undefined,
  {
    before,
    after,
    type,
  }: { readonly before: Tracked; readonly after: Tracked; readonly type: Type },
  writing: Writing,
): ManagedFieldsEntry[] {
  const changes = compare(before, after, type);
  const self = { operation: 'Update', subresource: '', ...writing } as const;
  const managers = decode(entries);
  const mine = managers.get(idOf(self))?.fields ?? new FieldSet();
  const touched = union(changes.added, changes.modified);
  const rest = withoutAll(managers, union(touched, changes.removed));
  const fields = stripped(union(difference(mine, changes.removed), touched));
  const isTouched = !stripped(touched).isEmpty();
  const time = isTouched ? writing.time : (managers.get(idOf(self))?.time ?? writing.time);
  const next = fields.isEmpty() ? rest : rest.set(idOf(self), { ...self, time, fields });
  return encode(capped(next));
}

export interface Applied {
  /** What is there after the apply. */
  readonly value: Tracked;
  readonly entries: ManagedFieldsEntry[];
}

export interface Application {
  readonly live: Tracked;
  readonly config: Tracked;
  readonly type: Type;
  readonly entries: readonly ManagedFieldsEntry[] | undefined;
  readonly force: boolean;
}

/**
 * Server-side apply, by the rules of Kubernetes' structured-merge-diff: what the configuration gives
 * is set and owned; what this manager gave before, gives no more and nobody else has, is removed.
 * Throws Conflict, naming manager and field, when another has given a field another value, unless
 * forced: then it is taken.
 */
export function afterApply(application: Application, writing: Writing): Applied {
  const { live, config, type } = application;
  const managers = new Map(knownManagers(application, writing));
  const self = { operation: 'Apply', subresource: '', ...writing } as const;
  const before = managers.get(idOf(self))?.fields ?? new FieldSet();
  const fields = stripped(fieldSetOf(config, type));
  managers.set(idOf(self), { ...self, fields });
  const owned = union(...[...managers.values()].map((one) => one.fields));
  const value = prune(merge(live, config, type), before, owned, type) as Tracked; // maps both
  const others = [...managers.values()].filter((one) => idOf(one) !== idOf(self));
  const changes = compare(live, value, type);
  refuseConflicts(application, { others, changes, manager: writing.manager });
  const lost = union(changes.added, changes.modified, changes.removed);
  const rest = withoutAll(new Map(others.map((one) => [idOf(one), one])), lost);
  const next = fields.isEmpty() ? rest : rest.set(idOf(self), { ...self, fields });
  return { value, entries: encode(next) };
}

/** Whether entries differ in more than their times. */
export function isSameOwnership(
  a: readonly ManagedFieldsEntry[] | undefined,
  b: readonly ManagedFieldsEntry[] | undefined,
): boolean {
  const [left, right] = [decode(a), decode(b)];
  if (left.size !== right.size) return false;
  return [...left].every(([id, { fields }]) => {
    const other = right.get(id);
    return other !== undefined && isSameSet(fields, other.fields);
  });
}

/** Of an object that nobody has applied before, all that is there belongs to the past. */
function knownManagers({ entries, live, type }: Application, { time }: Writing): Managers {
  const managers = decode(entries);
  if (managers.size > 0) return managers;
  const past = { manager: 'before-first-apply', time };
  return decode(afterUpdate([], { before: {}, after: live, type }, past));
}

function refuseConflicts(
  { force, live, type }: Application,
  {
    others,
    changes,
    manager,
  }: {
    readonly others: readonly Manager[];
    readonly changes: Comparison;
    readonly manager: string;
  },
): void {
  if (force) return;
  const touched = union(changes.added, changes.modified);
  const allowed = manager === 'kubectl' ? allowedByLastApplied(live, type) : new FieldSet();
  const conflicts = others.flatMap((other): Conflict[] => {
    const fields = difference(intersection(other.fields, touched), allowed);
    return fields.isEmpty() ? [] : [{ manager: other, fields }];
  });
  if (conflicts.length > 0) throw conflictError(conflicts);
}

function withoutAll(managers: Managers, taken: FieldSet): Map<string, Manager> {
  const left = [...managers].flatMap(([id, one]): [string, Manager][] => {
    const fields = difference(one.fields, taken);
    return fields.isEmpty() ? [] : [[id, { ...one, fields }]];
  });
  return new Map(left);
}

/** Nobody owns the object itself, or its metadata as a whole. */
function stripped(fields: FieldSet): FieldSet {
  const whole = new FieldSet();
  whole.member = true;
  whole.insert(['f:metadata']);
  return difference(fields, whole);
}
