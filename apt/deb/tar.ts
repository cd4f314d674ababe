import { setImmediate } from 'node:timers/promises';
import { invalid, shown } from './invalid.ts';
import { parsePax, type PaxRecords } from './pax.ts';
import {
  isEnd,
  parseAttributes,
  parseHeader,
  textOf,
  type TarAttributes,
  type TarHeader,
} from './tar-header.ts';
import { Walker, type Step, type Walk } from './walker.ts';

/** `sparse`: a file whose content here is not what it will be; `backup`: what no package needs. */
export type TarType = 'file' | 'sparse' | 'directory' | 'link' | 'symlink' | 'device' | 'backup';

/** `path` is what the archive says: look at it before you use it. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarType;
  /** Bytes of content in the archive. */
  readonly size: number;
}

/**
 * Called for each entry in turn; returns what wants its content, which is then held in memory. `attributes`
 * has to be called at once, if at all; it throws `PackageInvalid`.
 */
export type OnEntry = (
  entry: TarEntry,
  attributes: () => TarAttributes,
) => ((content: Buffer) => void) | undefined;

export interface TarOptions {
  /** How the archive is called in errors. */
  readonly name: string;
  /** Headers of any kind count, so that a row of pax headers ends too. */
  readonly maxEntries: number;
  /** In bytes. */
  readonly maxPath: number;
  /** Called after each piece of the archive, so that what was found can be dealt with before the next one is read. */
  readonly afterPiece?: (() => Promise<void>) | undefined;
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
  let busy = 0;
  for await (const chunk of chunks) {
    walker.push(chunk);
    await options.afterPiece?.();
    busy += chunk.length;
    if (busy < turnBytes) continue;
    await setImmediate();
    busy = 0;
  }
  if (!walker.mayEnd) throw invalid(options.name, 'the tar archive is cut short');
}

/** Some decoders run in this thread: a bomb of theirs must let others have a turn. */
const turnBytes = 4 * 1024 * 1024;
const blockBytes = 512;
/** Of a pax header: a path, times, ids, a few extended attributes. */
const maxPax = 1024 * 1024;

/** What the headers before an entry say about it. */
interface Announced extends PaxRecords {
  readonly isPax?: true;
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
      announced = joined(announced, more, name);
      continue;
    }
    if (header.continues) yield* walkSparseMap();
    const entry = entryOf(header, announced, name);
    const { link } = announced;
    announced = {};
    if (entry.path === '') throw invalid(name, 'an entry has no name');
    if (Buffer.byteLength(entry.path) > maxPath) throw longPath(options);
    const onContent = onEntry(entry, () => attributesOf(block, link, options));
    if (onContent) onContent(yield { see: entry.size });
    else yield { pass: entry.size };
    yield { pass: padding(entry.size) };
  }
}

/** GNU's long names and links, pax headers of one file (`X` is that of Solaris) and of all files. */
const announcements = 'LKxXg';

/** Reads headers that are no entries, and what they say about the next one; undefined for entries. */
function* walkAnnouncement(
  { type, size }: TarHeader,
  options: TarOptions,
): Generator<Step, Announced | undefined, Buffer> {
  if (!announcements.includes(type)) return undefined;
  // Of a link that is too long, `attributes` says so to whoever wants to know.
  if (type === 'K' && size > options.maxPath + 1) {
    yield { pass: size + padding(size) };
    return { link: tooLong };
  }
  if (type === 'L' && size > options.maxPath + 1) throw longPath(options);
  if (size > maxPax) throw invalid(options.name, 'a pax header is too long');
  const content = yield { see: size };
  yield { pass: padding(size) };
  if (type === 'L') return { path: textOf(content) };
  if (type === 'K') return { link: textOf(content) };
  const records = sound(parsePax(content), options.name);
  if (type !== 'g') return { ...records, isPax: true };
  if (Object.keys(records).length === 0) return {};
  throw invalid(
    options.name,
    'a pax header for all files gives them a path, a link, a size or holes',
  );
}

/** No path has a NUL. */
const tooLong = '\0';

function attributesOf(
  block: Buffer,
  announced: string | undefined,
  { name, maxPath }: TarOptions,
): TarAttributes {
  const attributes = parseAttributes(block);
  if (!attributes) throw invalid(name, 'a tar header has a mode or an owner that no file can have');
  const link = announced ?? attributes.link;
  if (link !== tooLong && Buffer.byteLength(link) <= maxPath) return { ...attributes, link };
  throw invalid(name, `a link leads to a path longer than ${maxPath} bytes`);
}

/** Readers disagree on which of two headers counts, and dpkg has more than one reader. */
function joined(before: Announced, more: Announced, name: string): Announced {
  const isTwice = (before.isPax && more.isPax) || (before.path && more.path);
  if (isTwice) throw invalid(name, 'two headers in a row describe the same entry');
  return { ...before, ...more };
}

/** Old GNU tar lists the holes of a file in blocks of their own. */
function* walkSparseMap(): Walk {
  while ((yield { see: blockBytes })[504] === 1);
}

function entryOf(header: TarHeader, announced: Announced, name: string): TarEntry {
  const path = announced.path ?? header.path;
  const type = typeFor(path, typeOf(header.type), announced);
  // What a hard link says about its size is that of the file; nobody looks for content.
  const size = announced.size ?? (type === 'link' ? 0 : header.size);
  if (size > 0 && !withContent.has(type)) {
    // GNU tar passes over it, dpkg does not: they would find different entries after it.
    throw invalid(name, `the ${type} ${shown(path)} has content`);
  }
  return { path, type, size };
}

function typeFor(path: string, type: TarType, { isSparse }: Announced): TarType {
  if (type !== 'file') return type;
  // Before ustar a directory was a file whose name ends in a slash.
  if (path.endsWith('/')) return 'directory';
  return isSparse ? 'sparse' : 'file';
}

const withContent: ReadonlySet<TarType> = new Set(['file', 'sparse', 'backup']);

const types: ReadonlyMap<string, TarType> = new Map([
  ['1', 'link'],
  ['2', 'symlink'],
  ['3', 'device'],
  ['4', 'device'],
  ['5', 'directory'],
  ['6', 'device'],
  ['S', 'sparse'],
  ['D', 'backup'],
  ['M', 'backup'],
  ['V', 'backup'],
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
