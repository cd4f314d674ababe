import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { CairnError } from '../crds/reasons.ts';
import { invalid, quoted } from './failure.ts';

/** Linux has 90,000 files; what is ten times as large is no source. */
const maxEntries = 500_000;
const maxDepth = 64;
/** Of metadata files: pyproject.toml, CMakeLists.txt, … */
const maxTextBytes = 1024 * 1024;

export type EntryType = 'file' | 'folder' | 'link' | 'other';

/**
 * The folder that is packaged, as a list of names and a few files' text. Made of what strangers
 * committed: symbolic links are listed and never followed, and files are read up to a limit.
 */
export interface Tree {
  /** Paths of all entries but `.git`, in the order of their code units, `/` between the parts. */
  readonly entries: ReadonlyMap<string, EntryType>;
  /** The files among them. */
  readonly files: readonly string[];
  has(file: string): boolean;
  /** The text of a file; undefined when there is none. One that is too large is an error. */
  text(file: string, maxBytes?: number): Promise<string | undefined>;
  /** The first characters of a file; undefined when there is none. */
  head(file: string, bytes: number): Promise<string | undefined>;
  isExecutable(file: string): Promise<boolean>;
}

/** Lists what is in a folder. Throws `SourceInvalid` for what can't be packaged by its names. */
export async function readTree(folder: string, subdirectory = ''): Promise<Tree> {
  return treeAt(await subfolder(folder, subdirectory), true);
}

/** The same, of the files that lie in a folder itself. */
export async function readTop(folder: string): Promise<Tree> {
  return treeAt(path.resolve(folder), false);
}

async function treeAt(root: string, deep: boolean): Promise<Tree> {
  const entries = new Map<string, EntryType>();
  await list({ root, entries, deep }, '', 0);
  const sorted = new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  const files = [...sorted].filter(([, type]) => type === 'file').map(([name]) => name);
  return {
    entries: sorted,
    files,
    has: (file) => sorted.get(file) === 'file',
    text: async (file, maxBytes = maxTextBytes) => {
      if (sorted.get(file) !== 'file') return undefined;
      const text = await readHead(path.join(root, file), maxBytes + 1);
      if (text.length <= maxBytes) return decode(file, text);
      throw invalid(file, `expected at most ${maxBytes} bytes`);
    },
    head: async (file, bytes) =>
      sorted.get(file) === 'file'
        ? (await readHead(path.join(root, file), bytes)).toString('utf8')
        : undefined,
    isExecutable: async (file) =>
      sorted.get(file) === 'file' && ((await lstat(path.join(root, file))).mode & 0o100) !== 0,
  };
}

/** The absolute path of a folder in a checkout, which no symbolic link may be part of. */
export async function subfolder(folder: string, subdirectory: string): Promise<string> {
  const parts = subdirectory.split('/').filter((part) => part !== '' && part !== '.');
  if (
    parts.includes('..') ||
    parts.includes('.git') ||
    subdirectory.startsWith('/') ||
    subdirectory.includes('\0')
  ) {
    throw new CairnError('SpecInvalid', `${quoted(subdirectory)} leads out of the tree`);
  }
  let at = path.resolve(folder);
  for (const part of parts) {
    at = path.join(at, part);
    const found = await lstat(at).catch(() => undefined);
    if (!found) throw invalid(subdirectory, 'there is no such folder in this commit');
    if (!found.isDirectory()) {
      const what = found.isSymbolicLink() ? 'a symbolic link' : 'no folder';
      throw invalid(subdirectory, `expected a folder; ${quoted(part)} is ${what}`);
    }
  }
  return at;
}

interface Listing {
  readonly root: string;
  readonly deep: boolean;
  readonly entries: Map<string, EntryType>;
}

async function list(listing: Listing, folder: string, depth: number): Promise<void> {
  if (depth > maxDepth) throw invalid(folder, `more than ${maxDepth} folders deep`);
  for (const entry of await readdir(path.join(listing.root, folder), { withFileTypes: true })) {
    if (entry.name === '.git') continue;
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    refuseOdd(name);
    if (listing.entries.size >= maxEntries) throw invalid(name, `more than ${maxEntries} files`);
    // A name that is not UTF-8 can't be asked for by the one that was made of it.
    const type = name.includes('\ufffd') ? 'other' : typeOf(entry);
    listing.entries.set(name, type);
    if (type === 'folder' && listing.deep) await list(listing, name, depth + 1);
  }
}

/** Tools that write lists of files, one a line, take such a name for two. */
function refuseOdd(name: string): void {
  if (!/[\u0000-\u001f\u007f]/.test(name)) return;
  throw invalid(name, 'a file name has control characters, which no source package should have');
}

function typeOf(entry: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}): EntryType {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

/** At most `bytes` from the start of a regular file. */
async function readHead(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(bytes, size));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid(file, 'expected UTF-8');
  }
}
