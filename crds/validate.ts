import { shown } from './expectation.ts';
import { nearestWord, unknownField } from './hint.ts';
import { kinds } from './index.ts';
import type { Kind, SpecProblem } from './kind.ts';
import { readMetadata } from './metadata.ts';
import { apiVersion, group, type Manifest } from './object.ts';
import { readSpec } from './spec.ts';
import { isRecord } from './record.ts';

/** A manifest with defaults filled in, or all that is wrong with it. Never both. */
export interface Validation {
  readonly manifest?: Manifest;
  readonly problems: readonly SpecProblem[];
}

export interface ValidateOptions {
  /** Refuse kinds that only Cairn itself makes. Default: accept them. */
  readonly allowInternal?: boolean;
  /**
   * Leave `status` and what a server writes into `metadata` (uid, resourceVersion, …) out instead
   * of refusing it: for objects that come back from a client. Default: refuse.
   */
  readonly ignoreServerFields?: boolean;
}

/**
 * Checks what somebody wrote against the schema of its kind, and everything at once: unknown fields
 * are refused, nothing is coerced, older names of fields are replaced (`series` → `suites`). The
 * input is not changed. `path` of a problem leads through the input, older names included.
 */
export function validateManifest(input: unknown, options: ValidateOptions = {}): Validation {
  const document = plainCopy(input);
  if (!isRecord(document)) {
    return problem([], 'expected a mapping with apiVersion, kind, metadata and spec');
  }
  const { kind, problems } = readHeader(document, options);
  const { metadata, problems: ofMetadata } = readMetadata(document['metadata'], {
    ignoreServerFields: options.ignoreServerFields ?? false,
  });
  const { spec, problems: ofSpec } = kind
    ? readSpec(kind, document['spec'])
    : { spec: undefined, problems: [] };
  const all = [...problems, ...ofMetadata, ...ofSpec];
  if (!kind || all.length > 0) return { problems: all };
  return { manifest: { apiVersion, kind: kind.kind, metadata, spec }, problems: [] };
}

interface Header {
  readonly kind?: Kind;
  readonly problems: readonly SpecProblem[];
}

function readHeader(document: Record<string, unknown>, options: ValidateOptions): Header {
  const problems: SpecProblem[] = [];
  const ours = document['apiVersion'] === apiVersion;
  const kind = kinds.find((known) => known.kind === document['kind']);
  if (!isOfGroup(document['apiVersion'])) {
    problems.push({ path: ['apiVersion'], message: foreignMessage(document) });
    return { problems };
  }
  if (!ours) {
    const found = document['apiVersion'];
    const message = `expected ${apiVersion}; ${found === undefined ? 'it is missing' : `found ${shown(found)}`}`;
    problems.push({ path: ['apiVersion'], message });
  }
  if (!kind) problems.push({ path: ['kind'], message: unknownKind(document['kind']) });
  if (kind?.internal && options.allowInternal === false) {
    const message = `${kind.kind} objects are made by Cairn itself; remove this one`;
    problems.push({ path: ['kind'], message });
  }
  problems.push(...unknownFields(document, options));
  return kind ? { kind, problems } : { problems };
}

function isOfGroup(version: unknown): boolean {
  return typeof version !== 'string' || version === group || version.startsWith(`${group}/`);
}

function foreignMessage(document: Record<string, unknown>): string {
  const { apiVersion: found, kind } = document;
  return kinds.some((known) => known.kind === kind)
    ? `expected ${apiVersion}; found ${shown(found)}`
    : `unknown kind ${shown(kind)} of ${shown(found)}; known kinds are ${knownKinds().join(', ')} of ${apiVersion}`;
}

function unknownKind(kind: unknown): string {
  if (kind === undefined) return `expected one of ${knownKinds().join(', ')}; it is missing`;
  const known = `known kinds are ${knownKinds().join(', ')}`;
  const meant = typeof kind === 'string' ? nearestWord(kind, knownKinds()) : undefined;
  const question = meant === undefined ? '' : `did you mean ${meant}? `;
  return `unknown kind ${shown(kind)}; ${question}${known}`;
}

function knownKinds(): string[] {
  return kinds.filter(({ internal }) => !internal).map(({ kind }) => kind);
}

function unknownFields(document: Record<string, unknown>, options: ValidateOptions) {
  const problems: SpecProblem[] = [];
  const known = ['apiVersion', 'kind', 'metadata', 'spec'];
  for (const [field, value] of Object.entries(document)) {
    if (known.includes(field)) continue;
    if (field !== 'status') {
      problems.push({ path: [field], message: unknownField(field, known), at: 'key' });
    } else if (options.ignoreServerFields !== true && !isEmpty(value)) {
      problems.push({
        path: [field],
        message: 'only Cairn writes the status; remove it',
        at: 'key',
      });
    }
  }
  return problems;
}

/** Scaffolding tools write `status: {}` or `status: null`, which says nothing. */
function isEmpty(value: unknown): boolean {
  return value === null || (isRecord(value) && Object.keys(value).length === 0);
}

function problem(path: SpecProblem['path'], message: string): Validation {
  return { problems: [{ path, message }] };
}

/**
 * A copy without shared parts (YAML aliases), so that defaults can be filled in. Half a character
 * becomes U+FFFD, as it does when it is stored.
 */
function plainCopy(input: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(input) ?? 'null', (_, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed() : value,
    );
  } catch {
    return undefined; // it contains itself, or is nested too deeply
  }
}
