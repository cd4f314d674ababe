/** The part of JSON Schema that the kinds are written in. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The schema of a TypeBox type, as plain data. Records are maps: any key, values of one schema. */
export function plainSchema(type: object): Schema {
  const schema = JSON.parse(JSON.stringify(type)) as Schema; // a TypeBox type is a JSON Schema
  return mapSchema(schema, asMap);
}

function asMap({ patternProperties, ...rest }: Schema): Schema {
  const [values] = Object.values(patternProperties ?? {});
  return values ? { ...rest, additionalProperties: values } : rest;
}

/** The same schema after `change` was applied to each part of it, the innermost first. */
export function mapSchema(schema: Schema, change: (part: Schema) => Schema): Schema {
  const inner = (part: Schema) => mapSchema(part, change);
  const mapped: { -readonly [K in keyof Schema]: Schema[K] } = { ...schema };
  if (schema.properties) mapped.properties = mapValues(schema.properties, inner);
  if (schema.patternProperties) {
    mapped.patternProperties = mapValues(schema.patternProperties, inner);
  }
  if (typeof schema.additionalProperties === 'object') {
    mapped.additionalProperties = inner(schema.additionalProperties);
  }
  if (schema.items) mapped.items = inner(schema.items);
  return change(mapped);
}

/** The schema of what a path of keys and indexes leads to, as far as the schema goes. */
export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  let part: Schema | undefined = schema;
  for (const step of path) {
    part = typeof step === 'number' ? part?.items : part?.properties?.[step];
  }
  return part;
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
