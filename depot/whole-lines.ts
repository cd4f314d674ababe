import { invalid, maxLineBytes } from './tree-format.ts';

/**
 * Cuts a file that is read in slices at ends of lines: read into `room()`, then `take` what was read.
 * What `take` gives is valid until `room` is called again.
 */
export class WholeLines {
  readonly #buffer: Buffer;
  #rest: Buffer;

  constructor(sliceBytes: number) {
    this.#buffer = Buffer.allocUnsafe(sliceBytes + maxLineBytes);
    this.#rest = this.#buffer.subarray(0, 0);
  }

  /** Where the next bytes of the file belong. */
  room(): Buffer {
    this.#rest.copy(this.#buffer);
    this.#rest = this.#buffer.subarray(0, this.#rest.length);
    return this.#buffer.subarray(this.#rest.length);
  }

  /** The whole lines so far, after `length` bytes were read. */
  take(length: number): Buffer {
    const filled = this.#buffer.subarray(0, this.#rest.length + length);
    const end = filled.lastIndexOf(0x0a) + 1;
    this.#rest = filled.subarray(end);
    if (this.#rest.length > maxLineBytes) throw invalid('a line of a tree is too long');
    return filled.subarray(0, end);
  }

  /** Throws `TreeInvalid` when the file ended inside a line. */
  end(): void {
    if (this.#rest.length > 0) throw invalid('a tree ends within a line');
  }
}
