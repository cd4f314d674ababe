import type { ControlParagraph } from '../deb/control.ts';
import type { Digests } from '../deb/hashing-reader.ts';
import { requirePackageName, requireVersion } from '../deb/names.ts';
import { fileLists, readFileList, type UploadFile } from './file-list.ts';
import { readSigned, type ReadUploadOptions } from './signed.ts';

/** A source package (deb-src-control(5), dsc(5)). */
export interface Dsc {
  readonly source: string;
  readonly version: string;
  /** Its parts, without the .dsc itself. */
  readonly files: readonly UploadFile[];
  readonly control: ControlParagraph;
  readonly signedBy: readonly string[];
  /** Of the .dsc itself, as it came. */
  readonly digests: Digests;
}

/**
 * Reads a .dsc, signed or not. Throws `PackageInvalid` for what dpkg-source would not unpack or an
 * index can't list, and `SignatureInvalid`.
 */
export async function readDsc(bytes: Uint8Array, options: ReadUploadOptions = {}): Promise<Dsc> {
  const { control, signedBy, digests } = await readSigned(bytes, 'the .dsc', options);
  const format = control.required('Format');
  if (!/^[0-9]+\.[0-9]+( \([a-z0-9]+\))?$/.test(format)) {
    throw control.invalid('Format', 'expected one such as "3.0 (quilt)"');
  }
  const dsc = {
    source: requirePackageName(control, 'Source'),
    version: requireVersion(control),
    files: readFileList(control, fileLists.dsc),
  };
  const own = dscFileName(dsc);
  if (dsc.files.some(({ name }) => name === own)) {
    throw control.invalid('Files', `${own} can't list itself`);
  }
  return { ...dsc, control, signedBy, digests };
}

/** `hello_2.10-3.dsc`: the name that dpkg-source gives it; the epoch is no part of it. */
export function dscFileName({ source, version }: Pick<Dsc, 'source' | 'version'>): string {
  return `${source}_${version.slice(version.indexOf(':') + 1)}.dsc`;
}
