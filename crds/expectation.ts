import type { Schema } from './schema.ts';

const maxShown = 60;

/** What a schema accepts, for people: `a string such as 90s or 1h30m`, `one of Eager, Lazy`. */
export function expectation(schema: Schema): string {
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'string':
      return `a string${examplesOf(schema)}`;
    case 'integer':
      return `an integer${rangeOf(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return schema.items?.type === 'string' ? 'a list of strings' : 'a list';
    default:
      return 'a mapping';
  }
}

/** A value as it was found, shortened, without the password of a URL. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const safe = value.replace(/\/\/[^/@\s]*@/g, '//…@');
  const short = safe.length > maxShown ? `${safe.slice(0, maxShown)}…` : safe;
  return JSON.stringify(short);
}

function examplesOf({ examples, format, pattern, minLength }: Schema): string {
  if (examples && examples.length > 0) return ` such as ${examples.join(' or ')}`;
  if (format === 'date-time') return ' such as 2026-08-01T12:00:00Z';
  if (pattern !== undefined) return ` that matches ${pattern}`;
  return (minLength ?? 0) > 0 ? ' that is not empty' : '';
}

function rangeOf({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}
