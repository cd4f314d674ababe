import { createRequire } from 'node:module';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { expectation, shown } from './expectation.ts';
import { nearestWord, unknownField } from './hint.ts';
import type { Kind, SpecProblem } from './kind.ts';
import { withoutNulls } from './nulls.ts';
import { mapSchema, plainSchema, schemaAt, type Schema } from './schema.ts';
import { isRecord } from './record.ts';

export interface SpecReading {
  /** With defaults filled in. It fits the schema only if there are no problems. */
  readonly spec: unknown;
  readonly problems: readonly SpecProblem[];
}

/** Checks a spec against the schema of its kind, then by the kind's own rules. Fills in defaults. */
export function readSpec(kind: Kind, input: unknown): SpecReading {
  if (!isRecord(input)) {
    const message = `expected a mapping; ${input === undefined ? 'it is missing' : `found ${shown(input)}`}`;
    return { spec: undefined, problems: [{ path: ['spec'], message }] };
  }
  const { spec: named, written, problems: ofAliases } = withoutAliases(kind, input);
  const validator = validatorOf(kind, 'spec');
  const spec = withoutNulls(named, validator.schema);
  const ofSchema = problemsOf(spec, kind, validator);
  const fits = ofAliases.length + ofSchema.length === 0;
  const ofRules = fits ? (kind.check?.(spec as never) ?? []) : []; // the schema has accepted it
  const problems = [
    ...ofAliases,
    ...[...ofSchema, ...ofRules].map((one) => asWritten(one, written)),
  ];
  return { spec, problems };
}

/**
 * All that is wrong with a status, by the schema of its kind: unknown fields, too. Changes nothing.
 */
export function statusProblems(kind: Kind, status: unknown): readonly SpecProblem[] {
  return problemsOf(structuredClone(status), kind, validatorOf(kind, 'status'));
}

interface Renamed {
  readonly spec: Record<string, unknown>;
  /** From the name of today to the one that the manifest uses. */
  readonly written: ReadonlyMap<string, string>;
  readonly problems: readonly SpecProblem[];
}

function withoutAliases(kind: Kind, input: Record<string, unknown>): Renamed {
  const spec: Record<string, unknown> = {};
  const written = new Map<string, string>();
  const problems: SpecProblem[] = [];
  for (const [field, value] of Object.entries(input)) {
    const name = aliasesOf(kind)[field] ?? field;
    if (name !== field && Object.hasOwn(input, name)) {
      const message = `another name for ${name}, which is given too; remove one of them`;
      problems.push({ path: ['spec', field], message, at: 'key' });
      continue;
    }
    if (name !== field) written.set(name, field);
    Object.defineProperty(spec, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return { spec, written, problems };
}

function aliasesOf(kind: Kind): Readonly<Record<string, string>> {
  return Object.assign(Object.create(null) as Record<string, string>, kind.aliases);
}

function asWritten(one: SpecProblem, written: ReadonlyMap<string, string>): SpecProblem {
  const [root, field, ...rest] = one.path;
  const older = typeof field === 'string' ? written.get(field) : undefined;
  return older === undefined ? one : { ...one, path: [root ?? 'spec', older, ...rest] };
}

/** Fills in defaults where the value has none. */
function problemsOf(value: unknown, kind: Kind, validator: Validator): SpecProblem[] {
  return validator.validate(value) ? [] : oneEach(validator, kind);
}

interface Validator {
  readonly part: 'spec' | 'status';
  readonly validate: ValidateFunction;
  readonly schema: Schema;
}

const validators = new Map<string, Validator>();

/**
 * Compiled when a kind is first met: it takes some ten milliseconds, which a command that meets no
 * manifest does not spend. For the same reason ajv is not loaded before.
 */
function validatorOf(kind: Kind, part: Validator['part']): Validator {
  const name = `${kind.kind} ${part}`;
  let validator = validators.get(name);
  if (!validator) {
    const schema = mapSchema(plainSchema(kind[part]), closed);
    validator = { part, schema, validate: newAjv().compile(schema) };
    validators.set(name, validator);
  }
  return validator;
}

function newAjv() {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv');
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    strict: true,
    verbose: true,
    meta: false,
    validateSchema: false,
  });
  ajv.addFormat('date-time', {
    validate: (text: string) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
      !Number.isNaN(Date.parse(text)),
  });
  return ajv;
}

/** Refuses fields that the schema does not name. */
function closed(part: Schema): Schema {
  return part.properties ? { ...part, additionalProperties: false } : part;
}

/** The first thing that is wrong at each place: an empty string fails two or three keywords. */
function oneEach(validator: Validator, kind: Kind): SpecProblem[] {
  const problems = new Map<string, SpecProblem>();
  for (const error of validator.validate.errors ?? []) {
    const one = problemOf(error, kind, validator);
    const place = JSON.stringify(one.path);
    if (!problems.has(place)) problems.set(place, one);
  }
  return [...problems.values()];
}

function problemOf(error: ErrorObject, kind: Kind, validator: Validator): SpecProblem {
  const path = pathOf(error.instancePath, validator);
  const part = (error.parentSchema ?? {}) as Schema;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      const wanted = expectation(part.properties?.[missing] ?? {});
      return { path: [...path, missing], message: `expected ${wanted}; it is missing` };
    }
    case 'additionalProperties': {
      const field = String(params['additionalProperty']);
      const known = Object.keys(part.properties ?? {});
      const older = path.length === 1 ? Object.keys(kind.aliases ?? {}) : [];
      return {
        path: [...path, field],
        message: unknownField(field, nearOnes(field, known, older)),
        at: 'key',
      };
    }
    default:
      return { path, message: messageOf(error, part) };
  }
}

/** Older names are suggested only where no name of today comes near. */
function nearOnes(field: string, known: readonly string[], older: readonly string[]) {
  const onlyOlder = nearestWord(field, known) === undefined && nearestWord(field, older);
  return onlyOlder ? older : known;
}

function messageOf(error: ErrorObject, part: Schema): string {
  const { data } = error;
  const limit = Number((error.params as Record<string, unknown>)['limit']);
  switch (error.keyword) {
    case 'maxLength':
      return `expected at most ${limit} characters; found ${String(data).length}`;
    case 'minItems':
      return `expected at least ${limit} ${limit === 1 ? 'item' : 'items'}`;
    case 'maxItems':
      return `expected at most ${limit} items; found ${(data as unknown[]).length}`;
    case 'maxProperties':
      return `expected at most ${limit} fields; found ${Object.keys(data as object).length}`;
    default:
      return `expected ${expectation(part)}; found ${shown(data)}`;
  }
}

/** A JSON pointer (RFC 6901) as keys and indexes, below `spec` or `status`. */
function pathOf(pointer: string, { part, schema }: Validator): (string | number)[] {
  const path: (string | number)[] = [];
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(schemaAt(schema, path)?.type === 'array' ? Number(step) : step);
  }
  return [part, ...path];
}
