import { shown } from './expectation.ts';
import { unknownField } from './hint.ts';
import type { SpecProblem } from './kind.ts';
import type { Manifest } from './object.ts';
import { isRecord } from './record.ts';

type Metadata = Manifest['metadata'];

const writable = ['name', 'namespace', 'labels', 'annotations'];

/** Fields of ObjectMeta that only a server fills in. `kubectl` writes some of them as null. */
const serverFields = new Set([
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'selfLink',
  'generateName',
]);

/** Kubernetes' TotalAnnotationSizeLimitB: keys and values together, in bytes. */
const maxAnnotationBytes = 256 * 1024;

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Reads `metadata` of a manifest by the rules of Kubernetes' ValidateObjectMeta: names are RFC 1123
 * subdomains, namespaces RFC 1123 labels, label and annotation keys qualified names. The namespace
 * is `default` when none is given. `metadata` is complete only if there are no problems.
 */
export function readMetadata(
  input: unknown,
  options: { readonly ignoreServerFields: boolean },
): { readonly metadata: Metadata; readonly problems: readonly SpecProblem[] } {
  const metadata: Metadata = { name: '', namespace: 'default' };
  if (!isRecord(input)) {
    const message = `expected a mapping with a name; ${foundOrMissing(input)}`;
    return { metadata, problems: [{ path: ['metadata'], message }] };
  }
  const problems: SpecProblem[] = [
    ...unknownFields(input, options.ignoreServerFields),
    ...nameProblems(input['name']),
    ...namespaceProblems(input['namespace']),
    ...mapProblems('labels', input['labels'], labelProblem),
    ...mapProblems('annotations', input['annotations'], () => undefined),
  ];
  if (problems.length > 0) return { metadata, problems };
  metadata.name = String(input['name']);
  if (typeof input['namespace'] === 'string') metadata.namespace = input['namespace'];
  if (isRecord(input['labels'])) metadata.labels = strings(input['labels']);
  if (isRecord(input['annotations'])) metadata.annotations = strings(input['annotations']);
  return { metadata, problems };
}

/** Whether a text can be the name of an object: an RFC 1123 subdomain of at most 253 characters. */
export function isObjectName(text: unknown): text is string {
  return typeof text === 'string' && text.length <= 253 && dnsSubdomain.test(text);
}

/** Whether a text can be a namespace: an RFC 1123 label. */
export function isNamespaceName(text: unknown): text is string {
  return typeof text === 'string' && dnsLabel.test(text);
}

function unknownFields(metadata: Record<string, unknown>, ignoreServerFields: boolean) {
  const problems: SpecProblem[] = [];
  for (const [field, value] of Object.entries(metadata)) {
    if (writable.includes(field)) continue;
    const ofServer = serverFields.has(field);
    if (ofServer && (ignoreServerFields || value === null || value === '')) continue;
    const message = ofServer
      ? 'only Cairn fills this field in; remove it'
      : unknownField(field, writable);
    problems.push({ path: ['metadata', field], message, at: 'key' });
  }
  return problems;
}

function nameProblems(name: unknown): SpecProblem[] {
  if (isObjectName(name)) return [];
  const message =
    'expected a name of at most 253 lower-case letters, digits, - and ., that starts and ends ' +
    `with a letter or digit; ${foundOrMissing(name)}`;
  return [{ path: ['metadata', 'name'], message }];
}

function namespaceProblems(namespace: unknown): SpecProblem[] {
  if (namespace === undefined || namespace === null || isNamespaceName(namespace)) return [];
  const message =
    'expected a namespace of at most 63 lower-case letters, digits and -, that starts and ends ' +
    `with a letter or digit; found ${shown(namespace)}`;
  return [{ path: ['metadata', 'namespace'], message }];
}

function mapProblems(
  field: 'labels' | 'annotations',
  map: unknown,
  valueProblem: (value: string) => string | undefined,
): SpecProblem[] {
  if (map === undefined || map === null) return [];
  const path = ['metadata', field];
  if (!isRecord(map)) return [{ path, message: `expected a mapping; found ${shown(map)}` }];
  const problems: SpecProblem[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(withTexts(map))) {
    const message = keyProblem(key) ?? textProblem(value) ?? valueProblem(String(value));
    if (message !== undefined) problems.push({ path: [...path, key], message });
    bytes += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (bytes > maxAnnotationBytes) {
    problems.push({ path, message: `expected at most 256 KiB in all; found ${bytes} bytes` });
  }
  return problems;
}

function keyProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const prefixIsGood =
    prefix === undefined || (prefix.length <= 253 && dnsSubdomain.test(prefix.toLowerCase()));
  if (prefixIsGood && qualifiedName.test(key.slice(slash + 1))) return undefined;
  return `expected a key such as team or example.com/team; found ${shown(key)}`;
}

function textProblem(value: unknown): string | undefined {
  if (typeof value === 'string') return undefined;
  const quoted = typeof value === 'number' || typeof value === 'boolean';
  return `expected a string; found ${shown(value)}${quoted ? ' (put it in quotes)' : ''}`;
}

function labelProblem(value: string): string | undefined {
  if (labelValue.test(value)) return undefined;
  return (
    'expected at most 63 letters, digits, -, _ and ., starting and ending with a letter or ' +
    `digit; found ${shown(value)}`
  );
}

function foundOrMissing(value: unknown): string {
  return value === undefined ? 'it is missing' : `found ${shown(value)}`;
}

/** Nothing is an empty text, as to an API server. */
function withTexts(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value ?? '']));
}

function strings(map: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(withTexts(map)).map(([key, value]) => [key, String(value)]),
  );
}
