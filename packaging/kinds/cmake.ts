import { isPlainPath, packageNameOf } from '../debian/names.ts';
import { callsOf, plainArguments, tokensOf, type Call } from '../formats/tokens.ts';
import { given } from '../given.ts';
import type { Look, Recipe } from '../recipe.ts';
import { resolveLibraries, type Wanted } from '../tables/resolve.ts';
import { installPrograms } from './collected.ts';
import { scriptsNamed } from './scripts.ts';

/** CMakeLists.txt: the libraries that it looks for become build dependencies. */
export async function detectCmake({ tree, request }: Look): Promise<Recipe | undefined> {
  if (!tree.has('CMakeLists.txt')) return undefined;
  const calls: Call[] = [];
  for (const text of await scriptsNamed(tree, 'CMakeLists.txt')) {
    calls.push(...callsOf(tokensOf(text, 'cmake'), interesting));
  }
  const of = (...names: string[]) => calls.filter(({ name }) => names.includes(name));
  const project = plainArguments(of('project')[0] ?? { name: '', line: 0, tokens: [] });
  const needs = resolveLibraries(calls.flatMap(wantedBy), request.available);
  const programs = of('add_executable').flatMap((call) => {
    const name = plainArguments(call)[0] ?? '';
    return name === '${PROJECT_NAME}' ? (project[0] ?? []) : name;
  });
  const installs = of('install').length > 0;
  const after = (word: string) => project[project.indexOf(word) + 1];
  const pkgConfig = of('pkg_check_modules', 'pkg_search_module').length > 0;
  return {
    kind: 'CMake',
    ...given('name', packageNameOf(project[0] ?? '')),
    ...given('version', project.includes('VERSION') ? literal(after('VERSION')) : undefined),
    ...given('summary', project.includes('DESCRIPTION') ? after('DESCRIPTION') : undefined),
    ...given('homepage', project.includes('HOMEPAGE_URL') ? after('HOMEPAGE_URL') : undefined),
    architecture: project.includes('NONE') ? 'all' : 'any',
    buildDepends: ['cmake', ...(pkgConfig ? ['pkgconf'] : []), ...needs.packages],
    depends: ['${shlibs:Depends}'],
    dhArguments: '--buildsystem=cmake',
    rules: ({ binary }) =>
      installs
        ? {}
        : {
            targets: {
              override_dh_auto_install: installPrograms(programs.filter(isPlain), 'obj-*', binary),
            },
          },
    installsItself: installs,
    notes: [
      `CMake: ${installs ? 'installs itself' : `has no install(); its programs go to /usr/bin: ${programs.join(', ')}`}`,
      ...needs.notes,
    ],
  };
}

const interesting = [
  'project',
  'find_package',
  'find_dependency',
  'find_library',
  'pkg_check_modules',
  'pkg_search_module',
  'add_executable',
  'install',
];

function isPlain(name: string): boolean {
  return isPlainPath(name) && !name.includes('/');
}

function literal(version: string | undefined): string | undefined {
  return version !== undefined && /^[0-9]/.test(version) ? version : undefined;
}

function wantedBy(call: Call): Wanted[] {
  const words = plainArguments(call);
  const required = words.includes('REQUIRED');
  if (call.name === 'find_package' || call.name === 'find_dependency') {
    const [name = ''] = words;
    return /^[\w.+-]{1,100}$/.test(name) ? [{ by: 'cmake', name, required }] : [];
  }
  if (call.name.startsWith('pkg_')) {
    const plain = words.slice(1).filter((word) => !/^[A-Z_]+$/.test(word));
    const names = plain.map((word) => word.replace(/[<>=].*$/, ''));
    return names
      .filter((name) => /^[\w.+-]{1,100}$/.test(name))
      .map((name) => ({ by: 'pkg-config', name, required }));
  }
  if (call.name !== 'find_library') return [];
  const names = words.slice(1).filter((word) => word !== 'NAMES');
  const [name = ''] = names;
  return /^[a-z][\w.+-]{0,99}$/.test(name) ? [{ by: 'linker', name, required }] : [];
}
