import { hash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import type { Blob } from '../../depot/depot.ts';
import type { PartialBlob } from '../../depot/partial-blob.ts';
import { TransientError } from './retry.ts';

/** What a file must be: a size, and a SHA-256 or else a SHA-512. */
export interface Expected {
  readonly size: number;
  readonly sha256?: string | undefined;
  readonly sha512?: string | undefined;
}

/** Makes a download visible, if it is what was expected. */
export async function commit(partial: PartialBlob, path: string): Promise<Blob> {
  try {
    return await partial.commit();
  } catch (error) {
    throw mismatch(path, error);
  }
}

/** Wrong bytes may be an old copy somewhere on the way: worth one more try. */
export function mismatch(path: string, error: unknown): unknown {
  if (!(error instanceof CairnError) || error.reason !== 'HashMismatch') return error;
  const message = `${path} is not what the archive lists: ${error.message}`;
  return new TransientError('HashMismatch', message, { cause: error });
}

/** Throws HashMismatch unless the bytes have the size and SHA-512 expected. */
export function checkSha512(path: string, body: Buffer, { size, sha512 }: Expected): void {
  if (body.length === size && hash('sha512', body) === sha512) return;
  const message = `${path} is not what the archive lists (${size} bytes, SHA512 ${sha512})`;
  throw new TransientError('HashMismatch', message);
}
