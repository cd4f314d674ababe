/**
 * A set of places in an object, as a tree of path elements: `f:name` for a field, `k:{"type":"Ready"}`
 * for an item of a list by its keys, `v:"x"` for a value of a set. A place may be in the set without
 * what is below it, and the other way round. The text form is FieldsV1 of Kubernetes.
 */
export class FieldSet {
  member = false;
  readonly children = new Map<string, FieldSet>();

  /** The part of the set below an element, made when it isn't there. */
  below(element: string): FieldSet {
    const known = this.children.get(element);
    if (known) return known;
    const made = new FieldSet();
    this.children.set(element, made);
    return made;
  }

  insert(path: readonly string[]): void {
    let here: FieldSet = this;
    for (const element of path) here = here.below(element);
    here.member = true;
  }

  isEmpty(): boolean {
    return !this.member && [...this.children.values()].every((child) => child.isEmpty());
  }
}

export function union(...sets: readonly FieldSet[]): FieldSet {
  const result = new FieldSet();
  for (const set of sets) addAll(result, set);
  return result;
}

/** The places of `a` that are not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return filtered(a, b, (inA, inB) => inA && !inB);
}

/** The places that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return filtered(a, b, (inA, inB) => inA && inB);
}

export function isSameSet(a: FieldSet, b: FieldSet): boolean {
  return difference(a, b).isEmpty() && difference(b, a).isEmpty();
}

/** Every place, as people write it: `.spec.suites`, `.status.conditions[type="Ready"].status`. */
export function placesOf(set: FieldSet, prefix = ''): string[] {
  const own = set.member ? [prefix] : [];
  return [
    ...own,
    ...[...set.children].flatMap(([element, child]) => placesOf(child, prefix + shown(element))),
  ];
}

/** As FieldsV1: a place of its own is `{}`, or `.` beside what is below it. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  const children = [...set.children]
    .filter(([, child]) => !child.isEmpty())
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([element, child]): [string, unknown] => [element, toFieldsV1(child)]);
  const own: [string, unknown][] = set.member && children.length > 0 ? [['.', {}]] : [];
  return Object.fromEntries([...own, ...children]);
}

/** The set of a FieldsV1. What is no such thing is left out. */
export function fromFieldsV1(fields: unknown): FieldSet {
  const set = new FieldSet();
  if (typeof fields !== 'object' || fields === null) return set;
  for (const [element, below] of Object.entries(fields)) {
    if (element === '.') set.member = true;
    else if (isElement(element)) set.children.set(element, childOf(below));
  }
  return set;
}

/** Keys are an object in JSON, values any JSON: clients may send what they like. */
function isElement(element: string): boolean {
  if (element.startsWith('f:')) return true;
  if (!/^[kv]:/.test(element)) return false;
  try {
    const value: unknown = JSON.parse(element.slice(2));
    return element.startsWith('v:') || (typeof value === 'object' && value !== null);
  } catch {
    return false;
  }
}

function childOf(fields: unknown): FieldSet {
  const child = fromFieldsV1(fields);
  if (child.children.size === 0) child.member = true;
  return child;
}

function addAll(target: FieldSet, source: FieldSet): void {
  target.member ||= source.member;
  for (const [element, child] of source.children) addAll(target.below(element), child);
}

const nothing = new FieldSet();

function filtered(
  a: FieldSet,
  b: FieldSet,
  keep: (inA: boolean, inB: boolean) => boolean,
): FieldSet {
  const result = new FieldSet();
  result.member = keep(a.member, b.member);
  for (const [element, child] of a.children) {
    const kept = filtered(child, b.children.get(element) ?? nothing, keep);
    if (!kept.isEmpty()) result.children.set(element, kept);
  }
  return result;
}

function shown(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}
