import { isDeepStrictEqual } from 'node:util';

/** Whether two values have the same JSON, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!isObject(one) || !isObject(other)) return isSameText(one, other);
  if (hasOwnJson(one) || hasOwnJson(other)) return isSameText(one, other);
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && isSameList(one, other);
  }
  const [some, others] = [namesIn(one), namesIn(other)];
  return some.length === others.length && some.every((name) => isSame(one[name], other[name]));
}

/** What is undefined, or not there, is null in the JSON of a list. */
function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false;
  return one.findIndex((entry, at) => !isSame(entry ?? null, other[at] ?? null)) < 0;
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** Dates, and what else says itself what it is in JSON. */
function hasOwnJson(value: Fields): boolean {
  return typeof value['toJSON'] === 'function';
}

/** Fields that are undefined are not in the JSON. */
function namesIn(value: Fields): string[] {
  return Object.keys(value).filter((name) => value[name] !== undefined);
}

/** NaN is null there, and the like. */
function isSameText(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain({ value: one }), plain({ value: other }));
}

/** A copy that holds only what JSON can: fields that are undefined are gone. */
export function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value; // the same fields, or fewer optional ones
}
