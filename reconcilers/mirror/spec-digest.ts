import { hash } from 'node:crypto';
import type { MirrorSpec } from '../../crds/mirror.ts';
import type { RefreshRequest } from './request.ts';

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

/**
 * Covers how a refresh is to reach upstream, secrets included. Where the last one failed, another
 * way is worth another try at once: a person may have mended something.
 */
export function accessOf({ generation, credentials }: RefreshRequest): string {
  return hash('sha256', JSON.stringify([generation, credentials ?? null]));
}
