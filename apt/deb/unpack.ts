import { fromRoot } from './contents.ts';
import { invalid, shown } from './invalid.ts';
import type { DebLimits } from './limits.ts';
import { readTar, type OnEntry, type TarType } from './tar.ts';
import type { TarAttributes } from './tar-header.ts';

/** One file of a data.tar. */
export interface UnpackedFile extends TarAttributes {
  /** From the root, without a slash or `./` in front; never with a part `..`. */
  readonly path: string;
  readonly type: Exclude<TarType, 'backup' | 'sparse' | 'device'>;
  /** Empty but for files. */
  readonly content: Buffer;
}

/** Some files in the order of the archive; the next ones come when the promise is kept. */
export type TakeFiles = (files: readonly UnpackedFile[]) => Promise<void>;

/**
 * Hands over what a data.tar holds. No more than one piece of the archive, or one file of `maxFile` bytes, is in memory at
 * a time. Throws `PackageInvalid`, also for devices and files with holes, which no ordinary package has.
 */
export async function unpackFiles(
  chunks: AsyncIterable<Uint8Array>,
  member: string,
  { maxFiles, maxPath, maxFile }: DebLimits,
  take: TakeFiles,
): Promise<undefined> {
  let found: UnpackedFile[] = [];
  const onEntry: OnEntry = ({ path, type, size }, attributes) => {
    if (type === 'backup') return undefined;
    if (type === 'device' || type === 'sparse') {
      throw invalid(member, `${shown(path)} is a ${type}, which is not unpacked here`);
    }
    const clean = fromRoot(path);
    if (isOdd(clean)) throw invalid(member, `path ${shown(path)}`);
    if (size > maxFile) throw invalid(member, `${shown(path)} has more than ${maxFile} bytes`);
    const file = { ...attributes(), path: clean, type };
    if (type === 'link' && isOdd(fromRoot(file.link))) {
      throw invalid(member, `${shown(path)} is a link to ${shown(file.link)}`);
    }
    if (type !== 'file') return void found.push({ ...file, content: Buffer.alloc(0) });
    return (content) => void found.push({ ...file, content: Buffer.from(content) });
  };
  const hand = async () => {
    if (found.length === 0) return;
    const files = found;
    found = [];
    await take(files);
  };
  await readTar(chunks, onEntry, { name: member, maxEntries: maxFiles, maxPath, afterPiece: hand });
  return undefined;
}

/** Out of the root, or with characters that tools disagree about. The root itself is ''. */
function isOdd(path: string): boolean {
  return /(^|\/)\.\.(\/|$)|[\0-\x1f\x7f]/.test(path);
}
