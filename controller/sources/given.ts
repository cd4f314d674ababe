import { createHash } from 'node:crypto';
import { kinds } from '../../crds/index.ts';
import type { Manifest } from '../../crds/object.ts';
import { isRecord } from '../../crds/record.ts';

/** As much of a digest as tells the versions of one manifest apart: inventories hold thousands. */
const digestBytes = 12;

/**
 * What somebody has written of a manifest, without the defaults that reading it has filled in: what
 * a config source applies, and the only fields that it minds. Under the names of today.
 */
export function givenOf(manifest: Manifest, written: unknown): Manifest {
  const { aliases = {} } = kinds.find(({ kind }) => kind === manifest.kind) ?? {};
  const spec = isRecord(written) ? written['spec'] : undefined;
  const named = Object.entries(isRecord(spec) ? spec : {}).map(([field, value]) => {
    return [new Map(Object.entries(aliases)).get(field) ?? field, value] as const;
  });
  const metadata = givenMetadata(manifest.metadata, written);
  return { ...manifest, metadata, spec: part(manifest.spec, Object.fromEntries(named)) };
}

/** Without a namespace, where it is left to whoever applies. */
function givenMetadata(metadata: Manifest['metadata'], written: unknown): Manifest['metadata'] {
  const { metadata: given } = isRecord(written) ? written : {};
  if (isRecord(given) && typeof given['namespace'] === 'string') return metadata;
  const { namespace: _, ...rest } = metadata;
  return rest;
}

/** The same for the same content, whatever the order of fields. */
export function digestOf(manifest: Manifest): string {
  const known = digests.get(manifest);
  if (known !== undefined) return known;
  const { kind, metadata, spec } = manifest;
  const hash = createHash('sha256').update(JSON.stringify(sorted({ kind, metadata, spec })));
  const digest = hash.digest().subarray(0, digestBytes).toString('base64url');
  digests.set(manifest, digest);
  return digest;
}

/** Manifests of a commit are read once, and planned again and again. */
const digests = new WeakMap<Manifest, string>();

/** The fields of a value that another one has as well; lists are taken as a whole. */
function part(whole: unknown, written: unknown): unknown {
  if (!isRecord(whole) || !isRecord(written)) return whole;
  const fields = Object.keys(whole).filter((field) => Object.hasOwn(written, field));
  return Object.fromEntries(fields.map((field) => [field, part(whole[field], written[field])]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const fields = Object.keys(value).sort();
  return Object.fromEntries(fields.map((field) => [field, sorted(value[field])]));
}
