/** Packages to read: real ones of Debian, ones that dpkg-deb builds, and what dpkg says about them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeAr, makeTar } from '../../apt/deb-container.ts';
import { readDeb, type Deb, type ReadDebOptions } from '../../apt/deb.ts';
import { inChunks, run, tryRun } from './tools.ts';

const cache = resolve(import.meta.dirname, '../../.cache/test');

/** Paths of packages as this machine's own archive has them; fetched once. */
export function realDebs(): string[] {
  const folder = join(cache, 'debs');
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const draft = mkdtempSync(join(cache, 'debs.'));
    const names = ['hello', 'tzdata', 'sed'];
    if (tryRun('apt-get', ['download', ...names], { cwd: draft }).status !== 0) {
      run('apt-get', ['update']);
      run('apt-get', ['download', ...names], { cwd: draft });
    }
    keep(draft, folder);
  }
  return readdirSync(folder).map((name) => join(folder, name));
}

/** Two test files may come here at the same time: the second one has the first one's. */
function keep(draft: string, folder: string): void {
  try {
    renameSync(draft, folder);
  } catch (thrown) {
    if (!existsSync(folder)) throw thrown;
    rmSync(draft, { recursive: true });
  }
}

export interface DebTree {
  readonly control: string;
  /** Content by path, relative to the root of the system. */
  readonly files?: Readonly<Record<string, string>>;
}

export const plainControl =
  'Package: hello-x\nVersion: 1:1.0+x~1\nArchitecture: all\nMaintainer: X <x@example.com>\n' +
  'Depends: a,\n b (>= 1),\n\tc\nDescription: short ☃\n long  one \n .\n  * more\n';

/** Has dpkg-deb build a package; returns its path. */
export function buildDeb(folder: string, tree: DebTree, args: readonly string[] = []): string {
  const root = mkdtempSync(join(folder, 'tree-'));
  const files = { 'DEBIAN/control': tree.control, ...tree.files };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  run('dpkg-deb', ['--root-owner-group', ...args, '-b', root, `${root}.deb`]);
  return `${root}.deb`;
}

export type Member = readonly [name: string, content: Uint8Array | string];

/** What is left out is as it should be. */
export interface DebParts {
  readonly format?: Member;
  /** The content of the file control. */
  readonly control?: string;
  readonly controlArchive?: Member;
  readonly dataArchive?: Member;
  readonly before?: readonly Member[];
  readonly between?: readonly Member[];
  readonly after?: readonly Member[];
}

/** A package made by hand, right or wrong. */
export function handMade(parts: DebParts = {}): Buffer {
  const control = { name: './control', content: Buffer.from(parts.control ?? plainControl) };
  const members: Member[] = [
    parts.format ?? ['debian-binary', '2.0\n'],
    ...(parts.before ?? []),
    parts.controlArchive ?? ['control.tar', makeTar([{ name: './' }, control])],
    ...(parts.between ?? []),
    parts.dataArchive ?? ['data.tar', makeTar([{ name: './' }])],
    ...(parts.after ?? []),
  ];
  return makeAr(members.map(([name, content]) => ({ name, content: Buffer.from(content) })));
}

export function read(bytes: Uint8Array, options?: ReadDebOptions, chunk?: number): Promise<Deb> {
  return readDeb(inChunks(bytes, chunk), options);
}

/** The fields of each paragraph, names in lower case. */
export function paragraphs(text: string): Map<string, string>[] {
  const blocks = text.split(/\n\n+/).filter((block) => block.trim() !== '');
  return blocks.map(
    (block) =>
      new Map(
        block.split(/\n(?![ \t])/).flatMap((field): [string, string][] => {
          const colon = field.indexOf(':');
          return colon === -1
            ? []
            : [[field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()]];
        }),
      ),
  );
}

/** The paragraph that dpkg-deb finds in a package; undefined when it refuses the package. */
export function dpkgFields(path: string): Map<string, string> | undefined {
  const { status, stdout } = tryRun('dpkg-deb', ['-f', path]);
  return status === 0 ? paragraphs(stdout.toString())[0] : undefined;
}

/** What dpkg would install, folders left out; undefined when it refuses the package. */
export function dpkgFiles(path: string): string[] | undefined {
  const { status, stdout } = tryRun('sh', [
    '-c',
    'set -e; dpkg-deb -c "$1" >/dev/null; dpkg-deb --fsys-tarfile "$1" | tar -t --quoting-style=literal',
    'sh',
    path,
  ]);
  if (status !== 0) return undefined;
  const paths = stdout.toString().split('\n').slice(0, -1);
  return paths.filter((one) => !one.endsWith('/')).map((one) => one.replace(/^(\.?\/)+/, ''));
}

/** What was read, in the same form. */
export function readFields({ control }: Deb): Map<string, string> {
  return new Map(control.fields.map(({ name, value }) => [name.toLowerCase(), value.trim()]));
}
