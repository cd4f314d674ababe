import { isBlank } from '../blanks.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

/**
 * The bytes that a signature over a cleartext message covers (RFC 9580 section 7.2): lines end in
 * CRLF, blanks at their ends are stripped, and the last line end does not count.
 */
export function canonicalCleartext(text: string): Uint8Array {
  return withCrlf(Buffer.from(text.endsWith('\n') ? text.slice(0, -1) : text), true);
}

/** The bytes that a text signature (type 0x01) over a file covers: lines end in CRLF. */
export function canonicalText(bytes: Uint8Array): Uint8Array {
  return withCrlf(bytes, false);
}

/** One pass, since a regular expression takes quadratic time over a long run of blanks. */
function withCrlf(bytes: Uint8Array, strip: boolean): Uint8Array {
  const out = Buffer.allocUnsafe(bytes.length * 2 + 2);
  let length = 0;
  let start = 0;
  while (start <= bytes.length) {
    const found = bytes.indexOf(newline, start);
    const next = found === -1 ? bytes.length : found;
    const end = lineEnd(bytes, start, next, strip);
    out.set(bytes.subarray(start, end), length);
    length += end - start;
    if (found === -1) break;
    out[length] = carriageReturn;
    out[length + 1] = newline;
    length += 2;
    start = next + 1;
  }
  return out.subarray(0, length);
}

function lineEnd(bytes: Uint8Array, start: number, next: number, strip: boolean): number {
  let end = next;
  if (!strip) return next < bytes.length && bytes[end - 1] === carriageReturn ? end - 1 : end;
  while (end > start && isBlank(bytes[end - 1] ?? 0)) end -= 1;
  return end;
}
