import { isPlainPath, packageNameOf } from '../debian/names.ts';
import { invalid } from '../failure.ts';
import type { Look, Names, Recipe } from '../recipe.ts';
import type { Tree } from '../tree.ts';
import { isDocument } from '../documents.ts';

const maxPrograms = 500;
/** Files that are looked at for being one. */
const maxCandidates = 5000;

/**
 * What is none of the others: the files go to /usr/share/NAME as they are, and scripts of the root and of bin/
 * can be called from /usr/bin. Scripts alone go to /usr/bin themselves.
 */
export async function detectGeneric({ tree }: Look): Promise<Recipe> {
  const programs = await programsOf(tree);
  const rest = tree.files.filter((file) => isContent(file) && !programs.has(file));
  if (programs.size === 0 && rest.length === 0) {
    throw invalid('.', 'there is nothing to package in this folder');
  }
  const interpreters = [...new Set([...programs.values()].flatMap(interpreterPackage))];
  const compiled = [...programs.values()].includes('ELF');
  return {
    kind: 'Generic',
    architecture: compiled ? 'any' : 'all',
    buildDepends: [],
    depends: [...interpreters, ...(compiled ? ['${shlibs:Depends}'] : [])],
    rules: (names) => ({
      targets: {
        override_dh_auto_configure: [],
        override_dh_auto_build: [],
        override_dh_auto_clean: [],
        override_dh_auto_install:
          rest.length === 0 ? scripts(programs, names) : share(programs, names),
      },
    }),
    files: ({ source }) => ({ links: rest.length === 0 ? [] : links(programs, source) }),
    installsItself: false,
    notes: [
      `no build system was found: ${rest.length} files for /usr/share, ${programs.size} programs for /usr/bin`,
    ],
  };
}

/** Executable files of the root and of bin/, with their interpreter, or ELF. */
async function programsOf(tree: Tree): Promise<ReadonlyMap<string, string>> {
  const places = tree.files.filter((file) => /^(bin\/)?[^/]+$/.test(file) && isContent(file));
  const programs = new Map<string, string>();
  for (const file of places.slice(0, maxCandidates)) {
    if (programs.size >= maxPrograms || !(await tree.isExecutable(file))) continue;
    const head = (await tree.head(file, 256)) ?? '';
    const interpreter = interpreterOf(head);
    if (interpreter === undefined) continue;
    if (!isPlainPath(file)) throw invalid(file, 'a program can not be called so');
    programs.set(file, interpreter);
  }
  return programs;
}

function interpreterOf(head: string): string | undefined {
  if (head.startsWith('\u007fELF')) return 'ELF';
  const [, path = ''] = /^#![ \t]{0,8}([^\r\n]{1,200})/.exec(head) ?? [];
  const words = path
    .trim()
    .split(/\s+/)
    .filter((word) => !word.startsWith('-') && !word.includes('='));
  const program = words[0]?.endsWith('/env') ? words[1] : words[0];
  return program === undefined || program === ''
    ? undefined
    : (program.split('/').at(-1) ?? program);
}

/** Whose package a script needs; a shell and Perl's core are always there. */
function interpreterPackage(interpreter: string): string[] {
  if (/^(sh|bash|dash|ELF)$/.test(interpreter)) return [];
  if (/^python3?(\.[0-9]+)?$/.test(interpreter)) return ['python3'];
  const packages: Readonly<Record<string, string>> = {
    node: 'nodejs',
    awk: 'mawk | awk',
    lua: 'lua5.4',
  };
  const known = Object.hasOwn(packages, interpreter) ? packages[interpreter] : undefined;
  const name = known ?? packageNameOf(interpreter);
  return name === undefined ? [] : [name];
}

/** No settings of tools, and nothing that goes to /usr/share/doc. */
function isContent(file: string): boolean {
  return !/^(\.|debian\/)/.test(file) && !isDocument(file);
}

function commandName(file: string): string {
  const name = file.split('/').at(-1) ?? file;
  return name.replace(/(.)\.(sh|bash|py|pl|rb|js)$/, '$1');
}

function scripts(programs: ReadonlyMap<string, string>, { binary }: Names): string[] {
  return [...programs.keys()].map(
    (file) => `install -D -m 0755 ${file} debian/${binary}/usr/bin/${commandName(file)}`,
  );
}

function share(programs: ReadonlyMap<string, string>, { source, binary }: Names): string[] {
  const target = `debian/${binary}/usr/share/${source}`;
  return [
    `mkdir -p ${target}`,
    `tar -c --anchored --exclude=./debian --exclude='./.*' . | tar -x --no-same-owner -C ${target}`,
    ...documents.map((pattern) => `rm -f ${target}/${pattern}`),
    ...[...programs.keys()].map((file) => `chmod 0755 ${target}/${file}`),
  ];
}

const documents = [
  'README*',
  'LICENSE*',
  'LICENCE*',
  'COPYING*',
  'CHANGELOG*',
  'AUTHORS*',
  '*.[1-8]',
  '*.service',
];

function links(programs: ReadonlyMap<string, string>, source: string): string[] {
  return [...programs.keys()].map(
    (file) => `usr/share/${source}/${file} usr/bin/${commandName(file)}`,
  );
}
