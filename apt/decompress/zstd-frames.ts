/**
 * Passes the bytes of a .zst on, in pieces that never span the end of a frame: Node's decoder takes
 * what follows a frame in the same piece for garbage and drops it, so that of several frames in a
 * row (`pzstd`, `cat a.zst b.zst`) only the first would come out. RFC 8878 section 3.1.
 */
export async function* cutFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const walker = new FrameWalker();
  for await (const chunk of source) {
    let start = 0;
    for (const end of walker.frameEnds(chunk)) {
      yield chunk.subarray(start, end);
      start = end;
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }
}

/** What the walk over a file wants next: to see some bytes, to pass over some, or to cut here. */
type Step = { readonly see: number } | { readonly pass: number } | 'cut';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const runLengthBlock = 1;

function* walk(): Generator<Step, void, Uint8Array> {
  for (;;) {
    const magic = littleEndian(yield { see: 4 });
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      yield { pass: littleEndian(yield { see: 4 }) };
    } else if (magic === frameMagic) {
      yield* walkFrame();
    } else {
      // No zstd: the decoder will say so.
      return;
    }
    yield 'cut';
  }
}

function* walkFrame(): Generator<Step, void, Uint8Array> {
  const [descriptor = 0] = yield { see: 1 };
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowSize = isSingleSegment ? 0 : 1;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  yield { pass: windowSize + dictionarySize + contentSize };
  for (let isLast = false; !isLast;) {
    const header = littleEndian(yield { see: 3 });
    isLast = (header & 1) === 1;
    // A run-length block is one byte, whatever the length that it stands for.
    yield { pass: ((header >> 1) & 3) === runLengthBlock ? 1 : header >> 3 };
  }
  if ((descriptor & 4) !== 0) yield { pass: 4 };
}

class FrameWalker {
  readonly #walk = walk();
  readonly #seen: number[] = [];
  #step: IteratorResult<Step, void> = this.#walk.next(new Uint8Array());
  #passed = 0;

  /** Where frames end in the chunk that follows those before it. */
  *frameEnds(chunk: Uint8Array): Generator<number> {
    let at = 0;
    while (!this.#step.done) {
      const step = this.#step.value;
      if (step === 'cut') {
        yield at;
        this.#advance();
        continue;
      }
      const wanted = 'see' in step ? step.see : step.pass;
      const end = Math.min(chunk.length, at + wanted - this.#passed);
      if ('see' in step) this.#seen.push(...chunk.subarray(at, end));
      this.#passed += end - at;
      at = end;
      if (this.#passed < wanted) return;
      this.#advance();
    }
  }

  #advance(): void {
    this.#step = this.#walk.next(Uint8Array.from(this.#seen));
    this.#seen.length = 0;
    this.#passed = 0;
  }
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
