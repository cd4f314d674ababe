import { isRelation } from '../debian/relations.ts';
import { packageNamePattern } from '../debian/names.ts';
import { invalid } from '../failure.ts';
import type { PackagingKind } from '../request.ts';
import { given } from '../given.ts';
import type { Tree } from '../tree.ts';
import { Field } from './fields.ts';
import { readYaml } from './yaml.ts';

/** What a repository says on how to package it. */
export interface PackagingConfig {
  readonly kind?: Exclude<PackagingKind, 'Debian'>;
  readonly name?: string;
  readonly section?: string;
  /** Number of jobs; undefined leaves it to the builder. */
  readonly parallel?: number;
  readonly buildDependencies: readonly string[];
  readonly depends: readonly string[];
  readonly profiles: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: those of a debian/ folder are run, of generated packaging not. */
  readonly tests?: boolean;
  /** Python distribution → Debian package. */
  readonly pythonPackages: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

const kinds = [
  'Python',
  'Go',
  'Node',
  'Rust',
  'CMake',
  'Meson',
  'Autotools',
  'Make',
  'Generic',
] as const satisfies readonly PackagingKind[];

/** Reads `.cairn.yml`; where there is none, the files of aaSemble that it replaces. */
export async function readConfig(tree: Tree): Promise<PackagingConfig> {
  for (const file of ['.cairn.yml', '.cairn.yaml']) {
    if (isFile(tree, file)) return cairnConfig(file, (await tree.text(file)) ?? '');
  }
  return aasembleConfig(tree);
}

function isFile(tree: Tree, file: string): boolean {
  const type = tree.entries.get(file);
  if (type !== undefined && type !== 'file') throw invalid(file, 'expected a file');
  return type === 'file';
}

function cairnConfig(file: string, text: string): PackagingConfig {
  const root = new Field(file, readYaml(file, text));
  const top = root.mapping(['kind', 'name', 'section', 'depends', 'build', 'pythonPackages']);
  const build = top
    .get('build')
    ?.mapping(['parallel', 'dependencies', 'profiles', 'environment', 'tests']);
  const parallel = build?.get('parallel');
  return {
    ...given('kind', kindOf(top.get('kind'))),
    ...given('name', top.get('name')?.text('the name of a package', packageNamePattern)),
    ...given('section', top.get('section')?.text('a section of Debian', /^[a-z][a-z-]{1,30}$/)),
    ...given('parallel', parallelOf(parallel)),
    buildDependencies: relationsOf(build?.get('dependencies')),
    depends: relationsOf(top.get('depends')),
    profiles: build?.get('profiles')?.words().map(profileOf) ?? [],
    environment: environmentOf(build?.get('environment')),
    ...given('tests', build?.get('tests')?.bool()),
    pythonPackages: pythonPackagesOf(top.get('pythonPackages')),
    notes: [`${file} was taken into account`],
  };
}

/** `.aasemble.yml` (build.parallel, build.dependencies, pydist_override) and `.extra_build_packages`. */
async function aasembleConfig(tree: Tree): Promise<PackagingConfig> {
  const file = '.aasemble.yml';
  const list = '.extra_build_packages';
  const found = [file, list].filter((name) => isFile(tree, name));
  const root = new Field(file, readYaml(file, (await tree.text(file)) ?? ''));
  const top = root.mapping();
  const build = top.get('build')?.mapping();
  const extra = ((await tree.text(list)) ?? '').replace(/^\s*#.*$/gm, '').split(/[\s,]+/);
  return {
    ...given('parallel', parallelOf(build?.get('parallel'))),
    buildDependencies: [
      ...relationsOf(build?.get('dependencies')),
      ...extra.filter((name) => packageNamePattern.test(name)),
    ],
    depends: [],
    profiles: [],
    environment: {},
    pythonPackages: pythonPackagesOf(top.get('pydist_override')),
    notes: found.map((name) => `${name} was taken into account; .cairn.yml would replace it`),
  };
}

function kindOf(field: Field | undefined): PackagingConfig['kind'] {
  const text = field?.text();
  const kind = kinds.find((known) => known === text);
  if (field && !kind) throw field.failure(`one of ${kinds.join(', ')}`);
  return kind;
}

/** true: as many as the builder has processors; false: one. */
function parallelOf(field: Field | undefined): number | undefined {
  if (field?.is('boolean')) return field.bool() ? undefined : 1;
  return field?.whole(1, 256);
}

function relationsOf(field: Field | undefined): readonly string[] {
  return (field?.words() ?? []).map((word) => {
    const text = word.text().trim();
    if (!isRelation(text) || /[\n$]/.test(text)) {
      throw word.failure('a relation to a package, such as "libfoo-dev (>= 1.0)"');
    }
    return text;
  });
}

function profileOf(field: Field): string {
  return field.text('the name of a build profile', /^[a-z0-9][a-z0-9.-]{0,99}$/);
}

/** Those that dpkg-buildpackage is told by other means, and those that name programs to be run. */
const reserved = /^(SOURCE_DATE_EPOCH|PATH|HOME|DEB_BUILD_(OPTIONS|PROFILES)|CAIRN_.*|LD_.*)$/;

function environmentOf(field: Field | undefined): Record<string, string> {
  const entries = [...(field?.mapping() ?? [])].map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name) || reserved.test(name)) {
      throw value.failure(`another variable than ${name}, which can't be set here`);
    }
    return [name, value.plain()] as const;
  });
  return Object.fromEntries(entries);
}

/** `{requests: python3-requests}`, or lines of `requests python3-requests`, as in py3dist-overrides. */
function pythonPackagesOf(field: Field | undefined): ReadonlyMap<string, string> {
  if (!field) return new Map();
  if (!field.is('string')) {
    const entries = [...field.mapping()].map(
      ([name, value]) =>
        [name.toLowerCase(), value.text('the name of a package', packageNamePattern)] as const,
    );
    return new Map(entries);
  }
  const pairs = field.words().map((word) => {
    const [name = '', debian = ''] = word.text().split(/\s+/);
    if (!packageNamePattern.test(debian)) throw word.failure('lines of "distribution package"');
    return [name.toLowerCase(), debian] as const;
  });
  return new Map(pairs);
}
