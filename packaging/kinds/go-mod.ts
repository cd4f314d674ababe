import { packageNameOf } from '../debian/names.ts';

export interface GoModule {
  readonly path: string;
  /** The least version of the language, `1.22`. */
  readonly version?: string;
  /** Modules that the code imports itself; indirect ones come with them. */
  readonly requires: readonly string[];
}

const maxRequires = 2000;

/** Reads go.mod (https://go.dev/ref/mod#go-mod-file). Lines that say nothing of these are left out. */
export function readGoMod(text: string): GoModule {
  let path = '';
  let version: string | undefined;
  const requires: string[] = [];
  let block = '';
  for (const raw of text.split('\n')) {
    const indirect = /\/\/ *indirect/.test(raw);
    const words = raw
      .replace(/\/\/.*$/, '')
      .trim()
      .split(/\s+/);
    const [verb = '', first = '', second = ''] = block === '' ? words : [block, ...words];
    if (block === '' && first === '(') block = verb;
    else if (words[0] === ')') block = '';
    else if (verb === 'module') path = unquoted(first);
    else if (verb === 'go') version = /^1\.[0-9]{1,3}/.exec(first)?.[0];
    else if (
      verb === 'require' &&
      first !== '' &&
      second !== '' &&
      !indirect &&
      requires.length < maxRequires
    ) {
      requires.push(unquoted(first));
    }
  }
  return { path, requires, ...(version === undefined ? {} : { version }) };
}

function unquoted(text: string): string {
  return text.replace(/^["`]|["`]$/g, '');
}

const hosts: Readonly<Record<string, string>> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'bitbucket.org': 'bitbucket',
  'golang.org': 'golang',
  'google.golang.org': 'google',
  'cloud.google.com': 'googlecloud',
  'gopkg.in': 'gopkg',
  'go.uber.org': 'uber',
  'k8s.io': 'k8s',
  'sigs.k8s.io': 'k8s-sigs',
  'go.etcd.io': 'etcd',
};

/**
 * The package that has a module's source (the Debian Go team's packaging policy): golang-, the host without
 * its domain, the path, -dev: `github.com/spf13/pflag` is `golang-github-spf13-pflag-dev`.
 */
export function debianNameOfModule(path: string): string {
  const [host = '', ...rest] = path
    .toLowerCase()
    .replace(/\/v[0-9]+$/, '')
    .split('/');
  const site = hosts[host] ?? host.split('.').slice(0, -1).join('.');
  const name = packageNameOf(['golang', site, ...rest].filter((part) => part !== '').join('-'));
  return `${name ?? 'golang-unknown'}-dev`;
}
