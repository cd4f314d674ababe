import { invalid, quoted } from '../failure.ts';
import type { SourceFacts } from '../request.ts';
import { packageNamePattern } from './names.ts';

/** The largest that is taken; the kernel's has 3 MiB. */
export const maxChangelogBytes = 16 * 1024 * 1024;

export interface ChangelogHead {
  readonly sourceName: string;
  readonly version: string;
  /** The line that the entry starts in. */
  readonly line: number;
}

const file = 'debian/changelog';
const header = /^(\S+) \(([^()\s]{1,200})\)((?: +[A-Za-z0-9][A-Za-z0-9.+_-]*)+) *;(.*)$/;
const trailer =
  /^ -- (.{0,500}?) ?<([^<>]{0,500})> {2}((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [ 0-3]?\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [+-]\d{4})\s*$/;

/**
 * Reads the newest entry of a changelog (deb-changelog(5)): the one that says what the package and
 * its version are called. Older entries may be as they are. Throws with the number of the line.
 */
export function readChangelogHead(text: string): ChangelogHead {
  const lines = linesOf(text);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw invalid(file, 'it is empty; expected an entry');
  const head = header.exec(lines[first] ?? '');
  const [, sourceName = '', version = ''] = head ?? [];
  if (!head || !packageNamePattern.test(sourceName)) {
    const expected = 'expected "package (version) distribution; urgency=medium"';
    throw invalid(`${file}:${first + 1}`, `${expected}; found ${quoted(lines[first] ?? '')}`);
  }
  checkBody(lines, first + 1);
  return { sourceName, version, line: first + 1 };
}

/** From after the header to the trailer, which must be there before anything else starts. */
function checkBody(lines: readonly string[], from: number): void {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.startsWith('  ')) continue;
    if (trailer.test(line)) return;
    const expected = line.startsWith(' --')
      ? 'expected " -- Name <address>  Mon, 02 Jan 2006 15:04:05 +0000"'
      : 'expected a change, indented by two blanks, or the line that ends the entry, " -- Name <address>  date"';
    throw invalid(`${file}:${at + 1}`, `${expected}; found ${quoted(line)}`);
  }
  throw invalid(
    `${file}:${lines.length}`,
    'the entry has no end: expected " -- Name <address>  date"',
  );
}

/** Enough lines for the longest entry that people write. */
function linesOf(text: string): string[] {
  return text
    .slice(0, 1024 * 1024)
    .replace(/\n+$/, '')
    .split('\n', 20_000);
}

export interface Entry {
  readonly sourceName: string;
  readonly version: string;
  readonly distribution: string;
  readonly maintainer: string;
  readonly source: SourceFacts;
}

/** A changelog entry that says which commit was built, dated as the commit is. */
export function formatEntry(entry: Entry): string {
  const { source } = entry;
  const by = oneLine(source.author);
  const what = `${oneLine(source.subject) || '(no subject)'}${by === '' ? '' : ` (${by})`}`;
  return [
    `${entry.sourceName} (${entry.version}) ${entry.distribution}; urgency=medium`,
    '',
    ...wrapped(`Commit ${source.commit} of ${publicUrl(source.url)}:`, '  * '),
    ...wrapped(what, '    '),
    '',
    ` -- ${entry.maintainer}  ${changelogDate(source.date)}`,
    '',
    '',
  ].join('\n');
}

/** RFC 5322, in UTC, as dpkg writes it. */
export function changelogDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace(/GMT$/, '+0000');
}

/** A URL without who may use it. */
export function publicUrl(url: string): string {
  const plain = oneLine(url).replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1');
  return plain.replace(/[?#].*$/, '');
}

/**
 * What a stranger wrote, on one line: no control characters, none that turn text around, and no
 * word that dpkg-genchanges would take for an order to close a bug.
 */
function oneLine(text: string): string {
  return text
    .slice(0, 500)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]+/g, ' ')
    .toWellFormed()
    .replace(/(closes|lp)\s*:/gi, '$1')
    .trim();
}

/** Lines of at most 78 characters, unless a word is longer. */
function wrapped(text: string, first: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(/\s+/)) {
    if (line.trim() !== '' && line.trim() !== '*' && line.length + 1 + word.length > 78) {
      lines.push(line);
      line = `    ${word}`;
    } else line += line.endsWith(' ') ? word : ` ${word}`;
  }
  return [...lines, line];
}
