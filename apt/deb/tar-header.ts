/** A block that describes what follows it: ustar, v7, or GNU's dialect. */
export interface TarHeader {
  /** As it is written, without what a header before this one says about it. */
  readonly path: string;
  readonly type: string;
  /** As it is written; see `storedSize`. */
  readonly size: number;
  /** For sparse files of the old GNU form: another block belongs to this header. */
  readonly continues: boolean;
}

/** What a file is beside its content, as its header has it. */
export interface TarAttributes {
  /** The twelve bits of chmod(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of links: where they lead; else ''. */
  readonly link: string;
}

/** Undefined when a number in it is none. */
export function parseAttributes(block: Buffer): TarAttributes | undefined {
  const mode = parseNumber(block.subarray(100, 108));
  const uid = parseNumber(block.subarray(108, 116));
  const gid = parseNumber(block.subarray(116, 124));
  if (mode === undefined || uid === undefined || gid === undefined) return undefined;
  return { mode: mode & 0o7777, uid, gid, link: textOf(block.subarray(157, 257)) };
}

/** A block of zeros ends an archive. */
export function isEnd(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Returns what is wrong instead, as a clause. */
export function parseHeader(block: Buffer): TarHeader | string {
  if (!hasRightSum(block)) return 'a tar header does not match its checksum';
  const size = parseNumber(block.subarray(124, 136));
  if (size === undefined) return 'a tar header has a size that no file can have';
  const type = block.toString('latin1', 156, 157);
  return { path: pathOf(block), type, size, continues: type === 'S' && block[482] === 1 };
}

/** Text up to the first NUL. Bytes that are no UTF-8 become U+FFFD. */
export function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function pathOf(block: Buffer): string {
  const name = textOf(block.subarray(0, 100));
  // GNU's dialect, with blanks after `ustar`, has other things in the place of the prefix.
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** The sum of all bytes, of which the field itself counts as blanks; some took bytes as signed. */
function hasRightSum(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let negative = 0;
  for (let at = 0; at < 512; at++) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    unsigned += byte;
    if (byte > 0x7f) negative += 256;
  }
  const written = parseNumber(block.subarray(148, 156));
  return written === unsigned || written === unsigned - negative;
}

/** Octal digits between blanks and NULs, or GNU's big-endian binary form. */
function parseNumber(field: Buffer): number | undefined {
  if (((field[0] ?? 0) & 0x80) !== 0) return parseBinary(field);
  const [, digits] = /^[ \0]*([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? [];
  return digits === undefined ? undefined : parseInt(`0${digits}`, 8);
}

function parseBinary(field: Buffer): number | undefined {
  const isNegative = field[0] !== 0x80;
  const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  return isNegative || !Number.isSafeInteger(value) ? undefined : value;
}
