import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { splitCleartext } from '../../apt/cleartext.ts';
import { readKeyring, verifyDetached, verifyRelease } from '../../apt/openpgp.ts';
import { parseRelease, type Release } from '../../apt/release.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { ArchiveState } from '../results.ts';
import { insideUri, releaseFolder, withSlash, type DeclaredArchive } from './archives.ts';
import { ArchiveUnreachable, fetchFile } from './fetch-file.ts';
import { releaseContent } from './release-content.ts';

/** Release files as they were at one moment. While an image is made, its proxy gives these and no newer ones. */
export interface Pins {
  readonly states: readonly ArchiveState[];
  /** By the URL that containers ask for; undefined: the archive has no such file. */
  readonly files: ReadonlyMap<string, Buffer | undefined>;
  /**
   * What archives have to install, as a value that digests are made of. It is the same for another copy of an archive, and for another Release
   * of the same packages, as environments have one with a key of their own.
   */
  contentOf(archives: readonly DeclaredArchive[]): unknown;
  /** One of the archives that were pinned. */
  releaseOf(archive: DeclaredArchive, suite: string): Release;
}

const mostBytes = 16 << 20; // Debian's largest InRelease has 0.2 MB
const withinMs = 60_000;

interface PinOptions {
  readonly architecture: string;
  readonly dispatcher?: Dispatcher | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches what pins every suite of the archives, each of which has to be signed by its own key: an image that is there already is not verified
 * again. Whether a Release is too old is for apt to say. Throws `ArchiveUnreachable`.
 */
export async function pinArchives(
  archives: readonly DeclaredArchive[],
  options: PinOptions,
): Promise<Pins> {
  const pinned = await Promise.all(
    archives.flatMap((archive) => archive.suites.map((suite) => pinSuite(archive, suite, options))),
  );
  const { architecture } = options;
  const releaseOf = ({ uri }: Pick<DeclaredArchive, 'uri'>, suite: string) => {
    const found = pinned.find(({ state }) => state.uri === uri && state.suite === suite);
    if (!found) throw new ArchiveUnreachable(`${uri} ${suite} is not pinned`);
    return found.release;
  };
  return {
    states: pinned.map(({ state }) => state),
    files: new Map(pinned.flatMap(({ files }) => files)),
    contentOf: (wanted) =>
      wanted.map(({ suites, components, ...archive }) =>
        suites.map((suite) => releaseContent(releaseOf(archive, suite), components, architecture)),
      ),
    releaseOf,
  };
}

type PinnedFile = readonly [url: string, content: Buffer | undefined];

interface Pinned {
  readonly state: ArchiveState;
  readonly files: readonly PinnedFile[];
  readonly release: Release;
}

async function pinSuite(
  archive: DeclaredArchive,
  suite: string,
  { dispatcher, signal }: PinOptions,
): Promise<Pinned> {
  const folder = releaseFolder(suite);
  const get = async (name: string): Promise<PinnedFile> => [
    `${insideUri(archive)}${folder}${name}`,
    await fetchFile(`${withSlash(archive.uri)}${folder}${name}`, archive, {
      ...{ dispatcher, signal, mostBytes, withinMs },
    }),
  ];
  const inRelease = await get('InRelease');
  const isInline = inRelease[1] !== undefined;
  const files = isInline
    ? [inRelease]
    : [inRelease, await get('Release'), await get('Release.gpg')];
  const found = files.flatMap(([, content]) => (content === undefined ? [] : [content]));
  const [first, signature] = found;
  if (!first) throw new ArchiveUnreachable(`${archive.uri} has no Release file for ${suite}`);
  if (!isInline && !signature)
    throw new ArchiveUnreachable(`${archive.uri} ${suite} is not signed`);
  const digest = createHash('sha256').update(Buffer.concat(found)).digest('hex');
  const release = await verified(archive, suite, { first, signature });
  return { state: { uri: archive.uri, suite, digest }, files, release };
}

/** Of InRelease, or of Release and Release.gpg. */
async function verified(
  { uri, key }: DeclaredArchive,
  suite: string,
  { first, signature }: { readonly first: Buffer; readonly signature: Buffer | undefined },
): Promise<Release> {
  const options = { now: new Date() };
  try {
    const keyring = await readKeyring(key);
    if (signature) {
      await verifyDetached(first, signature, keyring, options);
      return parseRelease(first.toString());
    }
    const cleartext = splitCleartext(first);
    await verifyRelease(cleartext, keyring, options);
    return parseRelease(cleartext.text);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    throw new ArchiveUnreachable(`${uri} ${suite}: ${error.message}`, { cause: error });
  }
}
