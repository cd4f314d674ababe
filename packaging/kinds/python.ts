import { packageNameOf } from '../debian/names.ts';
import { given } from '../given.ts';
import type { Look, Recipe, Rules } from '../recipe.ts';
import { pythonPackages } from '../tables/python.ts';
import { resolvePackages } from '../tables/resolve.ts';
import { normalized, parseRequirement } from './python-requirements.ts';
import { readPythonMetadata, type PythonMetadata } from './python-metadata.ts';

/** pyproject.toml, setup.cfg or setup.py: built by pybuild, with the backend that the project names. */
export async function detectPython(look: Look): Promise<Recipe | undefined> {
  const metadata = await readPythonMetadata(look.tree);
  if (!metadata) return undefined;
  const { request, config } = look;
  const needs = resolvePackages(requirements(metadata.dependencies, look), request.available);
  const builds = resolvePackages(requirements(metadata.buildRequires, look), request.available);
  const program = metadata.scripts.length > 0;
  return {
    kind: 'Python',
    ...given('name', metadata.name),
    ...given('version', metadata.version),
    ...given('summary', metadata.summary),
    ...given('homepage', metadata.homepage),
    binaryName: (name) => (program ? name : moduleName(name)),
    ...(program ? { provides: moduleName } : {}),
    architecture: metadata.hasExtensions ? 'any' : 'all',
    section: program ? 'utils' : 'python',
    buildDepends: [
      'dh-sequence-python3',
      metadata.hasExtensions ? 'python3-all-dev' : 'python3-all',
      ...(metadata.hasPyproject ? ['pybuild-plugin-pyproject'] : []),
      ...builds.packages,
      ...(config.tests ? ['python3-pytest', ...needs.packages] : []),
    ],
    depends: ['${python3:Depends}', ...(metadata.hasExtensions ? ['${shlibs:Depends}'] : [])],
    dhArguments: '--buildsystem=pybuild',
    rules: ({ version }) => rulesOf(metadata, version),
    files: () => ({ 'py3dist-overrides': overrides(metadata, look, needs.missing) }),
    installsItself: false,
    notes: [
      `Python, from ${metadata.file}: ${metadata.buildRequires.join(', ') || 'setuptools'}`,
      ...builds.notes,
      ...needs.notes,
    ],
  };
}

/** `python3-foo`, of `foo`, `python-foo` and `python3-foo`. */
function moduleName(sourceName: string): string {
  return `python3-${sourceName.replace(/^python3?-/, '')}`;
}

/** Distributions and the packages of Debian that they are in; what other systems need is left out. */
function requirements(texts: readonly string[], look: Look): (readonly [string, string])[] {
  return texts.flatMap((text) => {
    const name = parseRequirement(text);
    return name === undefined ? [] : [[name, debianName(name, look)] as const];
  });
}

function debianName(name: string, { config }: Look): string {
  const key = normalized(name);
  const own = config.pythonPackages.get(name.toLowerCase()) ?? config.pythonPackages.get(key);
  if (own !== undefined) return own;
  if (Object.hasOwn(pythonPackages, key)) return pythonPackages[key] ?? '';
  return `python3-${packageNameOf(key.replace(/^python-/, '')) ?? key}`;
}

/** dh_python3(1) finds packages by what is installed; nothing of this is, unless tests are run. */
function overrides(metadata: PythonMetadata, look: Look, missing: readonly string[]): string[] {
  const lines = requirements(metadata.dependencies, look).map(([name, debian]) =>
    missing.includes(name) ? name : `${name} ${debian}`.trim(),
  );
  return [...new Set(lines)];
}

function rulesOf(metadata: PythonMetadata, version: string): Rules {
  // Versions that are made of git's tags have no git here to ask.
  const told = ['SETUPTOOLS_SCM_PRETEND_VERSION', 'PBR_VERSION', 'PDM_BUILD_SCM_VERSION'];
  const exports = metadata.version === undefined ? told.map((name) => [name, version]) : [];
  if (!metadata.needsSetupPy) return { exports: Object.fromEntries(exports) };
  const write = "echo 'import setuptools; setuptools.setup()' > setup.py";
  return {
    exports: Object.fromEntries(exports),
    targets: {
      execute_before_dh_auto_configure: [write],
      execute_before_dh_auto_clean: [write],
      execute_after_dh_auto_clean: ['rm -f setup.py'],
    },
  };
}
