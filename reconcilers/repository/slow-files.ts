import { blocksOf, unpackBlock } from '../../apt/write/blocks.ts';
import { FileHasher, type FileFacts } from '../../apt/write/file-facts.ts';
import { asCairnError } from '../../crds/reasons.ts';
import type { Blob, Blobs, Tree } from '../../depot/depot.ts';
import { openTree } from '../../depot/tree-reader.ts';
import { debsOf, makeContents, type ListedDeb } from './contents.ts';
import { FileLists, makeList } from './file-lists.ts';
import { contentsPath, directoryOf, indexPath, type IndexPlace } from './places.ts';
import { mostIndexBytes } from './read-indexes.ts';
import { xz } from './xz.ts';

/** What a state lacks, and may be long in the making. */
export interface SlowRequest {
  /** Of the state. */
  readonly tree: string;
  readonly places: readonly IndexPlace[];
  /** Of the state as well. */
  readonly fileLists: string | undefined;
  /** So long packages may be read; what is left then is for the next time. */
  readonly readingMs: number;
}

/** A file that a Release is to list. */
export interface SlowFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly facts: FileFacts;
  /** Another form of that index, and wrong beside any other. */
  readonly of?: { readonly path: string; readonly sha256: string };
}

export interface SlowFiles {
  readonly files: readonly SlowFile[];
  /** The tree of `FileLists`. */
  readonly fileLists: string;
  /** Digests of indexes by path: a state with these lacks nothing now. Left out: something is left. */
  readonly completes?: Readonly<Record<string, string>>;
  /** What could not be made, in words for people. */
  readonly notes: readonly string[];
}

interface FoundIndex {
  readonly place: IndexPlace;
  /** Of the compressed file. */
  readonly path: string;
  readonly blob: Blob;
}

export interface SlowTools {
  /** In milliseconds, from any time. */
  readonly now: () => number;
  /** The program; undefined where there is none. */
  readonly xz: string | undefined;
}

interface Work {
  readonly tree: Tree;
  readonly blobs: Blobs;
  readonly xz: string | undefined;
  readonly lists: FileLists;
  readonly notes: string[];
  /** When no more packages are to be read. */
  readonly isLate: () => boolean;
}

/**
 * Makes what a state of a repository lacks: its indexes in .xz, and Contents that are missing or out
 * of date. All of it is durable when this returns, and nothing refers to it yet.
 */
export async function makeSlowFiles(
  { tree: digest, places, fileLists, readingMs }: SlowRequest,
  blobs: Blobs,
  { now, xz: program }: SlowTools,
): Promise<SlowFiles> {
  const until = now() + readingMs;
  const work: Work = {
    tree: await openTree(blobs, digest),
    blobs,
    xz: program,
    lists: await FileLists.read(blobs, fileLists),
    notes: [],
    isLate: () => now() > until,
  };
  const indexes = await indexesIn(work.tree, places);
  const compressed = await compressAll(indexes, work);
  const { files, debs, isWhole } = await allContents(indexes, work);
  const contents = indexes.flatMap(({ place }) => contentsOf(place) ?? []);
  const written = await work.lists.write(blobs, { debs, contents });
  await blobs.sync();
  return {
    files: [...compressed, ...files],
    fileLists: written,
    ...(isWhole && {
      completes: Object.fromEntries(indexes.map(({ path, blob }) => [path, blob.sha256])),
    }),
    notes: work.notes,
  };
}

async function indexesIn(tree: Tree, places: readonly IndexPlace[]): Promise<FoundIndex[]> {
  const indexes: FoundIndex[] = [];
  for (const place of places) {
    const path = `${directoryOf(place)}${indexPath(place)}.gz`;
    const blob = await tree.get(path);
    if (blob) indexes.push({ place, path, blob: { sha256: blob.sha256, size: blob.size } });
  }
  return indexes;
}

/** Those in .xz that are not there. */
async function compressAll(
  indexes: readonly FoundIndex[],
  { tree, blobs, xz: program, notes }: Work,
): Promise<SlowFile[]> {
  const files: SlowFile[] = [];
  if (program === undefined) {
    notes.push('there is no program xz here: Packages and Sources are there as .gz alone');
    return files;
  }
  for (const { path: gzPath, blob } of indexes) {
    const path = gzPath.replace(/\.gz$/, '.xz');
    if (await tree.get(path)) continue;
    const blocks = blocksOf(await blobs.bytes(blob.sha256, mostIndexBytes));
    const hasher = new FileHasher();
    await blobs.write(hashed(xz(program, blocks.values().map(unpackBlock)), hasher));
    const of = { path: gzPath, sha256: blob.sha256 };
    files.push({ path, facts: hasher.facts(), of });
  }
  return files;
}

async function* hashed(pieces: AsyncIterable<Buffer>, hasher: FileHasher): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    hasher.update(piece);
    yield piece;
  }
}

/** Those that are not there, or were made for an index as it was. */
async function allContents(indexes: readonly FoundIndex[], work: Work) {
  const files: SlowFile[] = [];
  const named = new Set<string>();
  let isWhole = true;
  for (const { place, blob } of indexes) {
    const path = contentsOf(place);
    if (path === undefined) continue;
    const debs = debsOf(await work.blobs.bytes(blob.sha256, mostIndexBytes));
    for (const { sha256 } of debs) named.add(sha256);
    const isCurrent = work.lists.madeFor(path) === blob.sha256;
    if (isCurrent && (await work.tree.get(`${path}.gz`))) continue;
    if (!(await listAll(debs, work))) {
      isWhole = false;
      continue;
    }
    files.push(...(await contentsFiles(path, debs, work)));
    work.lists.keepMadeFor(path, blob);
  }
  return { files, debs: named, isWhole };
}

async function contentsFiles(
  path: string,
  debs: readonly ListedDeb[],
  { blobs, lists, notes }: Work,
): Promise<readonly SlowFile[]> {
  try {
    const { plain, gz } = await makeContents(blobs, debs, lists);
    return [
      { path, facts: plain }, // listed, and there in its compressed form alone
      { path: `${path}.gz`, facts: gz },
    ];
  } catch (error) {
    const { reason, message } = asCairnError(error);
    if (reason !== 'TooLarge') throw error;
    notes.push(`${path} is left out: ${message}`);
    return [];
  }
}

const mostNotes = 20;

/** False when there was no time for all of them. */
async function listAll(debs: readonly ListedDeb[], work: Work): Promise<boolean> {
  const { blobs, lists, notes, isLate } = work;
  for (const { sha256, name } of debs) {
    if (lists.listOf(sha256)) continue;
    if (isLate()) return false;
    const { list, problem } = await makeList(blobs, sha256);
    lists.keepList(sha256, list);
    if (problem !== undefined && notes.length < mostNotes) {
      notes.push(`the files of ${name} are in no Contents: ${problem}`);
    }
  }
  return true;
}

function contentsOf(place: IndexPlace): string | undefined {
  return place.architecture === 'source' ? undefined : directoryOf(place) + contentsPath(place);
}
