import { isDeepStrictEqual } from 'node:util';

/** Whether two values have the same JSON, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain({ value: one }), plain({ value: other }));
}

/** A copy that holds only what JSON can: fields that are undefined are gone. */
export function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value; // the same fields, or fewer optional ones
}
