import { CairnError } from '../crds/reasons.ts';

const maxLength = 1024;

/**
 * A path that an archive names, relative to the archive, after a leading `./` is taken off (flat
 * repositories write it). Throws `PathUnsafe` when it is empty, absolute or longer than 1024
 * characters, and when it has an empty, `.` or `..` part, a backslash, a control character or what
 * was no UTF-8 (requests have to be able to name it):
 * nothing that an upstream writes may ever point outside of its own tree.
 */
export function safePath(path: string): string {
  const clean = withoutDot(path);
  const problem = problemOf(clean);
  if (problem) throw new CairnError('PathUnsafe', `path ${quoted(path)} ${problem}`);
  return clean;
}

/** Takes off one `./`, or all of them when there are several. */
function withoutDot(path: string): string {
  let start = 0;
  while (path.startsWith('./', start)) start += 2;
  return start === 0 ? path : path.slice(start);
}

/** One pass over the characters: this runs for every package of an archive. */
function problemOf(path: string): string | undefined {
  if (path.length === 0) return 'is empty';
  if (path.length > maxLength) return `is longer than ${maxLength} characters`;
  let partStart = 0;
  for (let at = 0; at <= path.length; at++) {
    const code = at === path.length ? slash : path.charCodeAt(at);
    if (code === slash) {
      if (at === partStart) return at === 0 ? 'is absolute' : 'has an empty part';
      if (isDots(path, partStart, at)) return 'has a part that is . or ..';
      partStart = at + 1;
    } else if (code < 0x20 || code === 0x7f) {
      return 'has a control character';
    } else if (code === backslash) {
      return 'has a backslash';
    } else if (code === replacement) {
      return 'is not UTF-8';
    }
  }
  return undefined;
}

const slash = 0x2f;
const backslash = 0x5c;
const dot = 0x2e;
/** What decoding puts in place of bytes that are none. */
const replacement = 0xfffd;

function isDots(path: string, start: number, end: number): boolean {
  if (end - start > 2 || path.charCodeAt(start) !== dot) return false;
  return end - start === 1 || path.charCodeAt(start + 1) === dot;
}

function quoted(path: string): string {
  return JSON.stringify(path.length > 120 ? `${path.slice(0, 120)}…` : path);
}
