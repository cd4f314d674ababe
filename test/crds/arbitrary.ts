/** Values made up from a schema: good ones, and such with a slip in them. */
import fc from 'fast-check';
import type { Schema } from '../../crds/schema.ts';
import { isRecord } from '../../crds/record.ts';

const longest = 64;
const most = 4;

/** A value that a schema accepts. */
export function fitting(schema: Schema): fc.Arbitrary<unknown> {
  const { enum: allowed, items = {}, minItems = 0, maxItems = most } = schema;
  if (allowed) return fc.constantFrom(...allowed);
  switch (schema.type) {
    case 'string':
      return fittingText(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1, max: Math.min(schema.maximum ?? 2 ** 40) });
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const bounds = { minLength: minItems, maxLength: Math.min(maxItems, most) };
      return fc.array(fitting(items), bounds);
    }
    default:
      return fittingObject(schema);
  }
}

function fittingText(schema: Schema): fc.Arbitrary<unknown> {
  const { examples = [], pattern, format, minLength = 0, maxLength = longest } = schema;
  const bounds = { minLength, maxLength: Math.min(maxLength, longest) };
  const any =
    pattern === undefined
      ? fc.string({ ...bounds, unit: 'grapheme' })
      : fc
          .stringMatching(new RegExp(pattern, 'u'))
          .filter((text) => text.length >= minLength && text.length <= maxLength);
  if (format === 'date-time') return fc.constantFrom('2026-11-21T06:50:00Z');
  return examples.length === 0 ? any : fc.oneof(fc.constantFrom(...examples), any);
}

/** Fields that may be left out are so more often than not. */
function fittingObject(schema: Schema): fc.Arbitrary<Record<string, unknown>> {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (typeof additionalProperties === 'object') {
    const values = fitting(additionalProperties);
    return fc.dictionary(fc.string({ maxLength: 20 }), values, { maxKeys: most });
  }
  const fields = Object.entries(properties).map(([name, field]) => {
    const given = fitting(field).map((value) => ({ [name]: value }));
    const isNeeded = required.includes(name) && field.default === undefined;
    return isNeeded ? given : fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, given);
  });
  return fc.tuple(...fields).map((parts): Record<string, unknown> => Object.assign({}, ...parts));
}

/** The same, with up to two slips. */
export function slipped(good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const slips = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(slip, { minLength: 1, maxLength: 2 }) },
  );
  return fc
    .tuple(good, slips)
    .map(([value, made]) =>
      made.reduce((before, { at, change }) => put(before, at, change), value),
    );
}

/** What a part becomes. Undefined takes it away. */
type Change = (part: unknown) => unknown;

const oddities: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e300, 2 ** 53, '', ' ', '\n', '\0', '1', 'yes', 'null'],
  ...['É', 'K', '１h', '\u{1f600}'.repeat(200), 'x'.repeat(300), '-x', 'a::b', '../x', '/', './'],
  ...['https://a:b@c/d', 'https://a/b c', 'https://ä/é', 'https://a/\u00a0', '1h\n', 'a\u000bb'],
  ...[[], {}, [null], [[]], { a: 1 }, { a: null }, Array(300).fill('a')],
];

/** What one system takes for a space, a letter or the end of a line, and another does not. */
const oddText = fc.string({
  unit: fc.constantFrom(...'aZ0-._~/:@ \t\n\u000b\u00a0\u2028\ufeffé\u{1f600}'),
  minLength: 1,
  maxLength: 3,
});

const oddNames = ['x', 'suite', 'Suspend', '__proto__', 'constructor', 'toString'];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...oddities).map((value) => () => value),
  fc.tuple(oddText, fc.nat()).map(
    ([text, at]) =>
      (part: unknown) =>
        insert(part, text, at),
  ),
  fc
    .constantFrom(...oddNames)
    .map((name) => (part: unknown) => (isRecord(part) ? withField(part, name, {}) : part)),
  fc.constant((part: unknown) => (typeof part === 'string' ? part.toUpperCase() : part)),
  fc.constant((part: unknown) => (Array.isArray(part) ? [...part, ...part] : part)),
  fc.constant(() => null),
  fc.constant(() => undefined),
);

/** `at` counts all parts of a value. */
const slip = fc.record({ at: fc.nat(), change });

/** Between characters, never inside of one: half a character is no text at all. */
function insert(part: unknown, text: string, at: number): unknown {
  if (typeof part !== 'string') return text;
  const characters = [...part];
  characters.splice(at % (characters.length + 1), 0, text);
  return characters.join('');
}

function put(value: unknown, at: number, how: Change): unknown {
  const places = [...placesIn(value)];
  return changed(value, places[at % places.length] ?? [], how);
}

function* placesIn(value: unknown, at: readonly string[] = []): Iterable<readonly string[]> {
  yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* placesIn(part, [...at, key]);
}

function changed(value: unknown, [key, ...rest]: readonly string[], how: Change): unknown {
  if (key === undefined) return how(value);
  if (Array.isArray(value)) {
    const items = value.map((item, at) => (at === Number(key) ? changed(item, rest, how) : item));
    return items.filter((item) => item !== undefined);
  }
  if (!isRecord(value)) return value;
  const { [key]: part, ...others } = value;
  const after = changed(part, rest, how);
  return after === undefined ? others : withField(others, key, after);
}

/** `__proto__` is a name like any other. */
function withField(record: object, name: string, value: unknown): Record<string, unknown> {
  const options = { value, enumerable: true, writable: true, configurable: true };
  return Object.defineProperty({ ...record }, name, options);
}
