import { constants, type Dirent } from 'node:fs';
import { open, opendir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { ManifestProblem } from '../../crds/config-source.ts';
import { maxFileSize } from './documents.ts';

export interface FileList {
  /** Relative to the root, with `/`, sorted. */
  readonly files: readonly string[];
  /** What could not be looked at; each stands for documents that nobody knows. */
  readonly problems: readonly ManifestProblem[];
}

const maxFiles = 10_000;
const maxTotalBytes = 64 * 1024 * 1024;
/** Entries of any type, so that a source that is no config repository ends early. */
const maxEntries = 200_000;

/**
 * All `*.yaml` and `*.yml` files of a directory, and of those below it. Left out are names that
 * start with a dot and `node_modules`. Links to files are followed inside the root only, links to
 * directories never. `path` is the directory or file to look at, relative to the root. Throws when
 * it can't be looked at, or leads out of the root.
 */
export async function listManifestFiles(root: string, path: string): Promise<FileList> {
  const start = join(root, path);
  const isFile = (await stat(start)).isFile();
  if (isFile && path === '.') throw new Error('it is a file; give its directory');
  if (!isInside(await realpath(root), await realpath(start))) {
    throw new Error(`${path} is a link that leaves the config source`);
  }
  const walk = new Walk(root);
  if (isFile) walk.files.push(slashed(relative(root, start)));
  else await walk.directory(start);
  while (!walk.isDone) await walk.next();
  if (walk.isTooLarge) return { files: [], problems: [tooMany(path)] };
  return { files: walk.files.sort(), problems: walk.problems };
}

class Walk {
  readonly files: string[] = [];
  readonly problems: ManifestProblem[] = [];
  readonly #root: string;
  readonly #directories: string[] = [];
  #entries = 0;

  constructor(root: string) {
    this.#root = root;
  }

  get isTooLarge(): boolean {
    return this.#entries > maxEntries || this.files.length > maxFiles;
  }

  get isDone(): boolean {
    return this.#directories.length === 0 || this.isTooLarge;
  }

  async next(): Promise<void> {
    const directory = this.#directories.pop();
    if (directory === undefined) return;
    try {
      await this.directory(directory);
    } catch (error) {
      this.problems.push(problemOf(this.#name(directory), messageOf(error)));
    }
  }

  async directory(directory: string): Promise<void> {
    for await (const entry of await opendir(directory)) {
      this.#entries++;
      if (this.isTooLarge) return;
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      await this.#take(entry, join(directory, entry.name));
    }
  }

  async #take(entry: Dirent, path: string): Promise<void> {
    const file = this.#name(path);
    if (entry.isDirectory()) {
      this.#directories.push(path);
      return;
    }
    const problem = entry.isSymbolicLink() ? await linkProblem(this.#root, file) : undefined;
    if (problem !== undefined) this.problems.push(problemOf(file, problem));
    else if (isManifestName(file)) this.files.push(file);
  }

  #name(path: string): string {
    return slashed(relative(this.#root, path));
  }
}

/** Reads files one by one; throws an Error that names the limit when they are too large together. */
export class BoundedReader {
  #left = maxTotalBytes;

  /** Throws when it is no regular file, or larger than `limit` bytes. */
  async read(path: string, limit = maxFileSize): Promise<Buffer> {
    // Opening a FIFO would wait for its writer for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new Error('not a regular file');
      if (stats.size > limit) throw new Error(`expected a file of at most ${sizeText(limit)}`);
      const bytes = await readAtMost(file, stats.size);
      this.#left -= bytes.length;
      if (this.#left >= 0) return bytes;
      throw new Error(`expected at most ${sizeText(maxTotalBytes)} of files in all`);
    } finally {
      await file.close();
    }
  }
}

/** Up to `size` bytes: what was appended since then is read the next time. */
async function readAtMost(file: FileHandle, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** Whether a real path is the root or below it. Both have to be real paths. */
export function isInside(realRoot: string, path: string): boolean {
  return path === realRoot || path.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}

export function isManifestName(file: string): boolean {
  return /\.ya?ml$/.test(basename(file));
}

/** Why a link is not followed; links that have nothing to do with manifests are nobody's concern. */
async function linkProblem(root: string, file: string): Promise<string | undefined> {
  try {
    const target = await realpath(join(root, file));
    const isDirectory = (await stat(target)).isDirectory();
    if (isDirectory) return 'a link to a directory, which is not followed';
    if (!isManifestName(file)) return undefined;
    return isInside(await realpath(root), target)
      ? undefined
      : 'a link that leaves the source, which is not followed';
  } catch {
    return isManifestName(file) ? 'a link that leads nowhere' : undefined;
  }
}

function tooMany(path: string): ManifestProblem {
  return problemOf(path, `expected at most ${maxFiles} manifest files; is this a config source?`);
}

function problemOf(file: string, message: string): ManifestProblem {
  return { file, line: 1, column: 1, message };
}

/** What went wrong with a file, for people. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'EACCES') return 'can not be read: permission denied';
  if (code === 'ENOENT') return 'can not be read: it has gone';
  return error.message;
}

function sizeText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`;
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
