import { CairnError } from '../crds/reasons.ts';
import { withoutTrailingBlanks } from './blanks.ts';

const maxBytes = 16 * 1024 * 1024;
const maxLine = 64 * 1024;

const messageBegin = '-----BEGIN PGP SIGNED MESSAGE-----';
const signatureBegin = '-----BEGIN PGP SIGNATURE-----';
const signatureEnd = '-----END PGP SIGNATURE-----';

export interface Cleartext {
  /** The signed text, dash-escapes undone, line ends as in the file. Nothing else may be trusted. */
  readonly text: string;
  /** The armored signature blocks, at least one. */
  readonly signatures: readonly string[];
}

/**
 * Takes an InRelease apart (RFC 9580 section 7), as strictly as apt: it starts with the message,
 * ends with its signatures, and has nothing in between or after, for such lines would be read as
 * signed although they are not (CVE-2013-1051). At most 16 MiB, lines of at most 64 KiB. Throws
 * `ReleaseInvalid` or `TooLarge`, with `name` for the file; says nothing about whether the signatures
 * are good.
 */
export function splitCleartext(inRelease: Uint8Array | string, name = 'InRelease'): Cleartext {
  const lines = linesOf(inRelease, name);
  if (withoutTrailingBlanks(lines[0] ?? '') !== messageBegin) {
    throw invalid(1, `${name} does not start with ${messageBegin}`);
  }
  const bodyStart = skipHeaders(lines, name);
  const bodyEnd = lines.findIndex(
    (line, index) => index >= bodyStart && withoutTrailingBlanks(line) === signatureBegin,
  );
  if (bodyEnd === -1) throw invalid(lines.length, `${name} has no signature`);
  const body = lines.slice(bodyStart, bodyEnd).map((line, at) => unescape(line, bodyStart + at));
  return {
    text: body.map((line) => `${line}\n`).join(''),
    signatures: signatureBlocks(lines, bodyEnd),
  };
}

/**
 * The armored signature blocks of a Release.gpg. Like apt it refuses binary signatures and lines
 * that belong to no signature. Throws `ReleaseInvalid` or `TooLarge`.
 */
export function splitSignatures(releaseGpg: Uint8Array | string): string[] {
  const lines = linesOf(releaseGpg, 'Release.gpg');
  if (withoutTrailingBlanks(lines[0] ?? '') !== signatureBegin) {
    throw invalid(1, `Release.gpg does not start with ${signatureBegin}: it must be ASCII-armored`);
  }
  return signatureBlocks(lines, 0);
}

/** Lines without their `\n`, and without the empty one after the last `\n`. */
function linesOf(file: Uint8Array | string, name: string): string[] {
  if (file.length > maxBytes) {
    throw new CairnError('TooLarge', `${name} is larger than ${maxBytes} bytes`);
  }
  const lines = (typeof file === 'string' ? file : decode(file, name)).split('\n');
  const long = lines.findIndex((line) => line.length > maxLine);
  if (long !== -1) throw invalid(long + 1, `longer than ${maxLine} characters`);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CairnError('ReleaseInvalid', `${name} is not UTF-8 text`, { cause });
  }
}

/** The index of the first line of the body, after the armor headers and an empty line. */
function skipHeaders(lines: readonly string[], name: string): number {
  for (const [index, line] of lines.entries()) {
    if (index === 0) continue;
    const header = withoutTrailingBlanks(line);
    if (header === '') return index + 1;
    // Any other header is an error for gpgv too: NotDashEscaped would change what is signed.
    if (!header.startsWith('Hash: ')) throw invalid(index + 1, 'expected a "Hash:" armor header');
  }
  throw invalid(lines.length, `${name} ends within its armor headers`);
}

function unescape(line: string, index: number): string {
  if (!line.startsWith('-')) return line;
  if (line.startsWith('- ')) return line.slice(2);
  throw invalid(index + 1, 'starts with a dash that is not escaped');
}

/** From line `start` on there must be signature blocks and nothing else but empty lines. */
function signatureBlocks(lines: readonly string[], start: number): string[] {
  const blocks: string[] = [];
  let open: string[] | undefined;
  for (let index = start; index < lines.length; index++) {
    const line = withoutTrailingBlanks(lines[index] ?? '');
    if (open) {
      open.push(line);
      if (line === signatureEnd) blocks.push(`${open.join('\n')}\n`);
      if (line === signatureEnd) open = undefined;
      else if (line.startsWith('-')) throw invalid(index + 1, 'does not belong in a signature');
    } else if (line === signatureBegin) {
      open = [line];
    } else if (line !== '') {
      throw invalid(index + 1, 'belongs to no signature');
    }
  }
  if (open) throw invalid(lines.length, 'the file ends within a signature');
  return blocks;
}

function invalid(line: number, problem: string): CairnError {
  return new CairnError('ReleaseInvalid', `line ${line}: ${problem}`);
}
