import { invalid } from './invalid.ts';
import { parsePax } from './pax.ts';
import { isEnd, parseHeader, textOf, type TarHeader } from './tar-header.ts';
import { Walker, type Step, type Walk } from './walker.ts';

export type TarType = 'file' | 'directory' | 'link' | 'symlink' | 'other';

/** `path` is what the archive says: look at it before you use it. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarType;
  /** Bytes of content in the archive. */
  readonly size: number;
}

/** Called for each entry in turn; returns what wants its content, which is then held in memory. */
export type OnEntry = (entry: TarEntry) => ((content: Buffer) => void) | undefined;

export interface TarOptions {
  /** How the archive is called in errors. */
  readonly name: string;
  /** Headers of any kind count, so that a row of pax headers ends too. */
  readonly maxEntries: number;
  /** In bytes. */
  readonly maxPath: number;
}

/**
 * Reads a tar archive in one pass: v7, ustar, GNU's long names, pax. What follows the block of zeros
 * is read and means nothing, as for dpkg and GNU tar. Throws `PackageInvalid`.
 */
export async function readTar(
  chunks: AsyncIterable<Uint8Array>,
  onEntry: OnEntry,
  options: TarOptions,
): Promise<void> {
  const walker = new Walker(walkTar(onEntry, options));
  for await (const chunk of chunks) walker.push(chunk);
  if (!walker.mayEnd) throw invalid(options.name, 'the tar archive is cut short');
}

const blockBytes = 512;
/** Of a pax header: a path, times, ids, a few extended attributes. */
const maxPax = 1024 * 1024;

/** What the headers before an entry say about it. */
interface Announced {
  readonly path?: string;
  readonly size?: number;
}

function* walkTar(onEntry: OnEntry, options: TarOptions): Walk {
  const { name, maxEntries, maxPath } = options;
  let announced: Announced = {};
  for (let entries = 1; ; entries++) {
    const block = yield { see: blockBytes, orEnd: true };
    if (isEnd(block)) return;
    if (entries > maxEntries) throw invalid(name, `it has more than ${maxEntries} entries`);
    const header = sound(parseHeader(block), name);
    const more = yield* walkAnnouncement(header, options);
    if (more) {
      announced = { ...announced, ...more };
      continue;
    }
    if (header.continues) yield* walkSparseMap();
    const entry = entryOf(header, announced);
    announced = {};
    if (entry.path === '') throw invalid(name, 'an entry has no name');
    if (Buffer.byteLength(entry.path) > maxPath) throw longPath(options);
    const onContent = onEntry(entry);
    if (onContent) onContent(yield { see: entry.size });
    else yield { pass: entry.size };
    yield { pass: padding(entry.size) };
  }
}

/** Long names and links, pax headers, and what only backups have: volumes, lists of folders. */
const announcements = 'LKxgVMNXEID';

/** Reads headers that are no entries, and what they say about the next one; undefined for entries. */
function* walkAnnouncement(
  { type, size }: TarHeader,
  options: TarOptions,
): Generator<Step, Announced | undefined, Buffer> {
  if (!announcements.includes(type)) return undefined;
  if (type === 'L' && size > options.maxPath + 1) throw longPath(options);
  if (size > maxPax && 'xg'.includes(type)) throw invalid(options.name, 'a pax header is too long');
  if (!'Lx'.includes(type)) {
    yield { pass: size + padding(size) };
    return {};
  }
  const content = yield { see: size };
  yield { pass: padding(size) };
  if (type === 'L') return { path: textOf(content) };
  return sound(parsePax(content), options.name);
}

/** Old GNU tar lists the holes of a file in blocks of their own. */
function* walkSparseMap(): Walk {
  while ((yield { see: blockBytes })[504] === 1);
}

function entryOf(header: TarHeader, announced: Announced): TarEntry {
  const path = announced.path ?? header.path;
  const type = path.endsWith('/') && isFile(header.type) ? 'directory' : typeOf(header.type);
  const size = announced.size ?? header.size;
  // Like dpkg: whatever such a header says about its size, there is no content.
  return { path, type, size: type === 'file' ? size : 0 };
}

/** Before ustar a directory was a file whose name ends in a slash. */
function isFile(type: string): boolean {
  return typeOf(type) === 'file';
}

const types: ReadonlyMap<string, TarType> = new Map([
  ['1', 'link'],
  ['2', 'symlink'],
  ['3', 'other'],
  ['4', 'other'],
  ['5', 'directory'],
  ['6', 'other'],
]);

/** GNU tar takes what it does not know for a file as well. */
function typeOf(type: string): TarType {
  return types.get(type) ?? 'file';
}

function padding(size: number): number {
  return -size & (blockBytes - 1);
}

function sound<Parsed>(parsed: Parsed | string, name: string): Parsed {
  if (typeof parsed === 'string') throw invalid(name, parsed);
  return parsed;
}

function longPath({ name, maxPath }: TarOptions): Error {
  return invalid(name, `a path is longer than ${maxPath} bytes`);
}
