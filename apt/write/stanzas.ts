/** The paragraphs of an index that we write, by package, version and architecture. */
import { hash } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import { compareVersions } from '../version.ts';

/** One package of an index: what tells it from others, and its paragraph. */
export interface Entry {
  readonly package: string;
  readonly version: string;
  /** `source` in a Sources index. */
  readonly architecture: string;
  /** With the line end of its last line; no empty line in or after it. */
  readonly text: string;
}

/**
 * The order in an index: by name, version and architecture, so that the same packages make the
 * same bytes. Versions that are equal though spelled differently are told apart by spelling.
 */
export function compareEntries(a: Entry, b: Entry): number {
  return (
    compareText(a.package, b.package) ||
    compareVersions(a.version, b.version) ||
    compareText(a.version, b.version) ||
    compareText(a.architecture, b.architecture)
  );
}

/** Whether two paragraphs are of the same files, whatever else they say. */
export function isSameContent(a: Entry, b: Entry): boolean {
  return a.text === b.text || (digestsOf(a) !== '' && digestsOf(a) === digestsOf(b));
}

/** The SHA-256 of a package, or of all parts of a source package. */
function digestsOf({ text }: Entry): string {
  return fieldOf(text, 'SHA256') ?? /^Checksums-Sha256:\n((?: .+\n)+)/m.exec(text)?.[1] ?? '';
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether a package with this name is the first of a block: one of about so many is. */
export function beginsBlock(name: string, packagesPerBlock: number): boolean {
  const digest = hash('sha256', name, 'buffer');
  return digest.readUInt32BE(0) < 2 ** 32 / packagesPerBlock;
}

/** The entries of a plain index that `joinEntries` has made. Throws `IndexInvalid`. */
export function splitEntries(plain: string): Entry[] {
  const entries: Entry[] = [];
  for (let start = 0; start < plain.length;) {
    const end = plain.indexOf('\n\n', start);
    if (end === -1) throw invalid('its last paragraph is cut off');
    entries.push(entryOf(plain.slice(start, end + 1)));
    start = end + 2;
  }
  return entries;
}

export function joinEntries(entries: readonly Entry[]): string {
  return entries.map(({ text }) => `${text}\n`).join('');
}

function entryOf(text: string): Entry {
  const name = fieldOf(text, 'Package');
  const version = fieldOf(text, 'Version');
  if (name === undefined || version === undefined) throw invalid('a paragraph says not of what');
  const isSource = fieldOf(text, 'Directory') !== undefined;
  const architecture = isSource ? 'source' : (fieldOf(text, 'Architecture') ?? '');
  return { package: name, version, architecture, text };
}

/** The value of a field on one line, as we write them: at the start of a line, in this spelling. */
export function fieldOf(text: string, name: string): string | undefined {
  const head = `${name}: `;
  const at = text.startsWith(head) ? 0 : text.indexOf(`\n${head}`) + 1;
  if (at === 0 && !text.startsWith(head)) return undefined;
  return text.slice(at + head.length, text.indexOf('\n', at));
}

function invalid(what: string): CairnError {
  return new CairnError('IndexInvalid', `an index of ours is damaged: ${what}`);
}
