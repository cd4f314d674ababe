import { createHash } from 'node:crypto';
import type { HashName } from '../release-files.ts';

/** A file's size and its hashes, in hex: what a Release lists of it. */
export interface FileFacts {
  readonly size: number;
  readonly hashes: { readonly [Name in HashName]: string };
}

/** Hashes bytes with all that a Release lists. */
export class FileHasher {
  readonly #hashes = {
    MD5Sum: createHash('md5'),
    SHA1: createHash('sha1'),
    SHA256: createHash('sha256'),
    SHA512: createHash('sha512'),
  };
  #size = 0;

  update(bytes: Uint8Array): void {
    this.#size += bytes.length;
    for (const one of Object.values(this.#hashes)) one.update(bytes);
  }

  facts(): FileFacts {
    const { MD5Sum, SHA1, SHA256, SHA512 } = this.#hashes;
    return {
      size: this.#size,
      hashes: {
        MD5Sum: MD5Sum.digest('hex'),
        SHA1: SHA1.digest('hex'),
        SHA256: SHA256.digest('hex'),
        SHA512: SHA512.digest('hex'),
      },
    };
  }
}

export function factsOf(bytes: Uint8Array): FileFacts {
  const hasher = new FileHasher();
  hasher.update(bytes);
  return hasher.facts();
}
