import { given } from '../given.ts';
import { argumentsOf, textsOf, type Literal } from '../formats/keywords.ts';
import { readIni } from '../formats/ini.ts';
import type { Lookup } from '../formats/lookup.ts';
import { callsOf, tokensOf } from '../formats/tokens.ts';
import { readToml } from '../formats/toml.ts';
import type { Tree } from '../tree.ts';
import { readPoetry } from './python-poetry.ts';

/** What a Python project says of itself, wherever it says it. */
export interface PythonMetadata {
  /** The file that most of it is from. */
  readonly file: string;
  readonly name?: string;
  /** Undefined when it is computed while building. */
  readonly version?: string;
  readonly summary?: string;
  readonly homepage?: string;
  /** Requirements as in PEP 508. */
  readonly dependencies: readonly string[];
  readonly buildRequires: readonly string[];
  /** Names of console and GUI scripts. */
  readonly scripts: readonly string[];
  readonly hasExtensions: boolean;
  /** `package.attribute` that the version is in. */
  readonly versionAttribute?: string;
  readonly hasPyproject: boolean;
  /** There is only a setup.cfg, which needs two lines of Python to be built. */
  readonly needsSetupPy: boolean;
}

export type MetadataPart = Partial<Omit<PythonMetadata, 'hasPyproject' | 'needsSetupPy'>>;

const maxRequirements = 2000;

const compiled =
  /^(meson-python|mesonpy|scikit-build(-core)?|maturin|setuptools-rust|cffi|cython)/i;

/** Reads pyproject.toml, setup.cfg and setup.py; undefined when the tree has none of them. */
export async function readPythonMetadata(tree: Tree): Promise<PythonMetadata | undefined> {
  const pyproject = await readToml(tree, 'pyproject.toml');
  const isProject = pyproject !== undefined && declaresProject(pyproject);
  const setupPy = await readSetupPy(tree);
  const setupCfg = await readSetupCfg(tree);
  const hasPyproject =
    isProject || (pyproject !== undefined && (setupPy ?? setupCfg) !== undefined);
  if (!hasPyproject && !setupPy && !setupCfg) return undefined;
  const parts: MetadataPart[] = [
    ...(pyproject ? [ofProject(pyproject), readPoetry(pyproject)] : []),
    setupCfg ?? {},
    setupPy ?? {},
  ];
  const buildRequires = [
    ...(pyproject?.texts('build-system', 'requires') ?? []),
    ...parts.flatMap((part) => part.buildRequires ?? []),
  ];
  const requires = buildRequires.length === 0 ? ['setuptools'] : buildRequires;
  const name = first(parts, 'name');
  return {
    file: isProject ? 'pyproject.toml' : setupPy ? 'setup.py' : 'setup.cfg',
    ...given('name', name),
    ...given(
      'version',
      first(parts, 'version') ??
        (await versionInCode(tree, name, pyproject, first(parts, 'versionAttribute'))),
    ),
    ...given('summary', first(parts, 'summary')),
    ...given('homepage', first(parts, 'homepage')),
    dependencies: parts.flatMap((part) => part.dependencies ?? []).slice(0, maxRequirements),
    buildRequires: setupPy && !hasPyproject ? withSetuptools(requires) : requires,
    scripts: parts.flatMap((part) => part.scripts ?? []),
    hasExtensions:
      parts.some((part) => part.hasExtensions) || requires.some((one) => compiled.test(one)),
    hasPyproject,
    needsSetupPy: !hasPyproject && !setupPy,
  };
}

function withSetuptools(requires: readonly string[]): readonly string[] {
  return requires.some((one) => /^setuptools\b(?!-)/.test(one))
    ? requires
    : ['setuptools', ...requires];
}

/** Some projects have the file for the settings of their linters only. */
function declaresProject(pyproject: Lookup): boolean {
  return (
    pyproject.has('project') || pyproject.has('build-system') || pyproject.has('tool', 'poetry')
  );
}

function first<Key extends 'name' | 'version' | 'summary' | 'homepage' | 'versionAttribute'>(
  parts: readonly MetadataPart[],
  key: Key,
): string | undefined {
  return parts.map((part) => part[key]).find((value) => value !== undefined && value !== '');
}

