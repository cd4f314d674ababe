import type { Schema } from './schema.ts';

/**
 * The same value without the fields that are null: `limits:` with nothing behind it says as little as
 * no `limits` at all, to an API server as well. Nulls of unknown fields and in lists stay.
 */
export function withoutNulls(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, schema?.items));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([name, field]) => {
    const known = fieldSchema(schema, name);
    return field === null && known ? [] : [[name, withoutNulls(field, known)] as const];
  });
  return Object.fromEntries(kept);
}

function fieldSchema(schema: Schema | undefined, name: string): Schema | undefined {
  const { properties = {}, additionalProperties } = schema ?? {};
  if (Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
