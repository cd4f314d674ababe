import { isPlainPath, packageNameOf } from '../debian/names.ts';
import { invalid, quoted } from '../failure.ts';
import type { Lookup } from '../formats/lookup.ts';
import { readToml } from '../formats/toml.ts';
import { given } from '../given.ts';
import type { Look, Names, Recipe, Rules } from '../recipe.ts';
import { resolvePackages } from '../tables/resolve.ts';
import type { Tree } from '../tree.ts';

const maxMembers = 200;

/** Cargo.toml: programs are built offline, of vendored crates, Debian's, or none at all. */
export async function detectRust(look: Look): Promise<Recipe | undefined> {
  const { tree, request } = look;
  const root = await readToml(tree, 'Cargo.toml');
  if (!root) return undefined;
  const crates = await cratesOf(tree, root);
  const programs = [...new Set(crates.flatMap(({ programs: names }) => names))];
  if (programs.length === 0) {
    throw invalid(
      'Cargo.toml',
      'expected a program: crates that are libraries need a debian/ folder',
    );
  }
  const vendored = tree.entries.get('vendor') === 'folder';
  const wanted = vendored ? [] : crates.flatMap(({ manifest }) => cratesNeeded(manifest));
  const needs = resolvePackages(wanted, request.available);
  const main = root.has('package') ? root : (crates[0]?.manifest ?? root);
  const minimum = text(root, main, 'rust-version');
  const rustc =
    minimum !== undefined && /^[0-9.]{1,10}$/.test(minimum) ? `rustc (>= ${minimum})` : 'rustc';
  return {
    kind: 'Rust',
    ...given('name', packageNameOf(main.text('package', 'name') ?? '')),
    ...given('version', text(root, main, 'version')),
    ...given('summary', text(root, main, 'description')),
    ...given('homepage', text(root, main, 'homepage') ?? text(root, main, 'repository')),
    architecture: 'any',
    buildDepends: ['cargo', rustc, ...needs.packages],
    depends: ['${shlibs:Depends}'],
    rules: (names) => rulesOf(names, programs, { vendored, locked: tree.has('Cargo.lock') }),
    installsItself: false,
    notes: [
      `Rust: programs ${programs.join(', ')}; ${vendored ? 'with the crates in vendor/' : wanted.length === 0 ? 'needs no other crate' : 'with crates that Debian packages'}`,
      ...needs.notes,
    ],
  };
}

/** A field of the package, perhaps that of its workspace. */
function text(root: Lookup, crate: Lookup, field: string): string | undefined {
  return crate.text('package', field) ?? root.text('workspace', 'package', field);
}

interface Crate {
  readonly manifest: Lookup;
  readonly programs: readonly string[];
}

async function cratesOf(tree: Tree, root: Lookup): Promise<Crate[]> {
  const folders = root
    .texts('workspace', 'members')
    .slice(0, maxMembers)
    .flatMap((member) => membersOf(tree, member));
  const crates: Crate[] = root.has('package') ? [crateOf(tree, root, '')] : [];
  for (const folder of [...new Set(folders)].slice(0, maxMembers)) {
    const manifest = await readToml(tree, `${folder}/Cargo.toml`);
    if (manifest) crates.push(crateOf(tree, manifest, `${folder}/`));
  }
  return crates;
}

/** `crates/foo`, or `crates/*` for all folders there. */
function membersOf(tree: Tree, member: string): string[] {
  if (!member.endsWith('/*')) return [member.replace(/\/$/, '')];
  const parent = member.slice(0, -1);
  const inside = tree.files.filter(
    (file) => file.startsWith(parent) && file.endsWith('/Cargo.toml'),
  );
  const folders = inside.map((file) => file.slice(0, -'/Cargo.toml'.length));
  return folders.filter((folder) => !folder.slice(parent.length).includes('/'));
}

