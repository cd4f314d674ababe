import type { ManifestProblem } from '../../crds/config-source.ts';
import type { SpecProblem } from '../../crds/kind.ts';
import { isNamespaceName, isObjectName } from '../../crds/metadata.ts';
import type { Document } from './documents.ts';
import { isRecord } from '../../crds/record.ts';

/** One object that a document declares: the document itself, or an item of a `kind: List`. */
export interface Item {
  readonly document: Document;
  /** Leads from the root of the document to the object. */
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** What a bad document is about, as far as can be told. */
export interface Identity {
  readonly kind?: string;
  readonly namespace: string;
  readonly name: string;
}

const maxMessage = 4096;

/** The objects that a document declares. */
export function itemsOf(document: Document): readonly Item[] {
  const { value } = document;
  const isList = isRecord(value) && value['kind'] === 'List' && value['apiVersion'] === 'v1';
  if (!isList || !Array.isArray(value['items'])) return [{ document, path: [], value }];
  return value['items'].map((item, index) => ({ document, path: ['items', index], value: item }));
}

/** The name of the object that an item means, when it has a good one. */
export function identityOf({ value }: Item): Identity | undefined {
  const metadata = isRecord(value) ? value['metadata'] : undefined;
  if (!isRecord(value) || !isRecord(metadata)) return undefined;
  const { name, namespace = 'default' } = metadata;
  if (!isObjectName(name) || !isNamespaceName(namespace)) return undefined;
  return typeof value['kind'] === 'string'
    ? { kind: value['kind'], namespace, name }
    : { namespace, name };
}

/** A problem of an item, in its place in the file. */
export function problemOfItem(item: Item, { path, message, at }: SpecProblem): ManifestProblem {
  const { document } = item;
  const where = document.position([...item.path, ...path], at);
  const field = fieldText(path);
  const surprise = at === 'key' ? undefined : document.surprise([...item.path, ...path]);
  const told = surprise === undefined ? message : `${message} (${surprise})`;
  const text = field === '' ? told : `${field}: ${told}`;
  return { file: document.file, ...where, message: text.slice(0, maxMessage) };
}

/** `spec.suites[0]`, `metadata.labels["example.com/team"]`. */
function fieldText(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
