import type { Response } from 'express';
import type { Kind, SpecProblem } from '../../../crds/kind.ts';
import type { Manifest } from '../../../crds/object.ts';
import { statusProblems } from '../../../crds/spec.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { isRecord } from '../../../crds/record.ts';
import type { FieldValidation } from './parameters.ts';
import { fieldOf, invalid } from './status.ts';

type Document = Readonly<Record<string, unknown>>;

/** As many warnings are sent, and as many characters of each. */
const limits = { warnings: 20, characters: 300 };

export interface Checked {
  /** What was written, without unknown fields. Defaults are not in it. */
  readonly manifest: Manifest;
  readonly warnings: readonly string[];
}

/**
 * Checks a document against the schema of its kind. Unknown fields are refused (Strict), dropped
 * with a warning (Warn) or dropped (Ignore). A `partial` document, one manager's part of an object,
 * may leave out what others give. Throws 422 with every field that is wrong.
 */
export function checkFields(
  document: Document,
  mode: FieldValidation,
  { partial = false }: { readonly partial?: boolean } = {},
): Checked {
  const problems = problemsOf(document, partial);
  const unknown = mode === 'Strict' ? [] : problems.filter(isUnknown);
  const cleaned = unknown.reduce(without, document);
  const left = unknown.length === 0 ? problems : problemsOf(cleaned, partial);
  if (left.length > 0) throw invalid(left, aboutDocument(document));
  const warnings = mode === 'Warn' ? unknown.map(warningOf) : [];
  return { manifest: cleaned as unknown as Manifest, warnings }; // it has just been validated
}

/**
 * The same for the status of a kind: what is left of it, and warnings. In a `partial` one, fields may
 * be missing that others give.
 */
export function checkStatus(
  { kind, name, status }: { readonly kind: Kind; readonly name: string; readonly status: unknown },
  mode: FieldValidation,
  { partial = false }: { readonly partial?: boolean } = {},
): { readonly status: unknown; readonly warnings: readonly string[] } {
  const problems = statusProblems(kind, status).filter((one) => !partial || !isMissing(one));
  const unknown = mode === 'Strict' ? [] : problems.filter(isUnknown);
  const left = problems.filter((problem) => !unknown.includes(problem));
  if (left.length > 0) throw invalid(left, { kind: kind.kind, name });
  const cleaned = unknown.reduce(without, { status });
  return { status: cleaned.status, warnings: mode === 'Warn' ? unknown.map(warningOf) : [] };
}

/** Sends warnings as Kubernetes does, one header each. */
export function sendWarnings(res: Response, warnings: readonly string[]): void {
  for (const warning of warnings.slice(0, limits.warnings)) {
    const text = warning.slice(0, limits.characters).replace(/[^\x20-\x7e]/g, '?');
    res.append('Warning', `299 - ${JSON.stringify(text)}`);
  }
}

function problemsOf(document: Document, partial: boolean): readonly SpecProblem[] {
  const { problems } = validateManifest(document, { ignoreServerFields: true });
  return partial ? problems.filter((problem) => !isMissing(problem)) : problems;
}

function isMissing({ message }: SpecProblem): boolean {
  return message.endsWith('; it is missing');
}

function isUnknown({ at, message }: SpecProblem): boolean {
  return at === 'key' && message.startsWith('unknown field');
}

function warningOf({ path }: SpecProblem): string {
  return `unknown field "${fieldOf(path)}"`;
}

/** A copy without what a path leads to. */
function without<Value>(value: Value, { path }: { readonly path: SpecProblem['path'] }): Value {
  const [step, ...rest] = path;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) =>
      index === step ? without(item, { path: rest }) : item,
    );
    return items as Value; // a list of as many items
  }
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    if (key !== step) return [[key, child]];
    return rest.length === 0 ? [] : [[key, without(child, { path: rest })]];
  });
  return Object.fromEntries(entries) as Value; // the same, less one field
}

function aboutDocument({ kind, metadata }: Document) {
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  return { kind: String(kind), ...(typeof name === 'string' && { name }) };
}
