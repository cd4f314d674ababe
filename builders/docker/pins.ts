import { createHash } from 'node:crypto';
import { request, type Dispatcher } from 'undici';
import type { ArchiveState } from '../results.ts';
import { insideUri, releaseFolder, withSlash, type DeclaredArchive } from './archives.ts';
import { messageOf } from './engine.ts';

/** Release files as they were at one moment. While an image is made, its proxy gives these and no newer ones. */
export interface Pins {
  readonly states: readonly ArchiveState[];
  /** By the URL that containers ask for; undefined: the archive has no such file. */
  readonly files: ReadonlyMap<string, Buffer | undefined>;
}

/** An archive can't be read. */
export class ArchiveUnreachable extends Error {
  override readonly name = 'ArchiveUnreachable';
}

const mostBytes = 16 << 20; // Debian's largest InRelease has 0.2 MB
const withinMs = 60_000;

interface PinOptions {
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fetches what pins every suite of the archives. Nothing is verified here: apt does so, in the container. */
export async function pinArchives(
  archives: readonly DeclaredArchive[],
  options: PinOptions,
): Promise<Pins> {
  const pinned = await Promise.all(
    archives.flatMap((archive) => archive.suites.map((suite) => pinSuite(archive, suite, options))),
  );
  return {
    states: pinned.map(({ state }) => state),
    files: new Map(pinned.flatMap(({ files }) => files)),
  };
}

type PinnedFile = readonly [url: string, content: Buffer | undefined];

async function pinSuite(
  archive: DeclaredArchive,
  suite: string,
  options: PinOptions,
): Promise<{ readonly state: ArchiveState; readonly files: readonly PinnedFile[] }> {
  const folder = releaseFolder(suite);
  const get = async (name: string): Promise<PinnedFile> => [
    `${insideUri(archive.uri)}${folder}${name}`,
    await fetchSmall(`${withSlash(archive.uri)}${folder}${name}`, archive, options),
  ];
  const signed = await get('InRelease');
  const files =
    signed[1] === undefined ? [signed, await get('Release'), await get('Release.gpg')] : [signed];
  const found = files.flatMap(([, content]) => (content === undefined ? [] : [content]));
  if (found.length === 0) {
    throw new ArchiveUnreachable(`${archive.uri} has no Release file for ${suite}`);
  }
  const digest = createHash('sha256').update(Buffer.concat(found)).digest('hex');
  return { state: { uri: archive.uri, suite, digest }, files };
}

/** The file; undefined if there is none. */
async function fetchSmall(
  url: string,
  { headers = {} }: DeclaredArchive,
  { dispatcher, signal }: PinOptions,
): Promise<Buffer | undefined> {
  const timeout = AbortSignal.timeout(withinMs);
  try {
    const answer = await request(url, {
      headers: { 'user-agent': 'cairn', ...headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(dispatcher ? { dispatcher } : {}),
    });
    if (answer.statusCode === 404) {
      await answer.body.dump();
      return undefined;
    }
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new Error(`it answers ${answer.statusCode}`);
    }
    return await readSmall(answer.body);
  } catch (error) {
    signal?.throwIfAborted();
    throw new ArchiveUnreachable(`${url} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readSmall(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
