import { CairnError } from '../crds/reasons.ts';
import type { Stanza } from './deb822.ts';
import { safePath } from './path.ts';

/** The hash sections of a Release file, weakest first, with the digits of their hashes. */
export const hashLengths = { MD5Sum: 32, SHA1: 40, SHA256: 64, SHA512: 128 } as const;
export type HashName = keyof typeof hashLengths;

/** A file that a Release lists: path relative to the Release, size in bytes, hashes in hex. */
export interface ReleaseFile {
  readonly path: string;
  readonly size: number;
  readonly hashes: { readonly [Name in HashName]?: string };
}

/** No index of an archive comes near: a size above it is a mistake or an attack. */
export const maxFileSize = 2 ** 40;
const maxFiles = 500_000;

interface OpenFile {
  readonly path: string;
  readonly size: number;
  readonly hashes: { [Name in HashName]?: string };
}

/**
 * What the hash sections of a Release list. Like apt it does not count what has MD5 and SHA-1
 * hashes only. Throws `ReleaseInvalid`, or `PathUnsafe` for a path that leaves the archive.
 */
export function parseReleaseFiles(stanza: Stanza): Map<string, ReleaseFile> {
  if (stanza.get('SHA256') === undefined && stanza.get('SHA512') === undefined) {
    throw onlyWeak('it has neither a SHA256 nor a SHA512 section');
  }
  const files = new Map<string, OpenFile>();
  for (const name of hashNames) addSection(files, stanza, name);
  for (const [path, { hashes }] of files) {
    if (hashes.SHA256 || hashes.SHA512) continue;
    files.delete(path);
    if (files.size === 0) throw onlyWeak('its SHA256 and SHA512 sections are empty');
  }
  return files;
}

function onlyWeak(what: string): CairnError {
  const message = `Release has no hashes to rely on, for ${what}; MD5 and SHA-1 prove nothing`;
  return new CairnError('ReleaseInvalid', message);
}

const hashNames = ['MD5Sum', 'SHA1', 'SHA256', 'SHA512'] as const satisfies HashName[];

function addSection(files: Map<string, OpenFile>, stanza: Stanza, name: HashName): void {
  const field = stanza.field(name);
  if (!field) return;
  for (const [index, line] of field.value.split('\n').entries()) {
    if (line.trim() !== '') addEntry(files, name, line, field.line + index);
  }
}

function addEntry(
  files: Map<string, OpenFile>,
  name: HashName,
  line: string,
  number: number,
): void {
  const [hash = '', digits = '', named, ...more] = line.trim().split(/[ \t]+/);
  if (named === undefined || more.length > 0) {
    throw invalid(number, `expected "hash size path" in ${name}`);
  }
  const path = safePath(named);
  const size = parseSize(digits);
  if (size === undefined) throw invalid(number, `${path} has the impossible size ${shown(digits)}`);
  if (hash.length !== hashLengths[name] || !/^[0-9a-fA-F]+$/.test(hash)) {
    throw invalid(number, `${path} has no ${name} of ${hashLengths[name]} hex digits`);
  }
  put(files, { path, size, hashes: {} }, number).hashes[name] = agreed(
    files.get(path)?.hashes[name],
    hash.toLowerCase(),
    () => invalid(number, `${path} is listed with two ${name} hashes`),
  );
}

function put(files: Map<string, OpenFile>, file: OpenFile, number: number): OpenFile {
  const known = files.get(file.path);
  if (known && known.size !== file.size) {
    throw invalid(number, `${file.path} is listed with the sizes ${known.size} and ${file.size}`);
  }
  if (known) return known;
  if (files.size >= maxFiles) throw invalid(number, `more than ${maxFiles} files`);
  files.set(file.path, file);
  return file;
}

function agreed(known: string | undefined, hash: string, disagreement: () => Error): string {
  if (known !== undefined && known !== hash) throw disagreement();
  return hash;
}

/** Bytes, or undefined for what is no size that a file of an archive can have. */
export function parseSize(digits: string): number | undefined {
  if (!/^[0-9]{1,15}$/.test(digits)) return undefined;
  const size = Number(digits);
  return size <= maxFileSize ? size : undefined;
}

function invalid(line: number, problem: string): CairnError {
  return new CairnError('ReleaseInvalid', `line ${line}: ${problem}`);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
