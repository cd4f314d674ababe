import { CairnError } from '../crds/reasons.ts';
import { withoutTrailingBlanks } from './blanks.ts';
import { formatStanza, type Field } from './deb822.ts';
import { formatReleaseDate } from './release-date.ts';

export interface Reissue {
  readonly date: Date;
  /** Left out: the new Release never expires, whatever the old one said. */
  readonly validUntil?: Date;
  /** Fields to set, in place of the upstream's of the same names. */
  readonly extraFields?: readonly Field[];
}

/** `Signed-By` binds clients to the upstream's keys, `Snapshots` sends them to its snapshots. */
const dropped = ['valid-until', 'signed-by', 'snapshots'];

/**
 * An upstream's Release text under a new Date and Valid-Until, to be signed again. Every other line
 * stays as it is, for apt refuses a Release whose Origin, Label or Codename changed; trailing
 * blanks go, since signatures do not cover them (RFC 9580 section 7.2).
 */
export function reissue(releaseText: string, fresh: Reissue): string {
  const replaced = new Set([...dropped, ...names(fresh.extraFields ?? [])]);
  const inserted = formatStanza([
    { name: 'Date', value: formatReleaseDate(fresh.date) },
    ...(fresh.validUntil
      ? [{ name: 'Valid-Until', value: formatReleaseDate(fresh.validUntil) }]
      : []),
    ...(fresh.extraFields ?? []),
  ]);
  let dated = false;
  const kept = fieldsOf(releaseText).map(({ name, text }) => {
    if (name !== 'date') return replaced.has(name) ? '' : text;
    if (dated) return '';
    dated = true;
    return inserted;
  });
  if (!dated) throw new CairnError('ReleaseInvalid', 'Release has no Date field');
  return kept.join('');
}

function names(fields: readonly Field[]): string[] {
  return fields.map(({ name }) => name.toLowerCase());
}

interface RawField {
  readonly name: string;
  /** With its continuation lines and line ends. */
  readonly text: string;
}

/** The fields of the only paragraph, as they are written. */
function fieldsOf(text: string): RawField[] {
  const fields: { name: string; text: string }[] = [];
  for (const line of text.split('\n').map(withoutTrailingBlanks)) {
    if (line === '') continue;
    const last = fields.at(-1);
    if (last && /^[ \t#]/.test(line)) last.text += `${line}\n`;
    else fields.push({ name: nameOf(line), text: `${line}\n` });
  }
  return fields;
}

function nameOf(line: string): string {
  return line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
}
