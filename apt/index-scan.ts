import { CairnError } from '../crds/reasons.ts';
import { safePath } from './path.ts';
import { hashLengths, parseSize, type HashName } from './release-files.ts';
import { scanStanzas, type ScanOptions, type ScannedStanza } from './stanza-scan.ts';

export { scanPackageFacts, scanSourceFacts, type PackageFacts } from './index-facts.ts';
export type { ScanOptions } from './stanza-scan.ts';

/** A file of the pool that an index names: path from the archive's root, size in bytes, hex hashes. */
export interface PoolFile {
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  readonly sha512?: string;
  readonly md5?: string;
  readonly sha1?: string;
}

const packageFields = ['package', 'filename', 'size', 'sha256', 'sha512', 'md5sum', 'sha1'];

/**
 * Hands over the files that a Packages index names, in its order, and returns their number. Throws
 * `IndexInvalid` for a package without Package, Filename, Size or a SHA-256 or SHA-512, which apt
 * would not install either, and `PathUnsafe`.
 */
export function scanPackages(
  chunks: AsyncIterable<Uint8Array>,
  onEntry: (file: PoolFile) => void,
  options?: ScanOptions,
): Promise<number> {
  return scanStanzas(chunks, packageFields, (stanza) => onEntry(packageFile(stanza)), options);
}

function packageFile(stanza: ScannedStanza): PoolFile {
  const name = stanza.value(0);
  if (!name) throw invalid(stanza, undefined, 'no Package field');
  const path = stanza.value(1);
  if (!path) throw invalid(stanza, name, 'no Filename');
  const size = parseSize(stanza.value(2) ?? '');
  if (size === undefined) throw invalid(stanza, name, 'no Size that a file can have');
  const file: Mutable<PoolFile> = { path: safePathOf(path, stanza, name), size };
  if (stanza.has(3)) file.sha256 = hash(stanza, name, 'SHA256', stanza.value(3));
  if (stanza.has(4)) file.sha512 = hash(stanza, name, 'SHA512', stanza.value(4));
  if (stanza.has(5)) file.md5 = hash(stanza, name, 'MD5Sum', stanza.value(5));
  if (stanza.has(6)) file.sha1 = hash(stanza, name, 'SHA1', stanza.value(6));
  if (!stanza.has(3) && !stanza.has(4)) throw invalid(stanza, name, 'neither SHA256 nor SHA512');
  return file;
}

type Mutable<Shape> = { -readonly [Key in keyof Shape]: Shape[Key] };

const sourceFields = [
  'package',
  'directory',
  'files',
  'checksums-sha1',
  'checksums-sha256',
  'checksums-sha512',
];

/**
 * Hands over the files that a Sources index names, and returns their number. Throws `IndexInvalid`
 * for a source package without Package, Directory or a SHA-256 or SHA-512 of each of its files, and
 * `PathUnsafe`.
 */
export async function scanSources(
  chunks: AsyncIterable<Uint8Array>,
  onEntry: (file: PoolFile) => void,
  options?: ScanOptions,
): Promise<number> {
  let count = 0;
  await scanStanzas(
    chunks,
    sourceFields,
    (stanza) => {
      for (const file of sourceFiles(stanza)) {
        count += 1;
        onEntry(file);
      }
    },
    options,
  );
  return count;
}

const checksumFields = [
  [4, 'SHA256', 'sha256'],
  [5, 'SHA512', 'sha512'],
  [2, 'MD5Sum', 'md5'],
  [3, 'SHA1', 'sha1'],
] as const;

function sourceFiles(stanza: ScannedStanza): Iterable<PoolFile> {
  const name = stanza.value(0);
  if (!name) throw invalid(stanza, undefined, 'no Package field');
  const directory = stanza.value(1);
  if (directory === undefined) throw invalid(stanza, name, 'no Directory');
  const files = new Map<string, Mutable<PoolFile>>();
  for (const [field, hashName, key] of checksumFields) {
    for (const line of (stanza.value(field) ?? '').split('\n')) {
      if (line.trim() === '') continue;
      const entry = checksumLine(line, stanza, name);
      const file = fileOf(files, entry, directory, stanza, name);
      file[key] = hash(stanza, name, hashName, entry.hash);
    }
  }
  if (files.size === 0) throw invalid(stanza, name, 'no files');
  for (const file of files.values()) {
    if (!file.sha256 && !file.sha512) {
      throw invalid(stanza, name, `neither SHA256 nor SHA512 of ${file.path}`);
    }
  }
  return files.values();
}

interface ChecksumLine {
  readonly hash: string;
  readonly size: number;
  readonly file: string;
}

/** ` hash size name`, where name is no path (Debian Policy 5.6.21). */
function checksumLine(line: string, stanza: ScannedStanza, name: string): ChecksumLine {
  const [hash = '', digits = '', file, ...more] = line.trim().split(/[ \t]+/);
  const size = parseSize(digits);
  if (!file || more.length > 0 || size === undefined || file.includes('/')) {
    throw invalid(
      stanza,
      name,
      `expected "hash size name", not ${JSON.stringify(line.trim().slice(0, 120))}`,
    );
  }
  return { hash, size, file };
}

function fileOf(
  files: Map<string, Mutable<PoolFile>>,
  { file, size }: ChecksumLine,
  directory: string,
  stanza: ScannedStanza,
  name: string,
): Mutable<PoolFile> {
  const known = files.get(file);
  if (known && known.size !== size) throw invalid(stanza, name, `two sizes of ${file}`);
  if (known) return known;
  const path = safePathOf(inDirectory(directory, file), stanza, name);
  const made = { path, size };
  files.set(file, made);
  return made;
}

/** Flat repositories write `.`, `./` or nothing for their own directory. */
function inDirectory(directory: string, file: string): string {
  const clean = directory.endsWith('/') ? directory.slice(0, -1) : directory;
  return clean === '' || clean === '.' ? file : `${clean}/${file}`;
}

function hash(
  stanza: ScannedStanza,
  name: string,
  kind: HashName,
  text: string | undefined,
): string {
  if (text?.length === hashLengths[kind] && /^[0-9a-f]+$/i.test(text)) return text.toLowerCase();
  throw invalid(stanza, name, `no ${kind} of ${hashLengths[kind]} hex digits`);
}

function safePathOf(path: string, stanza: ScannedStanza, name: string): string {
  try {
    return safePath(path);
  } catch (cause) {
    if (!(cause instanceof CairnError)) throw cause;
    const message = `package ${shown(name)} at line ${stanza.line}: ${cause.message}`;
    throw new CairnError(cause.reason, message, { cause });
  }
}

function invalid(stanza: ScannedStanza, name: string | undefined, problem: string): CairnError {
  const subject = name === undefined ? 'the paragraph' : `package ${shown(name)}`;
  return new CairnError('IndexInvalid', `${subject} at line ${stanza.line}: ${problem}`);
}

function shown(name: string): string {
  return name.slice(0, 120);
}
