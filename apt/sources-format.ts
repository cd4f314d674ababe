import { CairnError } from '../crds/reasons.ts';
import { formatStanza, type Field } from './deb822.ts';

/** An entry of a `.sources` file for clients. */
export interface ClientSource {
  /** Lines to put above it, without `#`. */
  readonly comment?: string;
  readonly types: readonly ('deb' | 'deb-src')[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  /** Empty for flat repositories. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** Armored public keys, embedded into the entry. */
  readonly signedByKey?: string;
  readonly checkValidUntil?: false;
  readonly snapshot?: string;
  readonly trusted?: boolean;
}

/**
 * One paragraph in deb822 style (sources.list(5)), ending in a newline; put an empty line between
 * two of them. Throws `ConfigInvalid` for a value with blanks, which would be read as two.
 */
export function formatDeb822Source(source: ClientSource): string {
  const fields = [
    list('Types', source.types),
    list('URIs', source.uris),
    list('Suites', source.suites),
    list('Components', source.components),
    list('Architectures', source.architectures),
    list('Snapshot', source.snapshot === undefined ? [] : [source.snapshot]),
    list('Trusted', source.trusted ? ['yes'] : []),
    list('Check-Valid-Until', source.checkValidUntil === false ? ['no'] : []),
    signedBy(source.signedByKey),
  ];
  return commentLines(source.comment) + formatStanza(fields.flat());
}

/** The field, or none for an empty list. */
function list(name: string, values: readonly string[]): Field[] {
  const wrong = values.find((value) => !/^[\x21-\x7e]+$/.test(value));
  if (wrong !== undefined) {
    throw new CairnError('ConfigInvalid', `${JSON.stringify(wrong)} cannot stand in ${name}`);
  }
  return values.length === 0 ? [] : [{ name, value: values.join(' ') }];
}

function signedBy(armored: string | undefined): Field[] {
  return armored === undefined ? [] : [{ name: 'Signed-By', value: `\n${armored.trim()}` }];
}

function commentLines(comment: string | undefined): string {
  if (comment === undefined) return '';
  const lines = comment.trimEnd().split('\n');
  return lines.map((line) => `# ${line}`.trimEnd() + '\n').join('');
}
