import { gunzipSync, gzipSync } from 'node:zlib';
import { defaultDebLimits, readDeb } from '../../apt/deb.ts';
import { asCairnError } from '../../crds/reasons.ts';
import type { Blob, BlobReader, Blobs, TreeEntry } from '../../depot/depot.ts';
import { treeEntries } from '../../depot/tree-reader.ts';
import { comparePaths, writeTree } from '../../depot/tree-writer.ts';

/**
 * What is known of what is in packages: a tree that nobody is served. `lists/<sha256 of a .deb>` is
 * the list of its files; `contents/<path of a Contents>` is the index that was made for, as it was.
 * All of it can be made again.
 */
export class FileLists {
  readonly #entries: Map<string, Blob>;

  private constructor(entries: Map<string, Blob>) {
    this.#entries = entries;
  }

  /** Of none when there is no such tree, or not any more. */
  static async read(blobs: BlobReader, tree: string | undefined): Promise<FileLists> {
    const entries = new Map<string, Blob>();
    try {
      const found = tree === undefined ? [] : await treeEntries(blobs, tree);
      for (const { path, sha256, size } of found) entries.set(path, { sha256, size });
    } catch (error) {
      const { reason } = asCairnError(error);
      if (reason !== 'BlobMissing' && reason !== 'TreeInvalid') throw error;
      return new FileLists(new Map());
    }
    return new FileLists(entries);
  }

  listOf(deb: string): Blob | undefined {
    return this.#entries.get(listPath(deb));
  }

  keepList(deb: string, list: Blob): void {
    this.#entries.set(listPath(deb), list);
  }

  /** The digest of the index that a Contents was made for. */
  madeFor(contents: string): string | undefined {
    return this.#entries.get(contentsPath(contents))?.sha256;
  }

  keepMadeFor(contents: string, index: Blob): void {
    this.#entries.set(contentsPath(contents), index);
  }

  /** Stores it, with the lists of these packages and the facts of these Contents alone. */
  async write(
    blobs: Blobs,
    named: { readonly debs: ReadonlySet<string>; readonly contents: readonly string[] },
  ): Promise<string> {
    const paths = [...named.contents.map(contentsPath), ...[...named.debs].map(listPath)];
    const entries: TreeEntry[] = [];
    for (const path of paths.sort(comparePaths)) {
      const blob = this.#entries.get(path);
      if (blob) entries.push({ path, ...blob });
    }
    return (await writeTree(blobs, entries)).digest;
  }
}

function listPath(deb: string): string {
  return `lists/${deb}`;
}

function contentsPath(path: string): string {
  return `contents/${path}`;
}

/**
 * Makes the list of the files of a .deb in the depot. One whose files can't be read has an empty
 * list, and `problem` says why. Throws `BlobMissing`, `DepotUnavailable` and `DepotFull`.
 */
export async function makeList(
  blobs: Blobs,
  deb: string,
): Promise<{ readonly list: Blob; readonly problem?: string }> {
  try {
    const { files = [] } = await readDeb(await blobs.read(deb), { contents: true });
    return { list: blobs.put(gzipSync(files.join('\n'))) };
  } catch (error) {
    const { reason, message } = asCairnError(error);
    if (reason !== 'PackageInvalid') throw error;
    return { list: blobs.put(gzipSync('')), problem: message };
  }
}

/** The paths in a package. A list that has gone is made again. */
export async function listedFiles(
  blobs: Blobs,
  lists: FileLists,
  deb: string,
): Promise<readonly string[]> {
  const known = lists.listOf(deb);
  if (known && (await blobs.size(known.sha256)) !== undefined) return readList(blobs, known);
  const { list } = await makeList(blobs, deb);
  lists.keepList(deb, list);
  return readList(blobs, list);
}

/** The paths of a list, in the order of the .deb. */
async function readList(blobs: BlobReader, { sha256 }: Blob): Promise<readonly string[]> {
  const maxOutputLength = 2 * mostBytes;
  const text = gunzipSync(await blobs.bytes(sha256, mostBytes), { maxOutputLength });
  return text.length === 0 ? [] : text.toString('utf8').split('\n');
}

/** A list has so many characters at most, and a line feed for each path; UTF-8 has three bytes for one. */
const mostBytes = 3 * defaultDebLimits.maxPaths;
