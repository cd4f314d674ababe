import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { ArchiveState } from '../results.ts';
import { digestOf, insideUri, releaseFolder, withSlash, type DeclaredArchive } from './archives.ts';
import { ArchiveUnreachable, fetchFile } from './fetch-file.ts';
import { releaseContent } from './release-content.ts';

/** Release files as they were at one moment. While an image is made, its proxy gives these and no newer ones. */
export interface Pins {
  readonly states: readonly ArchiveState[];
  /** By the URL that containers ask for; undefined: the archive has no such file. */
  readonly files: ReadonlyMap<string, Buffer | undefined>;
  /**
   * What archives have to install, as a value that digests are made of. It is the same for another copy of an archive, and for another Release
   * of the same packages, as environments get one with every promotion.
   */
  contentOf(archives: readonly DeclaredArchive[]): unknown;
}

const mostBytes = 16 << 20; // Debian's largest InRelease has 0.2 MB
const withinMs = 60_000;

interface PinOptions {
  readonly architecture: string;
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
    contentOf: (wanted) =>
      wanted.map(({ uri, suites, key }) => [
        digestOf(key),
        pinned
          .filter(({ state }) => state.uri === uri && suites.includes(state.suite))
          .map(({ content }) => content),
      ]),
  };
}

type PinnedFile = readonly [url: string, content: Buffer | undefined];

interface Pinned {
  readonly state: ArchiveState;
  readonly files: readonly PinnedFile[];
  readonly content: unknown;
}

async function pinSuite(
  archive: DeclaredArchive,
  suite: string,
  { architecture, dispatcher, signal }: PinOptions,
): Promise<Pinned> {
  const folder = releaseFolder(suite);
  const get = async (name: string): Promise<PinnedFile> => [
    `${insideUri(archive.uri)}${folder}${name}`,
    await fetchFile(`${withSlash(archive.uri)}${folder}${name}`, archive, {
      ...{ dispatcher, signal, mostBytes, withinMs },
    }),
  ];
  const signed = await get('InRelease');
  const files =
    signed[1] === undefined ? [signed, await get('Release'), await get('Release.gpg')] : [signed];
  const found = files.flatMap(([, content]) => (content === undefined ? [] : [content]));
  if (found.length === 0) {
    throw new ArchiveUnreachable(`${archive.uri} has no Release file for ${suite}`);
  }
  const digest = createHash('sha256').update(Buffer.concat(found)).digest('hex');
  const content = releaseContent(found[0] ?? Buffer.alloc(0), archive.components, architecture);
  return { state: { uri: archive.uri, suite, digest }, files, content: content ?? digest };
}
