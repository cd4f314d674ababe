import type { DebLimits } from './limits.ts';
import { invalid, shown } from './invalid.ts';
import { readTar, type OnEntry, type TarEntry } from './tar.ts';

/**
 * The content of the file `control` of a control.tar, which holds plain files and maybe its own
 * folder (deb(5)). Anything else is refused, as is a file that comes twice: readers would disagree
 * on which of them counts. Throws `PackageInvalid`.
 */
export async function readControlFile(
  chunks: AsyncIterable<Uint8Array>,
  member: string,
  { maxControl, maxControlFiles }: DebLimits,
): Promise<Buffer> {
  const names = new Set<string>();
  let control: Buffer | undefined;
  const onEntry: OnEntry = (entry) => {
    const name = nameOf(entry, member);
    if (name === undefined) return undefined;
    if (names.has(name)) throw invalid(member, `file ${shown(name)} comes twice`);
    names.add(name);
    if (name !== 'control') return undefined;
    if (entry.size > maxControl) {
      throw invalid(member, `file control has more than the ${maxControl} bytes that are allowed`);
    }
    return (content) => {
      // A copy, for the bytes may be part of something much larger.
      control = Buffer.from(content);
    };
  };
  await readTar(chunks, onEntry, { name: member, maxEntries: maxControlFiles, maxPath: 255 });
  if (!control) throw invalid(member, 'it has no file control');
  return control;
}

/** Without the folder in front; undefined for the folder itself. */
function nameOf({ path, type }: TarEntry, member: string): string | undefined {
  const name = path.startsWith('./') ? path.slice(2) : path;
  if (type === 'directory' && (name === '' || name === '.')) return undefined;
  if (type === 'file' && plainName.test(name) && name !== '..') return name;
  throw invalid(member, `expected plain files, not the ${type} ${shown(path)}`);
}

/** What some tools leave there, such as `._control` or `.DS_Store`, does no harm. */
const plainName = /^[^/\0-\x1f\x7f]+$/;
