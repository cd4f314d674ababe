import type { ControlParagraph } from '../deb/control.ts';
import { shown } from '../deb/invalid.ts';
import { requireVersion, sourceOf } from '../deb/names.ts';
import { fileLists, readFileList, type UploadFile } from './file-list.ts';
import { readSigned, type ReadUploadOptions } from './signed.ts';

/** What belongs together in an upload (deb-changes(5)), or what came out of a build. */
export interface Changes {
  readonly source: string;
  /** Of the source package; other than `version` for rebuilds of binaries only. */
  readonly sourceVersion: string;
  readonly version: string;
  /** `source` among them when the source package is uploaded too. */
  readonly architectures: readonly string[];
  readonly files: readonly UploadFile[];
  readonly control: ControlParagraph;
  readonly signedBy: readonly string[];
}

/** A .changes also says where the upload shall go. */
export interface UploadChanges extends Changes {
  /** Names of suites, mostly one. */
  readonly distributions: readonly string[];
}

/** Reads a .changes, signed or not. Throws `PackageInvalid`, `SignatureInvalid`. */
export async function readChanges(
  bytes: Uint8Array,
  options: ReadUploadOptions = {},
): Promise<UploadChanges> {
  const { control, signedBy } = await readSigned(bytes, 'the .changes', options);
  return {
    ...identify(control),
    distributions: wordsOf(control, 'Distribution', suite),
    files: readFileList(control, fileLists.changes),
    control,
    signedBy,
  };
}

/** Reads a .buildinfo (deb-buildinfo(5)), signed or not. Throws as `readChanges` does. */
export async function readBuildinfo(
  bytes: Uint8Array,
  options: ReadUploadOptions = {},
): Promise<Changes> {
  const { control, signedBy } = await readSigned(bytes, 'the .buildinfo', options);
  const files = readFileList(control, fileLists.buildinfo);
  return { ...identify(control), files, control, signedBy };
}

type Identity = Pick<Changes, 'source' | 'sourceVersion' | 'version' | 'architectures'>;

function identify(control: ControlParagraph): Identity {
  const version = requireVersion(control);
  return {
    ...sourceOf(control, { source: control.required('Source'), sourceVersion: version }),
    version,
    architectures: wordsOf(control, 'Architecture', architecture),
  };
}

const architecture = /^[a-z0-9][a-z0-9-]{0,119}$/;
const suite = /^[A-Za-z0-9][A-Za-z0-9+._~-]{0,119}(\/[A-Za-z0-9][A-Za-z0-9+._~-]{0,119})*$/;
const maxWords = 1000;

function wordsOf(control: ControlParagraph, field: string, form: RegExp): string[] {
  const words = control.required(field).trim().split(/\s+/);
  if (words.length > maxWords) throw control.invalid(field, `more than ${maxWords} words`);
  const wrong = words.find((word) => !form.test(word));
  if (wrong === undefined) return words;
  throw control.invalid(field, `expected names in it, not ${shown(wrong)}`);
}
