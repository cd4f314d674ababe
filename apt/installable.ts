import { CairnError } from '../crds/reasons.ts';
import { safePath } from './path.ts';
import { hashLengths, parseSize } from './release-files.ts';
import { scanStanzas, type ScanOptions, type ScannedStanza } from './stanza-scan.ts';

/** What an index says of a binary package that matters to whoever wants to install it. */
export interface Installable {
  readonly package: string;
  readonly version: string;
  readonly isEssential: boolean;
  /** `required`, `important`, … (Policy 2.5); '' where the index does not say. */
  readonly priority: string;
  /** Pre-Depends and Depends, as they are written; see `parseRelations`. */
  readonly depends: string;
  readonly provides: string;
  /** From the archive's root. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Hex digits. */
  readonly sha256: string;
}

const fields = [
  ...['package', 'version', 'essential', 'priority', 'pre-depends', 'depends', 'provides'],
  ...['filename', 'size', 'sha256'],
];

/**
 * Hands over the packages of a Packages index, in its order, and returns their number. Throws `IndexInvalid` for
 * one that has no Package, Version, Filename, Size or SHA-256, and `PathUnsafe`.
 */
export function scanInstallable(
  chunks: AsyncIterable<Uint8Array>,
  onPackage: (one: Installable) => void,
  options?: ScanOptions,
): Promise<number> {
  return scanStanzas(chunks, fields, (stanza) => onPackage(installableOf(stanza)), options);
}

function installableOf(stanza: ScannedStanza): Installable {
  const text = (field: number) => stanza.value(field) ?? '';
  const lists = [text(4), text(5)].filter((list) => list !== '');
  const name = required(stanza, 0, 'Package');
  const size = parseSize(text(8));
  if (size === undefined) throw invalid(stanza, `${name} has no Size that a file can have`);
  const sha256 = required(stanza, 9, 'SHA256').toLowerCase();
  if (sha256.length !== hashLengths.SHA256 || !/^[0-9a-f]+$/.test(sha256)) {
    throw invalid(stanza, `${name} has no SHA256 of 64 hex digits`);
  }
  return {
    package: name,
    version: required(stanza, 1, 'Version'),
    isEssential: text(2) === 'yes',
    priority: text(3),
    depends: lists.join(', '),
    provides: text(6),
    path: safePath(required(stanza, 7, 'Filename')),
    ...{ size, sha256 },
  };
}

function required(stanza: ScannedStanza, field: number, label: string): string {
  const value = stanza.value(field);
  if (value) return value;
  throw invalid(stanza, `no ${label} field`);
}

function invalid(stanza: ScannedStanza, problem: string): CairnError {
  return new CairnError(
    'IndexInvalid',
    `the paragraph at line ${stanza.line}: ${problem.slice(0, 200)}`,
  );
}

/**
 * The names in a list of relations (Policy 7.1): one array for each, with its alternatives. Versions, and qualifiers such as
 * `:any`, are left out.
 */
export function parseRelations(text: string): readonly (readonly string[])[] {
  return text
    .split(',')
    .map((relation) =>
      relation.split('|').flatMap((part) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(part)?.[1] ?? []),
    )
    .filter((alternatives) => alternatives.length > 0);
}
