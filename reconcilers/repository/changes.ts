import { readChanges, type UploadChanges } from '../../apt/upload.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { UploadFile } from '../../crds/upload.ts';
import type { BlobReader } from '../../depot/depot.ts';

const maxBytes = 16 * 1024 * 1024;

export interface NamedChanges extends UploadChanges {
  /** Of the file itself. */
  readonly name: string;
}

/** Reads the .changes among files, if there is one. Throws `PackageInvalid`, for two as well. */
export async function changesAmong(
  files: readonly UploadFile[],
  blobs: BlobReader,
): Promise<NamedChanges | undefined> {
  const [file, other] = files.filter(({ name }) => name.endsWith('.changes'));
  if (!file) return undefined;
  if (other) throw invalid(`${file.name} and ${other.name}: expected one .changes at a time`);
  const { name, sha256 } = file;
  return { name, ...(await readChanges(await blobs.bytes(sha256, maxBytes), { name })) };
}

/** Throws `PackageInvalid` unless a .changes lists exactly the files that came with it. */
export function checkListed(
  { name: changes, files }: NamedChanges,
  given: ReadonlyMap<string, UploadFile>,
): void {
  for (const { name, size, sha256 } of files) {
    const file = given.get(name);
    if (!file) throw invalid(`${name}, which ${changes} lists, is missing`);
    if (file.sha256 !== sha256 || file.size !== size) {
      throw invalid(`${name} is not the one that ${changes} lists`);
    }
  }
  const listed = new Set(files.map(({ name }) => name));
  for (const name of given.keys()) {
    if (name !== changes && !listed.has(name)) throw invalid(`${changes} does not list ${name}`);
  }
}

function invalid(message: string): CairnError {
  return new CairnError('PackageInvalid', message);
}
