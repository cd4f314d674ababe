import { formatField, type ControlField } from '../deb/control.ts';
import { safePath } from '../path.ts';
import { dscFileName, type Dsc } from './dsc.ts';
import type { UploadFile } from './file-list.ts';

export interface SourcePlace {
  /** The folder of the pool that has the .dsc and its files, relative to the archive's root. */
  readonly directory: string;
  /** Both by default those of the first binary package that the .dsc lists. */
  readonly section?: string;
  readonly priority?: string;
}

/**
 * The paragraph of a Sources index, as apt-ftparchive and dpkg-scansources make it, without an empty
 * line after it: no signature, `Package` in place of `Source`, the .dsc among its own files. Throws
 * `PathUnsafe`.
 */
export function formatSource(dsc: Dsc, place: SourcePlace): string {
  const { control } = dsc;
  const listed = listedFor(control.get('Package-List'));
  const section = place.section ?? control.get('Section') ?? listed.section;
  const priority = place.priority ?? control.get('Priority') ?? listed.priority;
  const fields: ControlField[] = [
    { name: 'Package', value: dsc.source },
    ...control.fields.filter(({ name }) => !ofIndex.has(name.toLowerCase())),
    { name: 'Directory', value: safePath(place.directory) },
    ...(priority ? [{ name: 'Priority', value: priority }] : []),
    ...(section ? [{ name: 'Section', value: section }] : []),
    ...fileFields(dsc),
  ];
  return fields.map(formatField).join('');
}

const lists = [
  ['Files', 'md5'],
  ['Checksums-Sha1', 'sha1'],
  ['Checksums-Sha256', 'sha256'],
  ['Checksums-Sha512', 'sha512'],
] as const;

/** Written anew, whatever the .dsc has there. */
const ofIndex: ReadonlySet<string> = new Set([
  'package',
  'source',
  'directory',
  'priority',
  'section',
  'cairn-source', // reconcilers/repository/owners.ts
  ...lists.map(([field]) => field.toLowerCase()),
]);

/** Only lists that can name every file. */
function fileFields(dsc: Dsc): ControlField[] {
  const files: readonly UploadFile[] = [{ ...dsc.digests, name: dscFileName(dsc) }, ...dsc.files];
  return lists
    .filter(([, hash]) => files.every((file) => file[hash] !== undefined))
    .map(([name, hash]) => ({
      name,
      value: files.map((file) => `\n ${file[hash]} ${file.size} ${file.name}`).join(''),
    }));
}

/** Lines of the form `hello deb devel optional arch=any`. */
function listedFor(packageList = ''): { readonly section?: string; readonly priority?: string } {
  const [, , section, priority] = packageList.trim().split('\n', 1)[0]?.split(/\s+/) ?? [];
  return { ...(section && { section }), ...(priority && { priority }) };
}
