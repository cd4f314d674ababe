import { isSha256 } from '../layout.ts';

export const blobPrefix = 'sha256/';

/** The key of a blob: as its file is called on a file system. */
export function keyOf(sha256: string): string {
  return `${blobPrefix}${sha256.slice(0, 2)}/${sha256}`;
}

/** The blob that a key is for, if it is for one. */
export function nameOf(key: string): string | undefined {
  const sha256 = key.slice(key.lastIndexOf('/') + 1);
  return isSha256(sha256) && key === keyOf(sha256) ? sha256 : undefined;
}
