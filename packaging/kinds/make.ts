import type { Look, Recipe, Rules } from '../recipe.ts';
import { resolveLibraries, type Wanted } from '../tables/resolve.ts';
import type { Tree } from '../tree.ts';
import { installNewPrograms } from './collected.ts';

/** make(1) and GNU make look for them in this order. */
const names = ['GNUmakefile', 'makefile', 'Makefile'];

/** A plain Makefile: installed by its own target, or what it builds goes to /usr/bin. */
export async function detectMake({ tree, request }: Look): Promise<Recipe | undefined> {
  const file = names.find((name) => tree.has(name));
  if (file === undefined) return undefined;
  const makefile = readMakefile((await tree.text(file)) ?? '');
  const needs = resolveLibraries(makefile.wanted, request.available);
  const compiles = isCompiled(tree);
  const way = wayOf(makefile);
  return {
    kind: 'Make',
    architecture: compiles ? 'any' : 'all',
    buildDepends: [...(makefile.usesPkgConfig ? ['pkgconf'] : []), ...needs.packages],
    depends: compiles ? ['${shlibs:Depends}'] : [],
    dhArguments: '--buildsystem=makefile',
    rules: ({ binary }) => rulesOf(makefile, binary),
    installsItself: way !== 'none',
    notes: [`${file}: ${ways[way]}`, ...needs.notes],
  };
}

interface Makefile {
  readonly installs: boolean;
  readonly destdir: boolean;
  readonly prefixes: readonly string[];
  readonly usesPkgConfig: boolean;
  readonly wanted: readonly Wanted[];
}

function readMakefile(text: string): Makefile {
  const plain = text.replace(/^[ \t]{0,8}#.*$/gm, '');
  const uses = (variable: string) =>
    plain.includes(`$(${variable})`) || plain.includes(`\${${variable}}`);
  const modules = [...plain.matchAll(/pkg-config((?: +[\w.+-]{1,60}){1,20})/g)].flatMap(
    ([, words = '']) => words.split(/ +/).filter((word) => /^[A-Za-z]/.test(word)),
  );
  const libraries = [...plain.matchAll(/(?:^|[\s=])-l([a-z][\w+.-]{0,60})/gm)].map(
    ([, name = '']) => name,
  );
  return {
    installs: /^install[ \t]{0,8}::?(?!=)/m.test(plain),
    destdir: uses('DESTDIR'),
    prefixes: ['PREFIX', 'prefix'].filter(uses),
    usesPkgConfig: /pkg-?conf/i.test(plain),
    wanted: [
      ...modules.map((name) => ({ by: 'pkg-config', name, required: true }) as const),
      ...libraries.map((name) => ({ by: 'linker', name, required: true }) as const),
    ],
  };
}

const ways = {
  destdir: '`make install` with DESTDIR',
  prefix: '`make install` into a prefix, without DESTDIR',
  none: 'no installation that can be led elsewhere; the programs that it makes go to /usr/bin',
};

function wayOf({ installs, destdir, prefixes }: Makefile): keyof typeof ways {
  if (!installs) return 'none';
  if (destdir) return 'destdir';
  return prefixes.length > 0 ? 'prefix' : 'none';
}

function rulesOf(makefile: Makefile, binary: string): Rules {
  const way = wayOf(makefile);
  const usr = makefile.prefixes.map((name) => `${name}=/usr`).join(' ');
  const build = usr === '' ? 'dh_auto_build' : `dh_auto_build -- ${usr}`;
  if (way === 'destdir') {
    const install = usr === '' ? 'dh_auto_install' : `dh_auto_install -- ${usr}`;
    return {
      targets: {
        override_dh_auto_build: [build],
        override_dh_auto_install: [install],
        execute_after_dh_auto_install: moveToPlaces(binary),
      },
    };
  }
  if (way === 'prefix') {
    const target = `$(CURDIR)/debian/${binary}/usr`;
    const into = makefile.prefixes.map((name) => `${name}=${target}`).join(' ');
    return {
      targets: {
        override_dh_auto_build: [build],
        // Such targets expect that the folders are there.
        override_dh_auto_install: [`mkdir -p ${target}/bin`, `$(MAKE) install ${into}`],
        execute_after_dh_auto_install: moveToPlaces(binary),
      },
    };
  }
  return {
    targets: {
      override_dh_auto_build: ['touch debian/.before-build', build],
      override_dh_auto_install: installNewPrograms('debian/.before-build', binary),
      execute_after_dh_auto_clean: ['rm -f debian/.before-build'],
    },
  };
}

/** Makefiles that know of the prefix install manuals where they were in the nineties; some know of /usr/local only. */
function moveToPlaces(binary: string): string[] {
  const usr = `debian/${binary}/usr`;
  const move = (from: string, to: string) =>
    `if [ -d ${usr}/${from} ]; then mkdir -p ${usr}/${to} && cp -a ${usr}/${from}/. ${usr}/${to}/ && rm -r ${usr}/${from}; fi`;
  return [move('local', '.'), ...['man', 'info', 'doc'].map((name) => move(name, `share/${name}`))];
}

function isCompiled(tree: Tree): boolean {
  return tree.files.some((file) => /\.(c|cc|cpp|cxx|C|s|S|f|f90|d|zig|pas|adb|m)$/.test(file));
}