/** PEP 621. */
function ofProject(pyproject: Lookup): MetadataPart {
  const project = pyproject.at('project');
  const urls = project
    .entries('urls')
    .map(([key, url]) => [key.toLowerCase(), url.text()] as const);
  const home = urls.find(([key]) => /home|repo|source/.test(key))?.[1];
  return {
    ...given('name', project.text('name')),
    ...given('version', project.text('version')),
    ...given('summary', project.text('description')),
    ...given(
      'versionAttribute',
      pyproject.text('tool', 'setuptools', 'dynamic', 'version', 'attr'),
    ),
    ...given('homepage', home),
    dependencies: project.texts('dependencies'),
    scripts: [...project.keys('scripts'), ...project.keys('gui-scripts')],
    hasExtensions: pyproject.has('tool', 'setuptools', 'ext-modules'),
  };
}

async function readSetupCfg(tree: Tree): Promise<MetadataPart | undefined> {
  const ini = readIni((await tree.text('setup.cfg')) ?? '');
  if (!ini.has('metadata')) return undefined; // settings of other tools are kept there, too
  const value = (section: string, key: string) => ini.get(section)?.get(key);
  const lines = (section: string, key: string) =>
    (value(section, key) ?? '').split('\n').filter((line) => line.trim() !== '');
  const version = value('metadata', 'version');
  const literal = version !== undefined && !/^(attr|file):/.test(version) ? version : undefined;
  const points = ['console_scripts', 'gui_scripts'];
  return {
    file: 'setup.cfg',
    ...given('name', value('metadata', 'name')),
    ...given('version', literal),
    ...given('versionAttribute', /^attr:\s*([\w.]+)/.exec(version ?? '')?.[1]),
    ...given('summary', value('metadata', 'description') ?? value('metadata', 'summary')),
    ...given('homepage', value('metadata', 'url') ?? value('metadata', 'home-page')),
    dependencies: lines('options', 'install_requires'),
    buildRequires: ini.has('pbr') ? ['pbr'] : [],
    scripts: [
      ...points.flatMap((point) => lines('options.entry_points', point)).flatMap(scriptName),
      ...lines('options', 'scripts'),
    ],
  };
}

async function readSetupPy(tree: Tree): Promise<MetadataPart | undefined> {
  const text = await tree.text('setup.py');
  if (text === undefined) return undefined;
  const tokens = tokensOf(text, 'python');
  const call = callsOf(tokens, ['setup', 'setuptools.setup']).at(-1);
  const named = call ? argumentsOf(call).named : new Map<string, Literal>();
  const one = (key: string) => textsOf(named.get(key))[0];
  const uses = (word: string) => tokens.some((token) => token.text === word);
  return {
    file: 'setup.py',
    ...given('name', one('name')),
    ...given('version', one('version')),
    ...given('summary', one('description')),
    ...given('homepage', one('url')),
    dependencies: textsOf(named.get('install_requires')),
    buildRequires: textsOf(named.get('setup_requires')),
    scripts: [...textsOf(named.get('scripts')), ...entryPoints(named.get('entry_points'))],
    hasExtensions: named.has('ext_modules') || named.has('cffi_modules') || uses('Extension'),
  };
}

function entryPoints(literal: Literal): string[] {
  if (typeof literal !== 'object' || Array.isArray(literal)) return [];
  return Object.entries(literal)
    .filter(([key]) => key === 'console_scripts' || key === 'gui_scripts')
    .flatMap(([, value]) => textsOf(value).flatMap(scriptName));
}

function scriptName(line: string): string[] {
  const name = line.split('=', 1)[0]?.trim() ?? '';
  return name === '' ? [] : [name];
}

const assignment =
  /^(?:__version__|version|VERSION)[ \t]{0,4}(?::[ \t]{0,4}str[ \t]{0,4})?=[ \t]{0,4}["']([^"'\n]{1,64})["']/m;

/** `__version__ = '1.0'`, where setuptools, flit and hatchling look for it. */
async function versionInCode(
  tree: Tree,
  name: string | undefined,
  pyproject: Lookup | undefined,
  attribute: string | undefined,
): Promise<string | undefined> {
  const module = (name ?? '').replace(/[-.]/g, '_');
  const told = pyproject?.text('tool', 'hatch', 'version', 'path');
  const file = attribute?.split('.').slice(0, -1).join('/');
  const folders = [...new Set([file, module])].filter((one) => one !== undefined && one !== '');
  const candidates = folders.flatMap((folder) => [`${folder}.py`, `${folder}/__init__.py`]);
  const more = [`${module}/__about__.py`, `${module}/_version.py`, `${module}/version.py`];
  const all = [...candidates, ...more].flatMap((one) => [one, `src/${one}`]);
  for (const one of [...(told === undefined ? [] : [told]), ...all, 'setup.py']) {
    const text = tree.has(one) ? await tree.head(one, 64 * 1024) : undefined;
    const version = assignment.exec(text ?? '')?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}
