import { createHash } from 'node:crypto';
import type { HashName } from '../release-files.ts';

/** A file's size and its hashes, in hex: what a Release lists of it. */
export interface FileFacts {
  readonly size: number;
  readonly hashes: { readonly [Name in HashName]: string };
}

/** Hashes bytes with all that a Release lists. */
export class FileHasher {
  #hashes = {
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

  /** One that goes on from here, while this one may go another way. */
  copy(): FileHasher {
    const { MD5Sum, SHA1, SHA256, SHA512 } = this.#hashes;
    const other = new FileHasher();
    other.#size = this.#size;
    other.#hashes = {
      MD5Sum: MD5Sum.copy(),
      SHA1: SHA1.copy(),
      SHA256: SHA256.copy(),
      SHA512: SHA512.copy(),
    };
    return other;
  }

  /** Call it once, at the end. */
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
