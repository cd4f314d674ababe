import type { ControlParagraph } from '../deb/control.ts';
import { shown } from '../deb/invalid.ts';

/** A file that a .dsc, .changes or .buildinfo names: one beside it, size in bytes, hex hashes. */
export interface UploadFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly md5?: string;
  readonly sha1?: string;
  readonly sha512?: string;
  /** What a .changes says about it, if it does. */
  readonly section?: string;
  readonly priority?: string;
}

/** A field with a line per file: `hash size name`, or with section and priority before the name. */
interface ListField {
  readonly field: string;
  readonly hash: 'md5' | 'sha1' | 'sha256' | 'sha512';
  readonly isRequired?: boolean;
  readonly hasSections?: boolean;
}

const checksums: readonly ListField[] = [
  { field: 'Checksums-Sha256', hash: 'sha256', isRequired: true },
  { field: 'Checksums-Sha1', hash: 'sha1' },
  { field: 'Checksums-Sha512', hash: 'sha512' },
];

/** Which fields list the files of a .dsc, .changes or .buildinfo. */
export const fileLists = {
  dsc: [...checksums, { field: 'Files', hash: 'md5', isRequired: true }],
  changes: [...checksums, { field: 'Files', hash: 'md5', isRequired: true, hasSections: true }],
  buildinfo: [...checksums, { field: 'Checksums-Md5', hash: 'md5' }],
} as const satisfies Record<string, readonly ListField[]>;

const digits = { md5: 32, sha1: 40, sha256: 64, sha512: 128 } as const;

const maxFiles = 10_000;
const maxName = 255;

/**
 * The files, in the order of Checksums-Sha256. All lists have to name the same files with the same
 * sizes, and each file once. Throws `PackageInvalid`.
 */
export function readFileList(
  control: ControlParagraph,
  lists: readonly ListField[],
): readonly UploadFile[] {
  let files: ReadonlyMap<string, UploadFile> | undefined;
  for (const list of lists) {
    if (!list.isRequired && control.get(list.field) === undefined) continue;
    const entries = readList(control, list);
    files = files ? joined(control, list, files, entries) : asFiles(entries);
  }
  return [...(files?.values() ?? [])];
}

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly hash: string;
  readonly section?: string;
  readonly priority?: string;
}

/** The first list is that of the SHA-256 hashes. */
function asFiles(entries: ReadonlyMap<string, Entry>): Map<string, UploadFile> {
  return new Map(
    [...entries].map(([name, { size, hash }]) => [name, { name, size, sha256: hash }]),
  );
}

function joined(
  control: ControlParagraph,
  list: ListField,
  files: ReadonlyMap<string, UploadFile>,
  entries: ReadonlyMap<string, Entry>,
): Map<string, UploadFile> {
  const missing = [...files.keys()].find((name) => !entries.has(name));
  if (missing) throw control.invalid(list.field, `it lacks ${missing} of Checksums-Sha256`);
  const all = new Map<string, UploadFile>();
  for (const [name, { size, hash, section, priority }] of entries) {
    const file = files.get(name);
    if (!file) throw control.invalid(list.field, `${name} is not in Checksums-Sha256`);
    if (file.size !== size) throw control.invalid(list.field, `another size of ${name}`);
    const said = { ...(section && { section }), ...(priority && { priority }) };
    all.set(name, { ...file, [list.hash]: hash, ...said });
  }
  return all;
}

function readList(control: ControlParagraph, list: ListField): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const line of control.required(list.field).split('\n')) {
    if (line.trim() === '') continue;
    const entry = readLine(line, list);
    if (typeof entry === 'string') throw control.invalid(list.field, entry);
    if (entries.has(entry.name)) throw control.invalid(list.field, `${entry.name} comes twice`);
    if (entries.size >= maxFiles) throw control.invalid(list.field, `more than ${maxFiles} files`);
    entries.set(entry.name, entry);
  }
  return entries;
}

/** `non-free/libs`, or `-` for nothing. */
const isSaid = /^(-|[A-Za-z0-9][A-Za-z0-9+_-]*(\/[A-Za-z0-9][A-Za-z0-9+_-]*)?)$/;

/** Returns what is wrong instead. */
function readLine(line: string, { hash: kind, hasSections }: ListField): Entry | string {
  const words = line.trim().split(/[ \t]+/);
  const [hash = '', size = '', ...rest] = words;
  const [section, priority] = hasSections ? rest : [];
  const name = rest.at(-1) ?? '';
  if (words.length !== (hasSections ? 5 : 3)) {
    const form = hasSections ? 'hash size section priority name' : 'hash size name';
    return `expected "${form}", not ${shown(line.trim())}`;
  }
  if (hash.length !== digits[kind] || !/^[0-9a-f]+$/i.test(hash)) {
    return `expected ${digits[kind]} hex digits, not ${shown(hash)}`;
  }
  if (!/^[0-9]{1,15}$/.test(size)) return `${shown(size)} is no size of a file`;
  // The names that dpkg allows: no folders, no dot in front, nothing that a shell or URL minds.
  if (name.length > maxName || !/^[0-9A-Za-z][-+:.,=0-9A-Za-z_~]*$/.test(name)) {
    return `${shown(name)} is no name that a file may have here`;
  }
  const odd = [section, priority].find((word) => word !== undefined && !isSaid.test(word));
  if (odd !== undefined) return `${shown(odd)} is no section or priority`;
  return {
    name,
    size: Number(size),
    hash: hash.toLowerCase(),
    ...(section !== undefined && section !== '-' && { section }),
    ...(priority !== undefined && priority !== '-' && { priority }),
  };
}
