/** Who may import what, who may touch the process, and what no file may hold. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { repositoryFiles, root } from './repository.ts';

/** Exceptions from a rule: file → why. One that is not needed any more fails as well. */
type Exceptions = Readonly<Record<string, string>>;

/** What each module may import, beside itself: `controller → reconcilers → {apt, depot, builders, packaging} → crds`. */
const layers: Readonly<Record<string, readonly string[]>> = {
  crds: [],
  apt: ['crds'],
  depot: ['crds'],
  builders: ['apt', 'crds'],
  packaging: ['apt', 'crds'],
  reconcilers: ['apt', 'depot', 'builders', 'packaging', 'crds'],
  controller: ['reconcilers', 'apt', 'depot', 'builders', 'packaging', 'crds'],
};

const layerExceptions: Exceptions = {};

/** Folders of `reconcilers/` that are not of one kind. */
const sharedFolders = ['archives', 'fetch', 'git', 'signing', 'threads'];

const kindExceptions: Exceptions = {
  'reconcilers/snapshot/index.ts → reconcilers/mirror-set/frozen.ts':
    'what a cut keeps of a member, whichever kind that is',
  'reconcilers/snapshot/index.ts → reconcilers/mirror-set/members.ts':
    'a cut and a set must mean the same members',
};

const childProcessUsers: Exceptions = {
  'controller/cli/demo-proof.ts': 'has apt prove that the demo works',
  'controller/cli/program.ts': 'runs git for `cairn init --git`',
  'depot/file-system-sync.ts': 'syncfs, which Node does not have: coreutils do it',
  'reconcilers/repository/xz.ts':
    'runs xz, for minutes: at the lowest priority, and with its own memory',
};

const processUsers: Exceptions = {
  'controller/main.ts': 'the process itself: arguments, streams, signals, exit status',
  'controller/cli/demo-proof.ts': 'getuid: apt drops root for another user, unless told not to',
  'controller/leader/clock.ts': 'hrtime: the one clock that all threads share',
  'controller/leader/watchdog.ts': 'kill and pid: a process whose main thread stands still',
  'controller/http/system-routes.ts': 'platform and arch, for /version',
  'controller/store/lock.ts': 'pid, told to whoever finds the data directory taken',
  'reconcilers/fetch/dispatcher.ts': 'env: whether it names a proxy',
  'reconcilers/git/command.ts': 'env: git gets an allow-list of it',
};

const mostCodeLines = 300;

const longFiles: Exceptions = {};

const defaultExports: Exceptions = {
  'scripts/test-reporter.ts': 'node:test asks for one',
};

interface Source {
  readonly file: string;
  readonly text: string;
  /** Without comments, strings and regular expressions. */
  readonly code: string;
}

const sources: readonly Source[] = repositoryFiles()
  .filter((file) => file.endsWith('.ts'))
  .map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return { file, text, code: codeOf(text) };
  });

const product = sources.filter(({ file }) => topOf(file) in layers);
const shipped = sources.filter(({ file }) => topOf(file) in layers || topOf(file) === 'scripts');

function topOf(file: string): string {
  return file.split('/')[0] ?? '';
}

/** Leaves the code: what is in comments, strings and regular expressions says nothing here. */
function codeOf(text: string): string {
  const parts =
    /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|\$\{[^}]*\}|[^`\\])*`|(?<=[=(,:?&|[{};!]\s*|return )\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  return text.replace(parts, (part) => (part.startsWith('`') ? interpolations(part) : blank(part)));
}

/** Code inside of a template string is code. */
function interpolations(template: string): string {
  return `''${[...template.matchAll(/\$\{([^}]*)\}/g)].map(([, code = '']) => ` (${code})`).join('')}`;
}

function blank(part: string): string {
  return part.startsWith('/') ? part.replace(/[^\n]/g, ' ') : "''";
}

/** What a file imports, statically, dynamically or as the file of a worker. */
function importsOf({ text }: Source): readonly string[] {
  const forms = [
    /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm,
    /\b(?:import|require)\(\s*'([^']+)'/g,
    /createRequire\(import\.meta\.url\)\('([^']+)'\)/g,
    /new URL\('(\.[^']*\.ts)', import\.meta\.url\)/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map(([, name = '']) => name));
}

/** The imports of this repository's own files, as `from → to`. */
function ownImports(source: Source): readonly { readonly from: string; readonly to: string }[] {
  return importsOf(source)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({ from: source.file, to: normalize(join(dirname(source.file), name)) }));
}

/** Fails for what breaks a rule without being an exception, and for exceptions that nobody needs. */
function onlyExcepted(found: readonly string[], exceptions: Exceptions): void {
  assert.deepEqual([...new Set(found)].sort(), Object.keys(exceptions).sort());
}

