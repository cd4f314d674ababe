import { CairnError } from '../../crds/reasons.ts';
import type { TreeEntry } from '../../depot/depot.ts';
import type { FileBlobs } from '../../depot/file-blobs.ts';
import type { Upstream } from '../fetch/upstream.ts';
import type { Counter } from './progress.ts';
import type { MirrorSpec } from '../../crds/mirror.ts';

interface Outside {
  readonly upstream: Upstream;
  readonly blobs: FileBlobs;
  readonly spec: MirrorSpec;
  readonly counter: Counter;
  readonly signal: AbortSignal;
}

/**
 * Fetches the pool files that the depot doesn't have, several at a time. Returns the paths that
 * upstream doesn't have either (or has with other bytes), where the spec says to record that; else
 * throws FileMissing or HashMismatch at the first. What was fetched stays, so the next try is shorter.
 */
export async function fetchPool(
  entries: readonly TreeEntry[],
  { upstream, blobs, spec, counter, signal }: Outside,
): Promise<readonly string[]> {
  const absent: string[] = [];
  let next = 0;
  const lane = async () => {
    for (;;) {
      const entry = entries[next];
      next += 1;
      if (!entry) return;
      signal.throwIfAborted();
      if (!(await fetchOne(entry))) absent.push(entry.path);
    }
  };
  const fetchOne = async (entry: TreeEntry): Promise<boolean> => {
    try {
      const blob = await upstream.blob([entry.path], entry, {
        blobs,
        signal,
        onBytes: (count) => counter.bytes(count),
      });
      if (blob) {
        counter.file();
        return true;
      }
    } catch (error) {
      const wrong = error instanceof CairnError && error.reason === 'HashMismatch';
      if (!wrong || spec.missingFiles.pool === 'Fail') throw error;
      return false;
    }
    if (spec.missingFiles.pool === 'Record') return false;
    throw new CairnError('FileMissing', `an index lists ${entry.path}, which is not there`);
  };
  await Promise.all(Array.from({ length: spec.limits.connections }, lane));
  return absent.sort();
}
