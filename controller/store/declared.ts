import type { Kind, SpecProblem } from '../../crds/kind.ts';
import {
  apiVersion,
  keyOf,
  type KubeObject,
  type Manifest,
  type ObjectKey,
  type ObjectMeta,
} from '../../crds/object.ts';
import { StoreError, type Cause } from '../../crds/store.ts';
import { isSame, plain } from '../json.ts';

/**
 * Applies aliases and defaults, or says what is wrong; `crds/validate.ts` has the real one. There
 * is a manifest whenever there are no problems.
 */
export type Validate = (input: unknown) => {
  readonly manifest?: Manifest;
  readonly problems: readonly SpecProblem[];
};

/** What a store has to know of the kinds it holds. */
export type StoredKind = Pick<Kind, 'kind' | 'immutable' | 'aliases' | 'spec' | 'status'>;

/** The metadata that writers set; all the rest belongs to the store. Empty maps and lists are left out. */
export type DeclaredMetadata = Pick<
  ObjectMeta,
  'labels' | 'annotations' | 'finalizers' | 'ownerReferences'
>;

const maxProblemsTold = 10;
const namePattern = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/; // DNS subdomain, RFC 1123
const namespacePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/; // DNS label, RFC 1123

/** What judging a manifest takes. */
type JudgedKind = Pick<Kind, 'kind' | 'immutable'>;

export interface Judge<K extends JudgedKind = StoredKind> {
  readonly kinds: readonly K[];
  readonly validate: Validate;
}

/**
 * The manifest with its defaults and its namespace; throws Invalid. A spec that is the stored one
 * isn't judged again: a new rule must not keep the labels and finalizers of old objects from
 * changing.
 */
export function judged(manifest: Manifest, judge: Judge<JudgedKind>, old?: KubeObject): Manifest {
  const key = keyOfManifest(manifest);
  const kind = refuseUnknown(manifest.apiVersion, key, judge.kinds);
  const { name, namespace } = key;
  const result = judge.validate(asInput(manifest, key));
  const good = result.manifest ?? manifest; // left out only with problems

  const isKept = old !== undefined && isSame(old.spec, manifest.spec);
  const problems = result.problems.filter(({ path }) => !(isKept && path[0] === 'spec'));
  if (problems.length > 0) {
    throw new StoreError('Invalid', `${keyOf(key)}: ${told(problems)}`, {
      causes: problems.map(causeOf),
    });
  }

  const spec = isKept ? old.spec : plain(good.spec ?? {});
  if (old && kind.immutable && !isSame(old.spec, spec)) {
    const message = `the spec of a ${kind.kind} never changes; make another one`;
    const cause = { reason: 'FieldValueInvalid', message, field: 'spec' };
    throw new StoreError('Invalid', `${keyOf(key)}: ${message}`, { causes: [cause] });
  }
  return { ...good, metadata: { ...good.metadata, name, namespace }, spec };
}

/** The spec of a stored object with today's defaults; undefined when it is no other, or is bad. */
export function withDefaults(object: KubeObject, validate: Validate): unknown {
  const { manifest, problems } = validate(asInput(object, object.metadata));
  if (!manifest || problems.length > 0) return undefined;
  return isSame(manifest.spec, object.spec) ? undefined : manifest.spec;
}

export function keyOfManifest({ kind, metadata }: Manifest): ObjectKey {
  return { kind, namespace: metadata.namespace ?? 'default', name: metadata.name };
}

/** The declared part of any metadata, as a copy in one order of fields. */
export function declaredMetadata(metadata: DeclaredMetadata): DeclaredMetadata {
  const { labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = metadata;
  return plain({
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(finalizers.length > 0 && { finalizers: [...new Set(finalizers)] }),
    ...(ownerReferences.length > 0 && { ownerReferences }),
  });
}

/** What the validator sees: all that people write, and nothing that the store added. */
function asInput(
  { apiVersion, kind, metadata, spec }: Manifest,
  { name, namespace }: Omit<ObjectKey, 'kind'>,
): unknown {
  const { labels, annotations } = metadata;
  return plain({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec });
}

function refuseUnknown(given: string, key: ObjectKey, kinds: readonly JudgedKind[]): JudgedKind {
  const kind = kinds.find((known) => known.kind === key.kind);
  if (given !== apiVersion || !kind) {
    throw new StoreError('Invalid', `there is no kind ${key.kind} in ${given}`);
  }
  if (!namePattern.test(key.name)) {
    throw new StoreError('Invalid', `${key.kind}: a name has only a-z, 0-9, - and . in it`);
  }
  if (!namespacePattern.test(key.namespace)) {
    throw new StoreError('Invalid', `${key.kind} ${key.name}: its namespace is no DNS label`);
  }
  return kind;
}

/** A problem as the API tells of it: the field by its path, as in `spec.suites[0]`. */
export function causeOf({ path, message }: SpecProblem): Cause {
  const field = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index > 0 ? `.${part}` : part))
    .join('');
  return { reason: 'FieldValueInvalid', message, field };
}

function told(problems: readonly SpecProblem[]): string {
  const lines = problems
    .slice(0, maxProblemsTold)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  const more = problems.length - lines.length;
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