/** [[bin]], src/main.rs, src/bin/NAME.rs and src/bin/NAME/main.rs (the Cargo book, "Cargo Targets"). */
function crateOf(tree: Tree, manifest: Lookup, folder: string): Crate {
  const name = manifest.text('package', 'name') ?? '';
  const declared = manifest.list('bin').map((one) => one.text('name') ?? name);
  const found = tree.files.flatMap((file) => {
    if (!file.startsWith(`${folder}src/bin/`)) return [];
    const [, program] =
      /^([^/]+)(?:\.rs|\/main\.rs)$/.exec(file.slice(`${folder}src/bin/`.length)) ?? [];
    return program === undefined ? [] : [program];
  });
  const main = tree.has(`${folder}src/main.rs`) && !declaresMain(manifest) ? [name] : [];
  const automatic = manifest.truth('package', 'autobins') === false ? [] : [...main, ...found];
  const programs = [...new Set([...declared, ...automatic])];
  const odd = programs.find((one) => !isPlainPath(one) || one.includes('/'));
  if (odd === undefined) return { manifest, programs };
  throw invalid(`${folder}Cargo.toml`, `${quoted(odd)} can not be the name of a program`);
}

function declaresMain(manifest: Lookup): boolean {
  return manifest.list('bin').some((one) => one.text('path') === 'src/main.rs');
}

/** Crates with their packages, `librust-NAME-MAJOR+FEATURE-dev` (the Debian Rust team's scheme). */
function cratesNeeded(manifest: Lookup): (readonly [string, string])[] {
  const sections = ['dependencies', 'build-dependencies'];
  return sections.flatMap((section) =>
    manifest.entries(section).flatMap(([key, value]) => {
      if (value.has('path') || value.truth('optional') === true) return [];
      const name = value.text('package') ?? key;
      const features = value.texts('features').map((one) => packageNameOf(one.replace(/_/g, '-')));
      const stem = packageNameOf(name.replace(/_/g, '-')) ?? 'unknown';
      const version = series(value.text() ?? value.text('version') ?? '');
      const base = `librust-${stem}${version === '' ? '' : `-${version}`}`;
      const all = features.filter((one) => one !== undefined);
      if (all.length === 0) return [[name, `${base}-dev`] as const];
      return all.map((one) => [name, `${base}+${one}-dev`] as const);
    }),
  );
}

/** What semver takes for compatible: `1` of 1.2.3, `0.4` of 0.4.7. */
function series(requirement: string): string {
  const [, major = '', minor] =
    /^\s*[\^~=>]*\s*([0-9]{1,5})(?:\.([0-9]{1,5}))?/.exec(requirement) ?? [];
  return major === '0' && minor !== undefined ? `0.${minor}` : major;
}

interface Crates {
  readonly vendored: boolean;
  readonly locked: boolean;
}

function rulesOf(names: Names, programs: readonly string[], { vendored, locked }: Crates): Rules {
  const registry = vendored ? '$(CURDIR)/vendor' : '/usr/share/cargo/registry';
  const home = 'debian/.cargo';
  const settings = [
    '[source.crates-io]',
    'replace-with = \\"offline\\"',
    '[source.offline]',
    `directory = \\"${registry}\\"`,
  ];
  // The versions of Debian's crates are others than those that were locked.
  const unlock = locked && !vendored ? ['mv Cargo.lock debian/.cargo/Cargo.lock.orig'] : [];
  return {
    exports: {
      CARGO_HOME: `$(CURDIR)/${home}`,
      CARGO_TARGET_DIR: `$(CURDIR)/${home}/target`,
      CARGO_NET_OFFLINE: 'true',
      CARGO_PROFILE_RELEASE_DEBUG: 'true',
      CARGO_PROFILE_RELEASE_STRIP: 'false',
      RUSTFLAGS: `--remap-path-prefix=$(CURDIR)=/usr/src/${names.source} -C link-arg=-Wl,-z,relro,-z,now`,
    },
    targets: {
      override_dh_auto_configure: [
        `mkdir -p ${home}`,
        `printf '%s\\n' ${settings.map((line) => `"${line}"`).join(' ')} > ${home}/config.toml`,
        ...unlock,
      ],
      override_dh_auto_build: [
        `cargo build --release --offline --workspace --bins${locked && vendored ? ' --locked' : ''}`,
      ],
      override_dh_auto_test: ['cargo test --release --offline --workspace'],
      override_dh_auto_install: programs.map(
        (name) =>
          `install -D -m 0755 ${home}/target/release/${name} debian/${names.binary}/usr/bin/${name}`,
      ),
      override_dh_auto_clean: [
        ...(locked && !vendored
          ? [`test ! -e ${home}/Cargo.lock.orig || mv ${home}/Cargo.lock.orig Cargo.lock`]
          : []),
        `rm -rf ${home}`,
      ],
    },
  };
}
