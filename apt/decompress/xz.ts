import { createRequire } from 'node:module';
import type { XzReadableStream } from 'xz-decompress';

/**
 * xz-decompress decodes one stream at a time: a lock shared by its whole module makes the others
 * wait, so two that are read in turns would wait for ever. So each stream in use gets a copy of the
 * module (and of its WASM memory) for itself. A copy that failed is dropped with its memory.
 */
interface Copy {
  readonly XzReadableStream: typeof XzReadableStream;
}

const require = createRequire(import.meta.url);
const idle: Copy[] = [];
const maxIdle = 2;

/** Decodes .xz, also several streams in a row. Bounded: dictionaries above 64 MiB are refused. */
export async function* decodeXz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const copy = idle.pop() ?? loadCopy();
  for await (const chunk of new copy.XzReadableStream(ReadableStream.from(source))) {
    if (chunk.length > 0) yield chunk;
  }
  if (idle.length < maxIdle) idle.push(copy);
}

function loadCopy(): Copy {
  const path = require.resolve('xz-decompress');
  delete require.cache[path];
  const copy: Copy = require(path);
  delete require.cache[path];
  return copy;
}

const problems: ReadonlyMap<string, string> = new Map([
  ['3', 'out of memory'],
  ['4', 'it asks for more memory than is allowed'],
  ['5', 'it is not in xz format'],
  ['6', 'it uses options that are not supported'],
  ['7', 'its data is corrupt'],
  ['8', 'it is cut short or has garbage at its end'],
]);

/** What the decoder's number means (enum xz_ret of XZ Embedded). */
export function xzProblem(message: string): string {
  const [, code = ''] = /error code (\d+)/.exec(message) ?? [];
  return problems.get(code) ?? message;
}
