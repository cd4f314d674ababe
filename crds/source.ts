import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf, type Rule, type SpecProblem } from './kind.ts';
import { commonStatus } from './object.ts';
import { BuildSettings, GitCommit, Subdirectory } from './build-settings.ts';
import { Duration, LocalRef, ObjectName, OneOf } from './scalars.ts';

const RefName = (description: string) =>
  Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._+/@-]*$',
      minLength: 1,
      maxLength: 255,
      description,
    }),
  );

/** A Source makes one, and perhaps others under names of before. */
export const mostPackages = 100;

const spec = Type.Object({
  url: Type.String({
    minLength: 1,
    maxLength: 4096,
    examples: ['https://git.example.org/hello.git', 'git@git.example.org:hello.git'],
    description: 'The git repository: a URL without credentials, or a path of this machine.',
  }),
  ref: Type.Object(
    {
      branch: RefName('The tip of this branch.'),
      tag: RefName('This tag.'),
      semver: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9_.+/*-]{1,128}$',
          maxLength: 128,
          examples: ['v*', '1.2.*', 'release-2.*'],
          description:
            'The highest version among the tags that fit this pattern, in which a star stands for anything.',
        }),
      ),
      prereleases: Type.Boolean({
        default: false,
        description: 'With `semver`: versions such as 1.0.0-rc.1 count as well.',
      }),
    },
    { default: {}, description: 'What is built; the default branch when nothing is said.' },
  ),
  path: Type.Optional(Subdirectory('The directory inside it that is packaged.')),
  submodules: Type.Boolean({
    default: false,
    description: 'Fetch submodules as well, over the network.',
  }),
  submoduleSecretRef: Type.Optional(
    Type.Object(
      { name: ObjectName('The name of the secret.') },
      {
        description:
          'Credentials for submodules, of the same form: for those of the server of `url` over https, and of ' +
          'the hosts in known_hosts over ssh. All others are fetched without any.',
      },
    ),
  ),
  secretRef: Type.Optional(
    Type.Object(
      { name: ObjectName('The name of the secret.') },
      {
        description:
          'Credentials: username and password, or bearerToken, for https; identity and ' +
          'known_hosts for ssh.',
      },
    ),
  ),
  interval: Type.Optional(
    Duration(
      'How often to ask the git server for news: 10s when left out, and 10m where a webhook tells of it.',
    ),
  ),
  webhook: Type.Optional(
    Type.Object(
      {
        secretRef: Type.Object(
          {
            name: ObjectName('The name of the secret.'),
            key: Type.String({
              pattern: '^[-._a-zA-Z0-9]+$',
              minLength: 1,
              maxLength: 253,
              default: 'token',
              description: 'The key inside the secret.',
            }),
          },
          {
            description:
              'What git hosts sign their calls with: at least 16 characters, and the same there. ' +
              'Of several lines, each one counts.',
          },
        ),
      },
      { description: 'Be told of pushes by the git host, at the URL that the status shows.' },
    ),
  ),
  repositoryRef: Type.Object(
    {
      ...LocalRef('').properties,
      suite: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*$',
          maxLength: 64,
          description: 'Its suite; the first when left out.',
        }),
      ),
      component: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*$',
          maxLength: 64,
          description: 'Its component.',
        }),
      ),
    },
    { description: 'The Repository that the packages are published into, of the same namespace.' },
  ),
  maintainer: Type.String({
    pattern: '^[^<>@,"]{1,200} <[^<>@, ]{1,200}@[^<>@, ]{1,200}>$',
    maxLength: 404,
    default: 'Cairn <builds@cairn.build>',
    description: 'Who the packages come from, as their changelogs say.',
  }),
  build: BuildSettings,
  supersede: OneOf(['Cancel', 'Finish'], {
    default: 'Cancel',
    description: 'What becomes of a Build that is not through when a newer commit comes.',
  }),
  historyLimit: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 1000,
    description: 'So many finished Builds are kept: the newest.',
  }),
  deletionPolicy: OneOf(['Keep', 'Remove'], {
    default: 'Keep',
    description: 'What becomes of the packages that it has published when the Source is deleted.',
  }),
  suspend: Type.Boolean({ default: false, description: 'Build nothing new for now.' }),
});

const status = Type.Object({
  ...commonStatus,
  commit: Type.Optional(GitCommit('The commit that the ref was at when it was looked at last.')),
  ref: Type.Optional(
    Type.String({ maxLength: 300, description: 'The ref that was found, as in refs/heads/main.' }),
  ),
  build: Type.Optional(ObjectName('The Build of that commit.')),
  counter: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Grows with each Build; a part of the version.' }),
  ),
  version: Type.Optional(
    Type.String({ maxLength: 256, description: 'The highest version that was published.' }),
  ),
  publishedCommit: Type.Optional(GitCommit('The commit that was published last.')),
  packages: Type.Optional(
    Type.Array(
      Type.Object({
        repository: ObjectName('The Repository.'),
        source: Type.String({ maxLength: 255, description: 'The source package.' }),
      }),
      { maxItems: mostPackages, description: 'What its Builds have made, the newest last.' },
    ),
  ),
  webhookUrl: Type.Optional(
    Type.String({ maxLength: 2048, description: 'What to give to the git host as webhook.' }),
  ),
});

const credentials = ['^https?://[^/]*@', '^[a-z+]+://[^/@]*:[^/]*@'];
const credentialsMessage =
  'expected a URL without credentials; put them into a secret and name it in secretRef';
const option = '^-|::';
const optionMessage = 'expected a URL, user@host:path or a path, not starting with -';
const baseMessage = 'expected exactly one of mirrorRef, snapshotRef, environmentRef and image';
const baseSecretMessage = 'expected only together with image, for its registry';
const submoduleSecretMessage = 'expected only together with submodules: true';
const refMessage = 'expected at most one of branch, tag and semver';

function check({ url, ref, build, ...more }: Static<typeof spec>): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  if (credentials.some((pattern) => new RegExp(pattern).test(url))) {
    problems.push({ path: ['spec', 'url'], message: credentialsMessage });
  }
  if (new RegExp(option).test(url)) {
    problems.push({ path: ['spec', 'url'], message: optionMessage });
  }
  if ([ref.branch, ref.tag, ref.semver].filter((one) => one !== undefined).length > 1) {
    problems.push({ path: ['spec', 'ref'], message: refMessage });
  }
  if (more.submoduleSecretRef && !more.submodules) {
    problems.push({ path: ['spec', 'submoduleSecretRef'], message: submoduleSecretMessage });
  }
  const { suites: _, secretRef, ...bases } = build.base;
  if (Object.keys(bases).length !== 1) {
    problems.push({ path: ['spec', 'build', 'base'], message: baseMessage });
  }
  if (secretRef && bases.image === undefined) {
    problems.push({ path: ['spec', 'build', 'base', 'secretRef'], message: baseSecretMessage });
  }
  return problems;
}

/** The same in CEL. */
const rules: readonly Rule[] = [
  {
    rule: credentials.map((pattern) => `!self.url.matches('${pattern}')`).join(' && '),
    message: credentialsMessage,
    fieldPath: '.url',
  },
  { rule: `!self.url.matches('${option}')`, message: optionMessage, fieldPath: '.url' },
  {
    rule: '[has(self.ref.branch), has(self.ref.tag), has(self.ref.semver)].filter(x, x).size() <= 1',
    message: refMessage,
    fieldPath: '.ref',
  },
  {
    rule: '!has(self.submoduleSecretRef) || self.submodules',
    message: submoduleSecretMessage,
    fieldPath: '.submoduleSecretRef',
  },
  {
    rule: '[has(self.build.base.mirrorRef), has(self.build.base.snapshotRef), has(self.build.base.environmentRef), has(self.build.base.image)].filter(x, x).size() == 1',
    message: baseMessage,
    fieldPath: '.build.base',
  },
  {
    rule: '!has(self.build.base.secretRef) || has(self.build.base.image)',
    message: baseSecretMessage,
    fieldPath: '.build.base.secretRef',
  },
];

export const SourceKind = defineKind({
  kind: 'Source',
  plural: 'sources',
  shortNames: ['src'],
  summary: 'A git repository whose new commits are built and published into a Repository.',
  spec,
  status,
  check,
  rules,
  columns: [
    { name: 'Repository', jsonPath: '.spec.repositoryRef.name' },
    { name: 'Version', jsonPath: '.status.version' },
    { name: 'Commit', jsonPath: '.status.commit', wide: true },
    { name: 'Suspended', jsonPath: '.spec.suspend', wide: true },
    ...commonColumns,
  ],
});

export type Source = ObjectOf<typeof SourceKind>;

/** On a Build: the name of its Source, or the start of it where that is too long for a label. */
export const sourceLabel = 'cairn.build/source';

/** Where git hosts tell of pushes. */
export function hookPath({ metadata }: Pick<Source, 'metadata'>): string {
  return `hooks/${metadata.namespace}/${metadata.name}`;
}
