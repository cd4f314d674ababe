import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack, type Header } from 'tar-stream';

export type TarHeader = Partial<Header> & Pick<Header, 'name'>;

export interface TarEntry {
  readonly header: Header;
  /** Has to be read to its end before the next entry comes. */
  readonly content: AsyncIterable<Buffer>;
}

/** The entries of a tar stream, one after the other. Whoever stops early ends the stream as well. */
export async function* readTar(stream: Readable): AsyncGenerator<TarEntry> {
  const reader = extract();
  const fed = feed(stream, reader);
  fed.catch(() => {}); // told by the entries
  try {
    for await (const entry of reader) {
      yield { header: entry.header, content: bytesOf(entry) };
      entry.resume();
    }
  } finally {
    stream.destroy();
    reader.destroy();
  }
  await fed;
}

async function* bytesOf(entry: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  for await (const bytes of entry) if (bytes instanceof Uint8Array) yield Buffer.from(bytes);
}

/** tar-stream has streams of another make, with the same methods. */
async function feed(stream: Readable, reader: ReturnType<typeof extract>): Promise<void> {
  try {
    for await (const bytes of stream) {
      if (reader.destroyed) return;
      if (!reader.write(bytes)) await roomIn(reader);
    }
    reader.end(undefined);
  } catch (error) {
    reader.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

interface Emitter {
  on(name: 'drain' | 'close', listener: () => void): unknown;
  off(name: 'drain' | 'close', listener: () => void): unknown;
  readonly destroyed: boolean;
}

/** Waits until a stream takes more, or has closed. */
export async function roomIn(stream: Emitter): Promise<void> {
  if (stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      stream.off('drain', go);
      stream.off('close', go);
      resolve();
    };
    stream.on('drain', go);
    stream.on('close', go);
  });
}

/** Puts one entry into a tar stream. */
export type PutEntry = (
  header: TarHeader,
  content?: AsyncIterable<Buffer> | string,
) => Promise<void>;

/** A tar stream of what `fill` puts into it. What `fill` throws is the error of the stream. */
export function writeTar(fill: (put: PutEntry) => Promise<void>): Readable {
  const tar = pack();
  const out = new PassThrough();
  void pipeline(Readable.from(tar, { objectMode: false }), out).catch(() => {});
  const put: PutEntry = async (header, content = '') => {
    if (typeof content === 'string') return void tar.entry({ ...header }, content);
    const sink = tar.entry(header);
    const closed = new Promise<void>((resolve, reject) => {
      sink.on('close', resolve);
      sink.on('error', reject);
    });
    closed.catch(() => {});
    for await (const bytes of content) if (!sink.write(bytes)) await roomIn(sink);
    sink.end(undefined);
    await closed;
  };
  fill(put).then(
    () => tar.finalize(),
    (error: unknown) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      out.destroy(reason);
      tar.destroy(reason);
    },
  );
  return out;
}
