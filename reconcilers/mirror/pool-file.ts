import type { MirrorSpec } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Blobs, TreeEntry } from '../../depot/depot.ts';
import type { Upstream } from '../fetch/upstream.ts';

export interface FetchContext {
  readonly upstream: Upstream;
  readonly blobs: Blobs;
  readonly onMissing: MirrorSpec['missingFiles']['pool'];
  readonly onBytes: (count: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Fetches one pool file into the depot, verified. False when upstream doesn't have it, or has it
 * with other bytes, and that is to be recorded; else that throws FileMissing or HashMismatch.
 */
export async function fetchPoolFile(
  entry: TreeEntry,
  { upstream, blobs, onMissing, onBytes, signal }: FetchContext,
): Promise<boolean> {
  try {
    if (await upstream.blob([entry.path], entry, { blobs, signal, onBytes })) return true;
  } catch (error) {
    const wrong = error instanceof CairnError && error.reason === 'HashMismatch';
    if (!wrong || onMissing === 'Fail') throw error;
  }
  if (onMissing === 'Record') return false;
  throw new CairnError('FileMissing', `an index lists ${entry.path}, which is not there`);
}
