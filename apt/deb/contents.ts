import { invalid, shown } from './invalid.ts';
import type { DebLimits } from './limits.ts';
import { readTar, type OnEntry, type TarType } from './tar.ts';

/**
 * The paths of what a data.tar installs, for Contents: relative to the root, without `./`, folders
 * left out, each once, in the archive's order. Paths with control characters are left out too: no line
 * could name them. Throws `PackageInvalid`, also for paths with `..`.
 */
export async function readContents(
  chunks: AsyncIterable<Uint8Array>,
  member: string,
  { maxFiles, maxPath, maxPaths }: DebLimits,
): Promise<string[]> {
  const paths = new Set<string>();
  let length = 0;
  const onEntry: OnEntry = ({ path, type }) => {
    const clean = fromRoot(path);
    if (/(^|\/)\.\.(\/|$)/.test(clean)) throw invalid(member, `path ${shown(path)} has a part ..`);
    if (noFile.has(type) || clean === '' || controlCharacter.test(clean)) return undefined;
    length += clean.length;
    if (length > maxPaths) throw invalid(member, `its paths have more than ${maxPaths} characters`);
    paths.add(clean);
    return undefined;
  };
  await readTar(chunks, onEntry, { name: member, maxEntries: maxFiles, maxPath });
  return [...paths];
}

const noFile: ReadonlySet<TarType> = new Set(['directory', 'backup']);
const controlCharacter = /[\0-\x1f\x7f]/;

/** Without what means nothing in a path: `usr/bin/hello` for `./usr/bin/hello`, `/usr/bin/hello` and `.//usr/./bin//hello`. */
export function fromRoot(path: string): string {
  if (path.startsWith('./') && !odd.test(path.slice(2))) return path.slice(2);
  const parts = path.split('/');
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** An empty part or a `.`. */
const odd = /(^|\/)\.?(\/|$)/;
