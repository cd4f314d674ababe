import { isPlainPath, packageNameOf } from '../debian/names.ts';
import { invalid, quoted } from '../failure.ts';
import type { Lookup } from '../formats/lookup.ts';
import { readJson } from '../formats/toml.ts';
import { given } from '../given.ts';
import type { Look, Names, Recipe, Rules } from '../recipe.ts';
import { resolvePackages } from '../tables/resolve.ts';

const file = 'package.json';
const npmName = /^(@[a-z0-9~._-]{1,100}\/)?[a-z0-9~._-]{1,200}$/i;

/** package.json: the files as they are, beside other modules of Debian or with the ones they bring. */
export async function detectNode(look: Look): Promise<Recipe | undefined> {
  const metadata = await readJson(look.tree, file);
  if (!metadata) return undefined;
  const { tree, request } = look;
  if (tree.has('binding.gyp')) {
    throw invalid('binding.gyp', 'native addons need a debian/ folder of their own');
  }
  const name = metadata.text('name') ?? look.fallbackName;
  if (!npmName.test(name) || name.split('/').some((part) => /^\.+$/.test(part))) {
    throw invalid(file, `${quoted(name)} is no name of a package`);
  }
  const programs = programsOf(metadata, name);
  const bundled = tree.entries.get('node_modules') === 'folder';
  const wanted = metadata.keys('dependencies').filter((one) => npmName.test(one));
  const debian = wanted.map((one) => [one, debianNameOfModule(one)] as const);
  const needs = resolvePackages(bundled ? [] : debian, request.available);
  const build = buildOf(look, metadata, [...programs.values()], bundled);
  const engine = /^\s*>=?\s*v?([0-9]{1,3})/.exec(metadata.text('engines', 'node') ?? '')?.[1];
  const plain = packageNameOf(name.replace(/^@/, '').replace('/', '-'));
  return {
    kind: 'Node',
    ...given('name', plain),
    ...given('version', metadata.text('version')),
    ...given('summary', metadata.text('description')),
    ...given('homepage', metadata.text('homepage')),
    ...(programs.size === 0 ? { binaryName: nodeName, section: 'javascript' } : {}),
    architecture: 'all',
    buildDepends: build.packages,
    depends: [engine === undefined ? 'nodejs' : `nodejs (>= ${engine})`, ...needs.packages],
    rules: (names) => rulesOf(names, { name, programs, build: build.commands }),
    files: () => ({ links: linksOf({ metadata, name, programs, wanted: bundled ? [] : wanted }) }),
    installsItself: false,
    notes: [
      `Node package ${name}: ${programs.size} programs; ${bundled ? 'with its node_modules' : 'with modules that Debian packages'}`,
      ...needs.notes,
    ],
  };
}

function nodeName(sourceName: string): string {
  return sourceName.startsWith('node-') ? sourceName : `node-${sourceName}`;
}

/** The Debian JavaScript team's rule: `@scope/name` is `node-scope-name`. */
function debianNameOfModule(name: string): string {
  const known: Readonly<Record<string, string>> = { 'lodash.merge': 'node-lodash', npm: 'npm' };
  const plain = packageNameOf(name.replace(/^@/, '').replace('/', '-'));
  return (Object.hasOwn(known, name) ? known[name] : undefined) ?? `node-${plain ?? 'unknown'}`;
}

/** Commands and the files that they are. */
function programsOf(metadata: Lookup, name: string): ReadonlyMap<string, string> {
  const only = metadata.text('bin');
  const own = name.split('/').at(-1) ?? name;
  const entries = metadata.entries('bin').map(([key, value]) => [key, value.text() ?? ''] as const);
  const all = only === undefined ? entries : [[own, only] as const];
  return new Map(all.map(([command, target]) => [command, checkedProgram(command, target)]));
}

function checkedProgram(command: string, target: string): string {
  const path = target.replace(/^(\.\/)+/, '');
  if (!isPlainPath(path)) throw invalid(file, `bin: ${quoted(target)} is no path of a file`);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(command)) {
    throw invalid(file, `bin: ${quoted(command)} can not be the name of a program`);
  }
  return path;
}

interface Build {
  readonly packages: readonly string[];
  readonly commands: readonly string[];
}

/** What has to be run so that the programs are there; nothing when they are. */
function buildOf(look: Look, metadata: Lookup, programs: string[], bundled: boolean): Build {
  const main = metadata.text('main')?.replace(/^(\.\/)+/, '');
  const targets = main === undefined ? programs : [...programs, main];
  const lost = targets.find((path) => !exists(look, path));
  if (lost === undefined) return { packages: [], commands: [] };
  const script = metadata.text('scripts', 'build');
  if (script !== undefined && /^tsc( (-p|--project|-b) [\w./-]+)?$/.test(script)) {
    return { packages: ['node-typescript', 'node-types-node'], commands: [script] };
  }
  if (script !== undefined && bundled) {
    return { packages: ['npm'], commands: ['npm run build --offline'] };
  }
  const why =
    script === undefined
      ? 'no script `build` would make it'
      : 'the script `build` needs modules, and there is no network: commit node_modules or what is built';
  throw invalid(file, `it names ${quoted(lost)}, which is not in the tree, and ${why}`);
}

/** `main` may leave out the ending, or be a folder with an index.js. */
function exists({ tree }: Look, path: string): boolean {
  const plain = path.replace(/\/$/, '');
  const forms = [plain, `${plain}.js`, `${plain}.json`, `${plain}.node`, `${plain}/index.js`];
  return forms.some((one) => tree.has(one));
}

interface Layout {
  readonly name: string;
  readonly programs: ReadonlyMap<string, string>;
  readonly build: readonly string[];
}

/** What is no part of the program at run time. */
const leftOut = [
  'debian',
  '.*',
  'test',
  'tests',
  '__tests__',
  'coverage',
  'LICEN[CS]E*',
  'COPYING*',
];

function rulesOf(names: Names, { name, programs, build }: Layout): Rules {
  const target = `debian/${names.binary}/usr/share/nodejs/${name}`;
  const excludes = leftOut.map((pattern) => `--exclude='./${pattern}'`).join(' ');
  const modes = [...new Set(programs.values())].map((path) => `chmod 0755 ${target}/${path}`);
  return {
    exports: { npm_config_offline: 'true', npm_config_cache: '$(CURDIR)/debian/.npm' },
    targets: {
      override_dh_auto_configure: [],
      override_dh_auto_build: build,
      override_dh_auto_install: [
        `mkdir -p ${target}`,
        `tar -c --anchored ${excludes} . | tar -x --no-same-owner -C ${target}`,
        `find ${target} -type f -exec chmod 0644 {} +`,
      ],
      // debhelper takes the right to be run from everything in there.
      execute_after_dh_fixperms: modes,
      override_dh_auto_clean: [],
    },
  };
}

interface Links {
  readonly metadata: Lookup;
  readonly name: string;
  readonly programs: ReadonlyMap<string, string>;
  readonly wanted: readonly string[];
}

/** Programs; and for `import`, which looks for modules in folders above only, those of Debian. */
function linksOf({ metadata, name, programs, wanted }: Links): string[] {
  const home = `usr/share/nodejs/${name}`;
  const commands = [...programs].map(([command, path]) => `${home}/${path} usr/bin/${command}`);
  const esm =
    metadata.text('type') === 'module' ||
    [...programs.values()].some((one) => one.endsWith('.mjs'));
  const modules = esm ? wanted : [];
  return [
    ...commands,
    ...modules.map((one) => `usr/share/nodejs/${one} ${home}/node_modules/${one}`),
  ];
}
