import { hash } from 'node:crypto';
import type { SigningKey } from '../../apt/openpgp.ts';
import { suitesOf, type Repository } from '../../crds/repository.ts';

/** Covers all that the Release files and indexes are made from, but the packages and the time. */
export function inputsOf(
  { metadata, spec }: Pick<Repository, 'metadata' | 'spec'>,
  keys: readonly SigningKey[],
): string {
  const { origin, label, description, validFor, retention } = spec;
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  const fields = { origin, label, description, validFor, retention };
  return hash('sha256', JSON.stringify([metadata.name, suitesOf(spec), fields, fingerprints]));
}
