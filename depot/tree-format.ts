/**
 * A tree as text: a line `<size> <sha256>  <path>` for each file, sorted by the bytes of the path,
 * so that `cut -d' ' -f2- TREE | sha256sum -c` checks a directory laid out by path. The same entries
 * always make the same bytes, hence the same digest.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { CairnError } from '../crds/reasons.ts';
import type { TreeEntry } from './depot.ts';

export const maxPathBytes = 1024;
/** Of the longest line: 16 digits, space, 64 digits, two spaces, path, newline. */
export const maxLineBytes = 16 + 1 + 64 + 2 + maxPathBytes + 1;

const sha256Pattern = /^[0-9a-f]{64}$/;
const sizePattern = /^(?:0|[1-9][0-9]{0,15})$/;
/** A control character (a newline would forge a line), or a part that is empty, `.` or `..`. */
const unsafe = /[\0-\x1f\x7f-\x9f]|(?:^|\/)\.{0,2}(?:\/|$)/;

/** The line of an entry, with its newline. Throws `TreeInvalid` for an entry no tree may have. */
export function formatEntry({ path, sha256, size }: TreeEntry): string {
  checkPath(path);
  if (!sha256Pattern.test(sha256)) throw invalid(`not a SHA-256: ${quoted(sha256)}`);
  if (!Number.isSafeInteger(size) || size < 0) throw invalid(`${quoted(path)} has size ${size}`);
  return `${size} ${sha256}  ${path}\n`;
}

/** The entry of a line without its newline. Throws `TreeInvalid`. */
export function parseLine(line: string): TreeEntry {
  return parseLineAt(line, 0, line.length);
}

/** The entries of whole lines. What is kept of an entry keeps the text of all lines in memory. */
export function* parseLines(bytes: Buffer): Generator<TreeEntry> {
  const text = decodeLines(bytes);
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    if (end < 0) throw invalid('a tree ends within a line');
    yield parseLineAt(text, start, end);
    start = end + 1;
  }
}

/** As `parseLine`, for a line inside a longer text. */
function parseLineAt(text: string, start: number, end: number): TreeEntry {
  const space = text.indexOf(' ', start);
  const digits = text.slice(start, space);
  const sha256 = text.slice(space + 1, space + 65);
  const path = text.slice(space + 67, end);
  const spaced = text[space + 65] === ' ' && text[space + 66] === ' ';
  if (!spaced || !sizePattern.test(digits) || !sha256Pattern.test(sha256)) {
    throw invalid(`not a line of a tree: ${quoted(text.slice(start, end))}`);
  }
  checkPath(path);
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) throw invalid(`${quoted(path)} has size ${digits}`);
  return { path, sha256, size };
}

/** The path of a line that is known to be good. */
export function pathOfLine(line: string): string {
  return line.slice(line.indexOf(' ') + 67);
}

/**
 * Throws `TreeInvalid` unless a path is well-formed Unicode of at most 1024 bytes, without control
 * characters, whose parts are not empty, `.` or `..`: safe to lay out below any directory.
 */
export function checkPath(path: string): void {
  if (unsafe.test(path)) throw invalid(`unsafe path ${quoted(path)}`);
  if (!path.isWellFormed()) throw invalid(`path ${quoted(path)} is not Unicode`);
  // A UTF-16 unit makes at most three bytes.
  if (path.length * 3 > maxPathBytes && Buffer.byteLength(path) > maxPathBytes) {
    throw invalid(`a path is longer than ${maxPathBytes} bytes: ${quoted(path)}`);
  }
}

/** The text of bytes from a tree; throws `TreeInvalid` for what isn't UTF-8. */
export function decodeLines(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw invalid('a tree must be UTF-8');
  return bytes.toString('utf8');
}

export function invalid(message: string): CairnError {
  return new CairnError('TreeInvalid', message);
}

/** At most a line's worth, and no raw control characters, in messages for people. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
