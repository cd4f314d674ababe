import type { StructuralSchema } from '../../../crds/crd.ts';
import { isRecord } from '../../../crds/record.ts';

/** What is known of a value's type; nothing of what the schema doesn't name. */
export type Type = StructuralSchema | undefined;

/**
 * The parts of a value that may have owners of their own, by path element and in their order;
 * undefined for a value that is owned as a whole: a scalar, and a list or map that is atomic. Lists
 * are atomic unless the schema says `map` or `set`, maps are not unless it says so.
 */
export function partsOf(value: unknown, type: Type): Map<string, unknown> | undefined {
  if (isRecord(value)) {
    if (type?.['x-kubernetes-map-type'] === 'atomic') return undefined;
    return new Map(Object.entries(value).map(([key, child]) => [`f:${key}`, child]));
  }
  if (!Array.isArray(value)) return undefined;
  const elementOf = elementBy(type);
  return elementOf && new Map(value.map((item: unknown) => [elementOf(item), item]));
}

/** The value whose parts these are; `like` is one of its kind. */
export function valueOf(parts: ReadonlyMap<string, unknown>, like: unknown): unknown {
  if (Array.isArray(like)) return [...parts.values()];
  return Object.fromEntries([...parts].map(([element, child]) => [element.slice(2), child]));
}

/** The type of a part. */
export function typeOf(element: string, type: Type): Type {
  if (!element.startsWith('f:')) return type?.items;
  const key = element.slice(2);
  if (type?.properties && Object.hasOwn(type.properties, key)) return type.properties[key];
  const others = type?.additionalProperties;
  return typeof others === 'object' ? (others as StructuralSchema) : undefined;
}

/** Whether a part is a field that the schema names, not an item of a map or list. */
export function isNamed(element: string, type: Type): boolean {
  if (!element.startsWith('f:') || !type?.properties) return false;
  return Object.hasOwn(type.properties, element.slice(2));
}

/** The element that a list has twice, if any: it would have no owner. */
export function duplicateIn(value: unknown, type: Type): string | undefined {
  const elementOf = Array.isArray(value) ? elementBy(type) : undefined;
  if (!elementOf || !Array.isArray(value)) return undefined;
  const seen = new Set<string>();
  for (const item of value) {
    const element = elementOf(item);
    if (seen.has(element)) return element.slice(2);
    seen.add(element);
  }
  return undefined;
}

function elementBy(type: Type): ((item: unknown) => string) | undefined {
  const listType = type?.['x-kubernetes-list-type'];
  if (listType === 'set') return (item) => `v:${JSON.stringify(item)}`;
  if (listType !== 'map') return undefined;
  const keys = [...(type?.['x-kubernetes-list-map-keys'] ?? [])].sort();
  return (item) => `k:${JSON.stringify(Object.fromEntries(keys.flatMap(keyIn(item, type))))}`;
}

/** A key of an item, or its default. */
function keyIn(item: unknown, type: Type) {
  return (key: string): [string, unknown][] => {
    const given = isRecord(item) && Object.hasOwn(item, key) ? item[key] : undefined;
    const value = given ?? type?.items?.properties?.[key]?.default;
    return value === undefined ? [] : [[key, value]];
  };
}
