import { CairnError } from '../crds/reasons.ts';
import { parseSize } from './release-files.ts';
import { scanStanzas, type ScanOptions, type ScannedStanza } from './stanza-scan.ts';

/** What a comparison of two archives asks of a package, binary or source. */
export interface PackageFacts {
  readonly package: string;
  readonly version: string;
  /** `source` for source packages. */
  readonly architecture: string;
  /** The name of its source package; its own where the index does not say. */
  readonly source: string;
  /** Where it differs from `version`. */
  readonly sourceVersion?: string;
  /** Of the .deb, or of the .dsc; its SHA-512 where the index gives no SHA-256. */
  readonly sha256: string;
  /** In bytes; of a source package, all its files together. */
  readonly size: number;
  readonly section?: string;
}

const packageFields = [
  'package',
  'version',
  'architecture',
  'source',
  'sha256',
  'sha512',
  'size',
  'section',
];

/** Hands over what a Packages index says about each package. Throws `IndexInvalid`. */
export function scanPackageFacts(
  chunks: AsyncIterable<Uint8Array>,
  onPackage: (facts: PackageFacts) => void,
  options?: ScanOptions,
): Promise<number> {
  return scanStanzas(chunks, packageFields, (stanza) => onPackage(packageFacts(stanza)), options);
}

function packageFacts(stanza: ScannedStanza): PackageFacts {
  const name = required(stanza, 0, undefined, 'Package');
  const version = required(stanza, 1, name, 'Version');
  const section = stanza.value(7);
  return {
    package: name,
    version,
    architecture: required(stanza, 2, name, 'Architecture'),
    ...sourceOf(stanza.value(3), name, version),
    sha256: stanza.value(4) ?? required(stanza, 5, name, 'SHA256'),
    size: sizeOf(required(stanza, 6, name, 'Size'), stanza, name),
    ...(section !== undefined && { section }),
  };
}

/** `Source: name (version)`, each of which is left out where it is the package's own. */
function sourceOf(
  field: string | undefined,
  name: string,
  version: string,
): Pick<PackageFacts, 'source' | 'sourceVersion'> {
  if (!field) return { source: name };
  const open = field.indexOf('(');
  if (open === -1) return { source: field };
  const source = field.slice(0, open).trim();
  const sourceVersion = field
    .slice(open + 1)
    .replace(/\)\s*$/, '')
    .trim();
  return sourceVersion === version ? { source } : { source, sourceVersion };
}

const sourceFields = ['package', 'version', 'checksums-sha256', 'checksums-sha512', 'section'];

/** The same for a Sources index. */
export function scanSourceFacts(
  chunks: AsyncIterable<Uint8Array>,
  onPackage: (facts: PackageFacts) => void,
  options?: ScanOptions,
): Promise<number> {
  return scanStanzas(chunks, sourceFields, (stanza) => onPackage(sourceFacts(stanza)), options);
}

function sourceFacts(stanza: ScannedStanza): PackageFacts {
  const name = required(stanza, 0, undefined, 'Package');
  const section = stanza.value(4);
  const checksums = stanza.value(2) ?? required(stanza, 3, name, 'Checksums-Sha256');
  const lines = checksums.split('\n').map((line) => line.trim().split(/[ \t]+/));
  const dsc = lines.find(([, , file]) => file?.endsWith('.dsc')) ?? lines[0];
  return {
    package: name,
    version: required(stanza, 1, name, 'Version'),
    architecture: 'source',
    source: name,
    sha256: dsc?.[0] ?? '',
    size: lines.reduce((sum, [, size = '']) => sum + sizeOf(size, stanza, name), 0),
    ...(section !== undefined && { section }),
  };
}

function required(
  stanza: ScannedStanza,
  field: number,
  name: string | undefined,
  label: string,
): string {
  const value = stanza.value(field);
  if (value) return value;
  throw invalid(stanza, name, `no ${label} field`);
}

function sizeOf(digits: string, stanza: ScannedStanza, name: string): number {
  const size = parseSize(digits);
  if (size === undefined) throw invalid(stanza, name, 'no size that a file can have');
  return size;
}

function invalid(stanza: ScannedStanza, name: string | undefined, problem: string): CairnError {
  const subject = name === undefined ? 'the paragraph' : `package ${name.slice(0, 120)}`;
  return new CairnError('IndexInvalid', `${subject} at line ${stanza.line}: ${problem}`);
}
