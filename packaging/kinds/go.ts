import { given } from '../given.ts';
import { isPlainPath, packageNameOf } from '../debian/names.ts';
import type { Look, Names, Recipe, Rules } from '../recipe.ts';
import { resolvePackages } from '../tables/resolve.ts';
import { invalid, quoted } from '../failure.ts';
import { debianNameOfModule, readGoMod, type GoModule } from './go-mod.ts';
import { findPrograms } from './go-programs.ts';

/** go.mod: programs are built offline, of vendored modules, Debian's packages, or none at all. */
export async function detectGo(look: Look): Promise<Recipe | undefined> {
  const text = await look.tree.text('go.mod');
  if (text === undefined) return undefined;
  const module = readGoMod(text);
  if (!/^[A-Za-z0-9._~/-]{1,200}$/.test(module.path) || module.path.includes('..')) {
    throw invalid('go.mod', `${quoted(module.path)} is no path of a module`);
  }
  const programs = await findPrograms(look.tree);
  const vendored = look.tree.has('vendor/modules.txt');
  const alone = vendored || module.requires.length === 0;
  const wanted = module.requires.map((path) => [path, debianNameOfModule(path)] as const);
  const needs = resolvePackages(alone ? [] : wanted, look.request.available);
  const library = programs.length === 0;
  const { version } = module;
  const go = version === undefined ? 'golang-any' : `golang-any (>= 2:${version}~)`;
  return {
    kind: 'Go',
    ...given(
      'name',
      packageNameOf(
        module.path
          .replace(/\/v[0-9]+$/, '')
          .split('/')
          .at(-1) ?? '',
      ),
    ),
    ...(library ? { binaryName: () => debianNameOfModule(module.path) } : {}),
    architecture: library ? 'all' : 'any',
    ...(library ? { section: 'golang' } : {}),
    buildDepends: [go, ...(alone && !library ? [] : ['dh-sequence-golang']), ...needs.packages],
    depends: library ? needs.packages : ['${shlibs:Depends}'],
    ...(alone && !library ? {} : { sourceFields: { 'XS-Go-Import-Path': module.path } }),
    ...(alone && !library ? {} : { dhArguments: '--buildsystem=golang' }),
    rules: (names) => (alone && !library ? offline(programs, vendored, names) : byDebian(library)),
    installsItself: false,
    notes: [
      `Go module ${module.path}: ${libraryOr(programs)}; ${sourceOfModules(vendored, module)}`,
      ...needs.notes,
    ],
  };
}

function libraryOr(programs: readonly string[]): string {
  return programs.length === 0 ? 'a library' : `programs in ${programs.join(', ')}`;
}

function sourceOfModules(vendored: boolean, { requires }: GoModule): string {
  if (vendored) return 'with the modules in vendor/';
  return requires.length === 0 ? 'needs no other module' : 'with modules that Debian packages';
}

/** The modules in vendor/ or none: go itself builds that, and must not look anywhere else. */
function offline(programs: readonly string[], vendored: boolean, names: Names): Rules {
  const built = programs.map((folder) => [folder, programName(folder, names)] as const);
  return {
    exports: {
      GOFLAGS: `-trimpath -buildvcs=false ${vendored ? '-mod=vendor' : '-mod=readonly'}`,
      GOPROXY: 'off',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOCACHE: '$(CURDIR)/debian/.go/cache',
      GOPATH: '$(CURDIR)/debian/.go/path',
    },
    targets: {
      override_dh_auto_configure: [],
      override_dh_auto_build: built.map(
        ([folder, name]) => `go build -buildmode=pie -o debian/.go/bin/${name} ${folder}`,
      ),
      override_dh_auto_install: built.map(
        ([, name]) =>
          `install -D -m 0755 debian/.go/bin/${name} debian/${names.binary}/usr/bin/${name}`,
      ),
      override_dh_auto_clean: ['rm -rf debian/.go'],
      // dwz can't read what Go writes.
      override_dh_dwz: [],
    },
  };
}

function byDebian(library: boolean): Rules {
  const exports = { GOTOOLCHAIN: 'local', GOPROXY: 'off' };
  if (library) return { exports };
  return { exports, targets: { override_dh_auto_install: ['dh_auto_install -- --no-source'] } };
}

/** As `go build` names them: by the folder; the module's root by the package. */
function programName(folder: string, names: Names): string {
  const name = folder === '.' ? names.source : (folder.split('/').at(-1) ?? names.source);
  if (isPlainPath(name)) return name;
  throw invalid(folder, 'a program can not be called so');
}
