import { hash } from 'node:crypto';
import type { MirrorSpec } from '../../crds/mirror.ts';

/**
 * Covers what decides which files a state holds; a new schedule or limit doesn't refetch anything.
 */
export function digestOf(spec: MirrorSpec, keyring: string | undefined): string {
  const { url, suites, components, architectures, include, missingFiles, download } = spec;
  const fingerprints = spec.signedBy?.fingerprints;
  return hash(
    'sha256',
    JSON.stringify([
      { url, suites, components, architectures, include, missingFiles, download, fingerprints },
      keyring ?? null,
    ]),
  );
}
