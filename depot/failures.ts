import { asCairnError, CairnError } from '../crds/reasons.ts';
import type { Blob } from './depot.ts';

/** Gives a full disk its name, `DepotFull`; everything else, aborts too, stays what it is. */
export function namedFailure(thrown: unknown): unknown {
  return isCode(thrown, 'ENOSPC') || isCode(thrown, 'EDQUOT') ? asCairnError(thrown) : thrown;
}

export function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

/** Throws `TooLarge` or `HashMismatch` when `found` is not what was expected. */
export function checkExpected(found: Blob, expected: Blob | undefined): void {
  if (expected === undefined) return;
  if (found.size > expected.size) throw tooLarge(expected.size);
  if (found.size === expected.size && found.sha256 === expected.sha256) return;
  throw new CairnError(
    'HashMismatch',
    `expected sha256 ${expected.sha256} (${expected.size} bytes), ` +
      `got ${found.sha256} (${found.size} bytes)`,
  );
}

export function tooLarge(limit: number): CairnError {
  return new CairnError('TooLarge', `longer than the ${limit} bytes expected`);
}

/** For who may only read `limit` bytes into memory. */
export function largerThan(limit: number, { sha256, size }: Blob): CairnError {
  return new CairnError('TooLarge', `blob ${sha256} has ${size} bytes, more than ${limit}`);
}

export function blobMissing(sha256: string, cause?: unknown): CairnError {
  return new CairnError('BlobMissing', `the depot has no blob ${sha256}`, { cause });
}
