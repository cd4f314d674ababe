/** Specs of every kind, for the tests against an API server. */
import assert from 'node:assert/strict';
import { kindNamed } from '../../crds/index.ts';
import type { Kind } from '../../crds/kind.ts';

type Spec = Readonly<Record<string, unknown>>;

/** A small one of each kind. */
export const goodSpecs: Readonly<Record<string, Spec>> = {
  Mirror: { url: 'https://archive.example/debian', suites: ['bookworm'], allowUnsigned: true },
  MirrorSet: { mirrors: [{ name: 'debian' }] },
  Snapshot: { mirrorSetRef: { name: 'debian' } },
  Environment: { snapshotRef: { name: 'debian-1' } },
  Repository: { public: true },
  Source: {
    url: 'https://git.example/hello.git',
    repositoryRef: { name: 'tools' },
    build: { base: { image: 'debian:bookworm' } },
  },
  Build: {
    sourceRef: { name: 'hello' },
    url: 'https://git.example/hello.git',
    commit: '0'.repeat(40),
    ref: 'HEAD',
    maintainer: 'A <a@example.com>',
    attempt: 1,
    counter: 1,
    repositoryRef: { name: 'tools' },
    build: { base: { image: 'debian:bookworm' } },
  },
  Upload: {
    repositoryRef: { name: 'tools' },
    files: [{ name: 'hello_1.0_amd64.deb', sha256: '0'.repeat(64), size: 1 }],
  },
  ConfigSource: { location: 'https://git.example/config.git' },
};

export interface BrokenRule {
  readonly kind: Kind;
  readonly spec: Spec;
  /** The rule's own. */
  readonly message: string;
  /** What is to blame. */
  readonly field: string;
}

/** Good specs with a change that breaks one rule. */
export const brokenRules: readonly BrokenRule[] = (
  [
    ['Mirror', 'signedBy', 'expected the keys that', { allowUnsigned: false }],
    ['Mirror', 'signedBy', 'expected exactly one', { signedBy: {}, allowUnsigned: false }],
    ['Mirror', 'allowUnsigned', 'expected signedBy or', { signedBy: { file: 'keys.asc' } }],
    ['Mirror', 'schedule', 'expected interval or', { interval: '1h', schedule: '0 3 * * *' }],
    ['Mirror', 'suites', 'expected each of them once', { suites: ['a', 'b', 'a'] }],
    ['Mirror', 'components', 'expected each of them once', { components: ['main', 'main'] }],
    ['Mirror', 'architectures', 'expected each of them once', { architectures: ['a', 'a'] }],
    ['Mirror', 'suites', '/ and ./ are the same directory', { suites: ['/', './'] }],
    ['Mirror', 'schedule', 'expected five fields of cron', { schedule: '0 3 * * 5-1' }],
    ['Mirror', 'timeZone', 'expected an IANA time zone', { schedule: '0 3 * * *', timeZone: 'X' }],
    ['Upload', 'files', 'expected files, or something', { files: [] }],
    ['Upload', 'remove', 'expected exactly one of', { remove: [{ package: 'a', source: 'a' }] }],
    [
      'Upload',
      'remove',
      'expected no architecture',
      { remove: [{ source: 'a', architecture: 'all' }] },
    ],
    ['Source', 'url', 'expected a URL without', { url: 'https://me:secret@git.example/x.git' }],
    ['Source', 'url', 'expected a URL, user@host', { url: '-x' }],
    ['Source', 'ref', 'expected at most one', { ref: { branch: 'a', tag: 'b' } }],
    [
      'Source',
      'submoduleSecretRef',
      'expected only together with submodules',
      { submoduleSecretRef: { name: 'a' } },
    ],
    ['Source', 'build.base', 'expected exactly one of mirrorRef', { build: { base: {} } }],
    [
      'Source',
      'build.base.secretRef',
      'expected only together with image',
      { build: { base: { mirrorRef: { name: 'debian' }, secretRef: { name: 'registry' } } } },
    ],
    ['MirrorSet', 'mirrors', 'expected mirrors, repositories or a selector', { mirrors: [] }],
    ['Repository', 'components', 'expected each of them once', { components: ['a', 'b', 'a'] }],
    ['Repository', 'architectures', 'expected each of them once', { architectures: ['a', 'a'] }],
    ['Repository', 'architectures', 'expected single', { architectures: ['amd64', 'all'] }],
    [
      'Repository',
      'suites',
      'expected suites, each with',
      { suites: [{ name: 'a' }, { name: 'a' }] },
    ],
    [
      'Repository',
      'suites',
      'expected each of them once',
      { suites: [{ name: 'a', components: ['a', 'a'] }] },
    ],
    [
      'Repository',
      'suites',
      'expected each of them once',
      { suites: [{ name: 'a', architectures: ['a', 'a'] }] },
    ],
    [
      'Repository',
      'suites',
      'expected single',
      { suites: [{ name: 'a', architectures: ['all'] }] },
    ],
    [
      'Repository',
      'externalDependencies',
      'expected exactly one of key',
      { externalDependencies: [{ url: 'https://a.example', suites: ['a'] }] },
    ],
    [
      'Repository',
      'externalDependencies',
      'expected suites (or series',
      { externalDependencies: [{ url: 'https://a.example', key: 'k' }] },
    ],
    ['ConfigSource', 'location', 'expected a URL without', { location: 'https://a:b@git.example' }],
    ['ConfigSource', 'location', 'expected a directory, a URL', { branch: '-x' }],
    ['ConfigSource', 'path', 'expected a directory inside', { path: 'a/../..' }],
  ] as const
).map(([name, field, message, change]) => {
  const spec = { ...goodSpecs[name], ...change };
  return { kind: kindOf(name), spec, message, field: `spec.${field}` };
});

/** As much as a schema allows, where a rule has to look at it. */
export const largestSpecs: readonly (readonly [Kind, Spec])[] = [
  [
    kindOf('Mirror'),
    {
      url: `https://archive.example/${'a'.repeat(2000)}`,
      suites: different(64, 256),
      components: different(64, 128),
      architectures: different(64, 128),
      signedBy: { inline: 'k'.repeat(512 * 1024) },
      schedule: `${'1-2,'.repeat(29)}59 * * * mon`,
      timeZone: 'America/Argentina/Buenos_Aires',
      include: { translations: different(256, 32) },
    },
  ],
  [kindOf('MirrorSet'), { mirrors: different(256, 253).map((name) => ({ name })) }],
  [
    kindOf('Repository'),
    {
      suites: different(16, 64).map((name) => ({
        name,
        components: different(16, 64),
        architectures: different(16, 64),
      })),
      components: different(16, 64),
      architectures: different(16, 64),
      externalDependencies: different(16, 64).map((name) => ({
        url: `https://archive.example/${name}`,
        suites: different(16, 256),
        components: different(16, 64),
        key: 'k'.repeat(1024),
      })),
    },
  ],
  [
    kindOf('Upload'),
    {
      repositoryRef: { name: 'tools' },
      remove: different(100, 255).map((source) => ({ source, version: '1'.repeat(255) })),
    },
  ],
  [
    kindOf('ConfigSource'),
    { location: `ssh://${'a'.repeat(4090)}`, branch: 'b'.repeat(255), path: 'a/'.repeat(512) },
  ],
];

/** The kind of a name that there must be. */
export function kindOf(name: string): Kind {
  const kind = kindNamed(name);
  assert.ok(kind, name);
  return kind;
}

function different(count: number, length: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${at}`.padStart(length, 'a'));
}
