import { createHash } from 'node:crypto';
import { safePath } from '../path.ts';
import { formatField, type ControlField } from './control.ts';
import type { Deb } from './read.ts';

/**
 * The paragraph of a Packages index, as apt-ftparchive makes it, without an empty line after it: the
 * fields of the control file as they are there, then what it is as a file, and Description-md5.
 * `filename` is relative to the archive's root; throws `PathUnsafe`.
 */
export function formatPackage(deb: Deb, filename: string): string {
  const own = deb.control.fields.filter(({ name }) => !ofIndex.has(name.toLowerCase()));
  const description = deb.control.get('Description');
  const fields: ControlField[] = [
    ...own,
    { name: 'Filename', value: safePath(filename) },
    { name: 'Size', value: String(deb.size) },
    { name: 'MD5sum', value: deb.md5 },
    { name: 'SHA1', value: deb.sha1 },
    { name: 'SHA256', value: deb.sha256 },
    { name: 'SHA512', value: deb.sha512 },
    ...(description ? [{ name: 'Description-md5', value: descriptionMd5(description) }] : []),
  ];
  return fields.map(formatField).join('');
}

/** Fields that only the index, or dpkg's own status file, may fill. A control file has no say. */
const ofIndex: ReadonlySet<string> = new Set([
  'filename',
  'msdos-filename',
  'size',
  'md5sum',
  'sha1',
  'sha256',
  'sha512',
  'description-md5',
  'status',
  'config-version',
  'conffiles',
  'cairn-source', // reconcilers/repository/owners.ts
]);

/** Of the whole description with its line ends, which apt finds translations by. */
function descriptionMd5(description: string): string {
  return createHash('md5').update(`${description}\n`).digest('hex');
}
