/** All stanzas of one package in an index, which stand together when the index is sorted. */
export interface Run {
  readonly name: string;
  /** Whole stanzas with their empty lines; a part of a buffer that is shared. */
  readonly text: Buffer;
}

/** A run that is longer is no package's; to go on joining chunks to it would take for ever. */
const maxRun = 16 * 1024 * 1024;
const stanzaEnd = Buffer.from('\n\n');

/**
 * Cuts a Packages index into runs without parsing it, which is several times quicker. It works for
 * indexes that are sorted by package name, in bytes; `usable` turns false on any other.
 */
export class RunReader {
  usable = true;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #runs: Run[] = [];
  #at = 0;
  #ended = false;
  #lastName = '';

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next run; undefined at the end, and when `fill` has to be called. */
  get head(): Run | undefined {
    return this.#runs[this.#at];
  }

  next(): void {
    this.#at += 1;
  }

  /** Whether there may be more than `head` says. */
  get isEmpty(): boolean {
    return this.#at >= this.#runs.length && !this.#ended && this.usable;
  }

  async fill(): Promise<void> {
    while (this.isEmpty) {
      const { value, done } = await this.#chunks.next();
      this.#ended = done === true;
      this.#runs = [];
      this.#at = 0;
      if (done) this.#cut(this.#rest, true);
      else this.#cut(this.#rest.length > 0 ? Buffer.concat([this.#rest, value]) : asBuffer(value));
    }
  }

  /** Ends the source early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #cut(text: Buffer, isLast = false): void {
    let start = 0; // of the run
    let name: string | undefined;
    for (let at = 0; at < text.length;) {
      const blank = text.indexOf(stanzaEnd, at);
      if (blank === -1 && !isLast) break;
      const end = blank === -1 ? text.length : blank + stanzaEnd.length;
      const found = nameIn(text, at, end);
      if (found === undefined) return this.#giveUp();
      if (name !== undefined && found !== name) {
        this.#push(name, text.subarray(start, at));
        start = at;
      }
      name = found;
      at = end;
    }
    if (isLast && name !== undefined) this.#push(name, text.subarray(start));
    this.#rest = isLast ? Buffer.alloc(0) : text.subarray(start);
    if (this.#rest.length > maxRun) this.#giveUp();
  }

  #push(name: string, text: Buffer): void {
    if (name <= this.#lastName) this.#giveUp();
    this.#lastName = name;
    this.#runs.push({ name, text });
  }

  #giveUp(): void {
    this.usable = false;
  }
}

/** The package that a stanza is about, if it says so in the usual way. */
function nameIn(text: Buffer, start: number, end: number): string | undefined {
  let at = start;
  if (text.toString('latin1', at, at + 9) !== 'Package: ') {
    const line = text.subarray(start, end).indexOf('\nPackage: ', 0, 'latin1');
    if (line === -1) return undefined;
    at = start + line + 1;
  }
  const lineEnd = text.indexOf(10, at);
  return text.toString('latin1', at + 9, lineEnd === -1 || lineEnd > end ? end : lineEnd);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