function filesWhere(list: readonly Source[], pattern: RegExp): string[] {
  return list.filter(({ code }) => pattern.test(code)).map(({ file }) => file);
}

describe('imports', () => {
  it('point one way: controller → reconcilers → apt, depot and builders → crds', () => {
    const wrong = product
      .flatMap(ownImports)
      .filter(({ from, to }) => {
        const [own, other] = [topOf(from), topOf(to)];
        return other !== own && other !== 'package.json' && !layers[own]?.includes(other);
      })
      .map(({ from, to }) => `${from} → ${to}`);

    onlyExcepted(wrong, layerExceptions);
  });

  it('of one kind’s reconciler never lead into another’s folder', () => {
    const folderOf = (file: string) => /^reconcilers\/([^/]+)\//.exec(file)?.[1];
    const wrong = product
      .flatMap(ownImports)
      .filter(({ from, to }) => {
        const [own, other] = [folderOf(from), folderOf(to)];
        if (own === undefined || other === undefined || own === other) return false;
        return !sharedFolders.includes(other);
      })
      .map(({ from, to }) => `${from} → ${to}`);

    onlyExcepted(wrong, kindExceptions);
  });

  it('lead to files that exist', () => {
    const files = new Set(repositoryFiles());
    const lost = sources.flatMap(ownImports).filter(({ to }) => !files.has(to));
    assert.deepEqual(lost, []);
  });

  it('of libraries are declared in package.json, and every declared library is used', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const builtin = new Set(builtinModules);
    const used = product
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtin.has(name))
      .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);

    assert.deepEqual([...new Set(used)].sort(), Object.keys(dependencies).sort());
  });

  it('name built-in modules with node:', () => {
    const bare = sources.flatMap((source) =>
      importsOf(source)
        .filter((name) => !name.startsWith('node:') && builtinModules.includes(name))
        .map((name) => `${source.file}: ${name}`),
    );
    assert.deepEqual(bare, []);
  });
});

describe('only a few files', () => {
  it('start other programs', () => {
    const users = shipped.filter((source) =>
      importsOf(source).some((name) => /^(node:)?(child_process|cluster)$/.test(name)),
    );
    onlyExcepted(
      users.map(({ file }) => file),
      childProcessUsers,
    );
  });

  it('touch the process: its arguments, environment, exit', () => {
    onlyExcepted(filesWhere(product, /(?<![\w.])process\s*[.[;,)]/), processUsers);
    assert.deepEqual(
      product
        .filter((source) => importsOf(source).includes('node:process'))
        .map(({ file }) => file),
      [],
    );
  });

  it('write to the console: none does', () => {
    assert.deepEqual(filesWhere(product, /(?<![\w.])console\./), []);
  });
});

describe('no file', () => {
  it(`has more than ${mostCodeLines} lines of code`, () => {
    const long = shipped.filter(
      ({ code }) => code.split('\n').filter((line) => line.trim() !== '').length > mostCodeLines,
    );
    onlyExcepted(
      long.map(({ file }) => file),
      longFiles,
    );
  });

  it('says any', () => {
    const any = /(?::|<|\||&|\bas|\bextends)\s*any\b(?!\s*[:(.=])|<[^<>()]*,\s*any\s*>/;
    assert.deepEqual(filesWhere(sources, any), []);
  });

  it('claims that something is not null', () => {
    const claim = /[\w)\]]!(?:[.;,)\]}[(]|\s*$|\s+(?!=))/m;
    assert.deepEqual(filesWhere(sources, claim), []);
  });

  it('has an enum or a namespace', () => {
    assert.deepEqual(
      filesWhere(sources, /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w+/m),
      [],
    );
    assert.deepEqual(filesWhere(sources, /^\s*(export\s+)?(declare\s+)?namespace\s+\w+/m), []);
  });

  it('has a default export', () => {
    onlyExcepted(filesWhere(sources, /^export\s+default\b/m), defaultExports);
  });

  it('is named in another way than kebab-case', () => {
    const odd = sources
      .map(({ file }) => file)
      .filter(
        (file) =>
          !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.(test|contract))?\.ts$/.test(file),
      );
    assert.deepEqual(odd, []);
  });

  it('skips tests or keeps others from running', () => {
    const skipping = /\b(test|it|describe)\.(skip|only|todo)\b|\bt(est)?\.(skip|todo)\(/;
    const testing = sources.filter(({ file }) => topOf(file) === 'test');
    assert.deepEqual(filesWhere(testing, skipping), []);
  });

  it('mocks modules of ours', () => {
    assert.deepEqual(filesWhere(sources, /\bmock\.module\(/), []);
  });
});
