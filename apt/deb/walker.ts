/**
 * What a walk over a file wants next: some bytes to look at, at once, or some to pass over. With
 * `orEnd` the file may as well end here.
 */
export type Step = { readonly see: number; readonly orEnd?: true } | { readonly pass: number };

/** A parser as a generator: it says what it wants, and gets what it asked to see. */
export type Walk = Generator<Step, void, Buffer>;

const nothing = Buffer.alloc(0);

/** Runs a walk over bytes that come in chunks. What it is done before is passed over. */
export class Walker {
  readonly #walk: Walk;
  #step: IteratorResult<Step, void>;
  #seen: Uint8Array[] = [];
  #done = 0;

  constructor(walk: Walk) {
    this.#walk = walk;
    this.#step = walk.next(nothing);
  }

  /** Errors of the walk pass through. */
  push(chunk: Uint8Array): void {
    for (let at = 0; !this.#step.done;) {
      const step = this.#step.value;
      const wanted = 'see' in step ? step.see : step.pass;
      const end = Math.min(chunk.length, at + wanted - this.#done);
      if ('see' in step && end > at) this.#seen.push(chunk.subarray(at, end));
      this.#done += end - at;
      at = end;
      if (this.#done < wanted) return;
      this.#advance();
    }
  }

  /** Whether the walk is at its end, or at a place where the file may end. */
  get mayEnd(): boolean {
    if (this.#step.done) return true;
    return 'orEnd' in this.#step.value && this.#done === 0;
  }

  #advance(): void {
    const [only, ...more] = this.#seen;
    const seen = only && more.length === 0 ? asBuffer(only) : Buffer.concat(this.#seen);
    this.#seen = [];
    this.#done = 0;
    this.#step = this.#walk.next(seen);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
