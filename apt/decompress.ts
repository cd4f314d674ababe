import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CairnError } from '../crds/reasons.ts';
import { decodeBzip2 } from './decompress/bzip2.ts';
import { decodeXz, xzProblem } from './decompress/xz.ts';
import { cutFrames } from './decompress/zstd-frames.ts';

/** The file name extensions that can be decoded, fastest first; '' is no compression. */
export const preferredCompressions = ['', '.zst', '.gz', '.xz', '.bz2'] as const;
export type Compression = (typeof preferredCompressions)[number];

const unsupported = ['.lzma', '.lz4', '.Z'] as const;
export type UnsupportedCompression = (typeof unsupported)[number];

/** The compression that a path's extension tells; also those that `decompress` does not know. */
export function compressionOf(path: string): Compression | UnsupportedCompression {
  const known = [...preferredCompressions, ...unsupported];
  return known.find((extension) => extension !== '' && path.endsWith(extension)) ?? '';
}

type Decoder = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const chunkSize = 256 * 1024;

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['', (source) => source],
  ['.gz', (source) => through(source, createGunzip({ chunkSize }))],
  ['.zst', (source) => through(cutFrames(source), createZstdDecompress({ chunkSize }))],
  ['.xz', decodeXz],
  ['.bz2', decodeBzip2],
]);

/**
 * Decodes a file by the extension of its name, in this process, with bounded memory. Files made of
 * several compressed streams in a row are decoded whole. Throws `TooLarge` as soon as more than
 * `maxBytes` come out, `IndexInvalid` when the data is corrupt, cut short, empty or of a kind that
 * is not supported; errors of `source` pass through. A consumer that stops early ends `source` too.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  extension: Compression | UnsupportedCompression,
  { maxBytes }: { readonly maxBytes: number },
): AsyncGenerator<Uint8Array> {
  const decode = decoders.get(extension);
  if (!decode) throw new CairnError('IndexInvalid', `${extension} files are not supported`);
  const input = new Input(source);
  let total = 0;
  try {
    for await (const chunk of decode(input)) {
      total += chunk.length;
      if (total > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } catch (thrown) {
    throw input.failure ?? asCorrupt(thrown, extension, input);
  }
  // An empty stream of xz still has a header: no bytes at all means that something was lost.
  if (extension !== '' && input.bytes === 0) throw corrupt(extension, 'it is empty');
}

/** Remembers what came in and how it ended, since decoders hide whose error it was. */
class Input implements AsyncIterable<Uint8Array> {
  bytes = 0;
  failure: unknown;
  readonly #source: AsyncIterable<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const iterator = this.#source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const result = await this.#next(iterator);
        if (result.done) return;
        this.bytes += result.value.length;
        yield result.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** A decoder that fails throws its error in here too, at the `yield`: that one is not ours. */
  async #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await iterator.next();
    } catch (thrown) {
      this.failure = thrown;
      throw thrown;
    }
  }
}

function through(source: AsyncIterable<Uint8Array>, decoder: Transform): AsyncIterable<Uint8Array> {
  // The callback is for the types only: errors come out where the decoder is read.
  return pipeline(Readable.from(source, { objectMode: false }), decoder, () => undefined);
}

function asCorrupt(thrown: unknown, extension: string, input: Input): unknown {
  if (thrown instanceof CairnError || !(thrown instanceof Error)) return thrown;
  if (input.bytes === 0) return corrupt(extension, 'it is empty', thrown);
  return corrupt(
    extension,
    extension === '.xz' ? xzProblem(thrown.message) : thrown.message,
    thrown,
  );
}

function corrupt(extension: string, problem: string, cause?: unknown): CairnError {
  const message = `the ${extension} file cannot be decompressed: ${problem}`;
  return new CairnError('IndexInvalid', message, { cause });
}

function tooLarge(maxBytes: number): CairnError {
  return new CairnError('TooLarge', `decompresses to more than ${maxBytes} bytes`);
}
