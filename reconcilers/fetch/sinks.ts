import type { IncomingHttpHeaders } from 'node:http';
import type { PartialBlob } from '../../depot/partial-blob.ts';
import type { Sink } from './exchange.ts';
import { TransientError } from './retry.ts';

/** Keeps a body in memory, refusing one that is longer than it may be. */
export class MemorySink implements Sink {
  status = 0;
  headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.headers = headers;
    this.#size = 0; // a redirect had a body too
    if (status === 200) this.#bound(Number(headers['content-length'] ?? 0));
  }

  data(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.status === 200) {
      this.#bound(this.#size);
      this.#chunks.push(chunk);
    }
  }

  body(): Buffer {
    const [only] = this.#chunks;
    return only && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
  }

  #bound(size: number): void {
    if (size > this.#maxBytes) {
      throw new TransientError('TooLarge', `larger than the ${this.#maxBytes} bytes expected`);
    }
  }
}

/** Continues a partial blob: takes a 206 where it left off, and starts over on a 200. */
export class PartialSink implements Sink {
  status = 0;
  headers: IncomingHttpHeaders = {};
  readonly #partial: PartialBlob;
  readonly #onBytes: (count: number) => void;

  constructor(partial: PartialBlob, onBytes: (count: number) => void) {
    this.#partial = partial;
    this.#onBytes = onBytes;
  }

  start(status: number, headers: IncomingHttpHeaders): void | Promise<void> {
    this.status = status;
    this.headers = headers;
    const isOther = rangeStart(headers['content-range']) !== this.#partial.offset;
    if (status === 206 && isOther) return this.#startOver();
    return status === 200 && this.#partial.offset > 0 ? this.#partial.reset() : undefined;
  }

  data(chunk: Buffer): void | Promise<void> {
    if (this.status !== 200 && this.status !== 206) return;
    this.#onBytes(chunk.length);
    return this.#partial.write(chunk);
  }

  /** The next try asks for no range. */
  async #startOver(): Promise<void> {
    await this.#partial.reset();
    throw new Error('answered with a range that was not asked for');
  }
}

function rangeStart(contentRange: string | undefined): number | undefined {
  const match = /^bytes (\d+)-/.exec(contentRange ?? '');
  return match ? Number(match[1]) : undefined;
}
