import { createHash } from 'node:crypto';
import { invalid } from './invalid.ts';

/** Size in bytes and hex digests of a file. */
export interface Digests {
  readonly size: number;
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
  readonly sha512: string;
}

/**
 * Reads a stream once: hands out its bytes piece by piece, and has the digests of everything at the
 * end. Throws `PackageInvalid` when more than `maxBytes` come; errors of the source pass through.
 */
export class HashingReader {
  /** Whether the source failed with `failure`, so that nobody takes that for a broken package. */
  failed = false;
  failure: unknown;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #maxBytes: number;
  readonly #hashes = {
    md5: createHash('md5'),
    sha1: createHash('sha1'),
    sha256: createHash('sha256'),
    sha512: createHash('sha512'),
  };
  #waiting: Uint8Array = new Uint8Array();
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array>, maxBytes: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /** The next bytes, at least one and at most `most` of them; undefined at the end. */
  async take(most: number): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0) {
      const result = await this.#next();
      if (result.done) return undefined;
      this.#accept(result.value);
    }
    const taken = this.#waiting.subarray(0, most);
    this.#waiting = this.#waiting.subarray(taken.length);
    return taken;
  }

  /** Fewer than `length` bytes only at the end. For small things: it holds them in memory. */
  async read(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for (let left = length; left > 0;) {
      const piece = await this.take(left);
      if (!piece) break;
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** Reads on to the end. */
  async finish(): Promise<void> {
    while (await this.take(Infinity));
  }

  /** Of everything that was read; call it once, at the end. */
  digests(): Digests {
    return {
      size: this.#size,
      md5: this.#hashes.md5.digest('hex'),
      sha1: this.#hashes.sha1.digest('hex'),
      sha256: this.#hashes.sha256.digest('hex'),
      sha512: this.#hashes.sha512.digest('hex'),
    };
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#source.next();
    } catch (thrown) {
      this.failed = true;
      this.failure = thrown;
      throw thrown;
    }
  }

  #accept(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      throw invalid('the file', `it has more than the ${this.#maxBytes} bytes that are allowed`);
    }
    this.#hashes.md5.update(chunk);
    this.#hashes.sha1.update(chunk);
    this.#hashes.sha256.update(chunk);
    this.#hashes.sha512.update(chunk);
    this.#waiting = chunk;
  }
}
