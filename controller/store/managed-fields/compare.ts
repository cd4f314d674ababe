import { isSame } from '../../json.ts';
import { FieldSet } from './field-set.ts';
import { isNamed, partsOf, typeOf, type Type } from './structure.ts';

/** The places in which two values differ. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function compare(before: unknown, after: unknown, type: Type): Comparison {
  const found = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  walk({ before, after, type, path: [] }, found);
  return found;
}

/** The places that a configuration gives: its leaves, and the items of its maps and lists. */
export function fieldSetOf(value: unknown, type: Type): FieldSet {
  const set = new FieldSet();
  const parts = partsOf(value, type);
  set.member = !parts || parts.size === 0;
  for (const [element, child] of parts ?? []) {
    const below = fieldSetOf(child, typeOf(element, type));
    if (!isNamed(element, type)) below.member = true;
    set.children.set(element, below);
  }
  return set;
}

interface Step {
  readonly before: unknown;
  readonly after: unknown;
  readonly type: Type;
  readonly path: readonly string[];
}

function walk({ before, after, type, path }: Step, found: Comparison): void {
  const [old, now] = [partsOf(before, type), partsOf(after, type)];
  const isLeaf = (before !== undefined && !old) || (after !== undefined && !now);
  const isEmpty = (old?.size ?? 0) + (now?.size ?? 0) === 0;
  if (isLeaf || isEmpty) {
    if (before !== undefined && after !== undefined && !isSame(before, after)) {
      found.modified.insert(path);
    }
  } else {
    for (const element of new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])) {
      const below = { type: typeOf(element, type), path: [...path, element] };
      walk({ ...below, before: old?.get(element), after: now?.get(element) }, found);
    }
  }
  if (before === undefined) found.added.insert(path);
  else if (after === undefined) found.removed.insert(path);
}
