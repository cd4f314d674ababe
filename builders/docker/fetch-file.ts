import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { DeclaredArchive } from './archives.ts';
import { messageOf } from './engine.ts';
import { ask, staysInside } from './follow.ts';

/** An archive can't be read. */
export class ArchiveUnreachable extends Error {
  override readonly name = 'ArchiveUnreachable';
}

export interface FetchOptions {
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In bytes; more is an error. */
  readonly mostBytes: number;
  readonly withinMs: number;
}

/** A file of an archive, in memory; undefined if there is none. Throws `ArchiveUnreachable`. */
export async function fetchFile(
  url: string,
  archive: DeclaredArchive,
  { dispatcher, signal, mostBytes, withinMs }: FetchOptions,
): Promise<Buffer | undefined> {
  const timeout = AbortSignal.timeout(withinMs);
  try {
    const answer = await ask(url, {
      headers: { 'user-agent': 'cairn', ...archive.headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      mayFollow: staysInside(archive),
      dispatcher,
    });
    if (answer.statusCode === 200) return await readSmall(answer.body, mostBytes);
    await answer.body.dump();
    if (answer.statusCode === 404) return undefined;
    throw new Error(`it answers ${answer.statusCode}`);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ArchiveUnreachable(`${url} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readSmall(body: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What something has to be. */
export interface Expected {
  readonly size: number;
  /** Hex digits. */
  readonly sha256: string;
}

const attempts = 3;

/** The same for a file that is known by its digest. A server that stumbles is asked again. */
export async function fetchExpected(
  url: string,
  archive: DeclaredArchive,
  { size, sha256 }: Expected,
  options: Omit<FetchOptions, 'mostBytes'>,
): Promise<Buffer | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const content = await fetchFile(url, archive, { ...options, mostBytes: size });
      if (content === undefined) return undefined;
      if (createHash('sha256').update(content).digest('hex') === sha256) return content;
      throw new ArchiveUnreachable(`${url} is not the file that the archive has signed`);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (attempt === attempts) throw error;
    }
  }
}
