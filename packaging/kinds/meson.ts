import { isPlainPath, packageNameOf } from '../debian/names.ts';
import { argumentsOf, textsOf, type Arguments } from '../formats/keywords.ts';
import { callsOf, tokensOf } from '../formats/tokens.ts';
import { given } from '../given.ts';
import type { Look, Recipe } from '../recipe.ts';
import { programPackages } from '../tables/programs.ts';
import { resolveLibraries, type Wanted } from '../tables/resolve.ts';
import { installPrograms } from './collected.ts';
import { scriptsNamed } from './scripts.ts';

type Calls = readonly (Arguments & { readonly name: string })[];

/** meson.build: the dependencies that it names become build dependencies. */
export async function detectMeson({ tree, request }: Look): Promise<Recipe | undefined> {
  if (!tree.has('meson.build')) return undefined;
  const tokens = (await scriptsNamed(tree, 'meson.build')).flatMap((text) =>
    tokensOf(text, 'meson'),
  );
  const calls: Calls = callsOf(tokens, interesting).map((call) => ({
    name: call.name,
    ...argumentsOf(call),
  }));
  const project = calls.find(({ name }) => name === 'project');
  const needs = resolveLibraries(calls.flatMap(wantedBy), request.available);
  const programs = calls
    .filter(({ name }) => name === 'executable')
    .flatMap(({ positional }) => textsOf(positional[0]).slice(0, 1))
    .filter((name) => isPlainPath(name) && !name.includes('/'));
  const installs = tokens.some(({ type, text }) => type === 'word' && text.startsWith('install'));
  const [version] = textsOf(project?.named.get('version'));
  return {
    kind: 'Meson',
    ...given('name', packageNameOf(textsOf(project?.positional[0])[0] ?? '')),
    ...given('version', version),
    architecture: (project?.positional.length ?? 0) > 1 ? 'any' : 'all',
    buildDepends: ['meson', 'pkgconf', ...toolsOf(calls), ...needs.packages],
    depends: ['${shlibs:Depends}'],
    dhArguments: '--buildsystem=meson',
    rules: ({ binary }) =>
      installs
        ? {}
        : { targets: { override_dh_auto_install: installPrograms(programs, 'obj-*', binary) } },
    installsItself: installs,
    notes: [
      `Meson: ${installs ? 'installs itself' : `installs nothing; its programs go to /usr/bin: ${programs.join(', ')}`}`,
      ...needs.notes,
    ],
  };
}

const interesting = [
  'project',
  'dependency',
  'executable',
  'find_program',
  'import',
  '.find_library',
];

function wantedBy({ name, positional, named }: Calls[number]): Wanted[] {
  if (name !== 'dependency' && name !== '.find_library') return [];
  const by = name === 'dependency' ? 'pkg-config' : 'linker';
  const required = named.get('required') !== 'false';
  // Names after the first are other names of the same.
  const [library = ''] = textsOf(positional[0]);
  if (!/^[\w.+-]{1,100}$/.test(library) || ['threads', 'openmp', 'dl'].includes(library)) return [];
  return [{ by, name: library, required }];
}

/** Programs that the build runs, and those that modules of Meson run. */
function toolsOf(calls: Calls): string[] {
  const programs = calls
    .filter(({ name }) => name === 'find_program')
    .flatMap(({ positional }) => textsOf(positional[0]).slice(0, 1));
  const modules = calls
    .filter(({ name }) => name === 'import')
    .flatMap(({ positional }) => textsOf(positional[0]));
  const all = [...programs, ...modules.map((name) => `import:${name}`)];
  return all.flatMap((name) =>
    Object.hasOwn(programPackages, name) ? (programPackages[name] ?? []) : [],
  );
}
