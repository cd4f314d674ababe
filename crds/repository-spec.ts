import { Type, type Static } from 'typebox';
import { Duration, ObjectName, OneOf, SecretKeyRef } from './scalars.ts';
import { Signing } from './signing.ts';

/** A suite, component or architecture: one part of a path, and one word of sources.list(5). */
const Word = (description: string, examples: readonly string[]) =>
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*$',
    minLength: 1,
    maxLength: 64,
    description,
    examples: [...examples],
  });

/** The value of a field of a Release file. */
const Line = (description: string) =>
  Type.String({
    pattern: '^[!-~]([ -~]*[!-~])?$',
    minLength: 1,
    maxLength: 256,
    description,
  });

const most = 16;
const Words = (word: ReturnType<typeof Word>, description: string, options: object = {}) =>
  Type.Array(word, { minItems: 1, maxItems: most, description, ...options });

const component = Word('A component.', ['main']);
const architecture = Word('An architecture.', ['amd64']);

const Suite = Type.Object({
  name: Word('The name, which clients write into their sources.', ['stable', 'bookworm']),
  codename: Type.Optional(Word('Its Codename; the name when left out.', ['bookworm'])),
  version: Type.Optional(Line('Its Version.')),
  origin: Type.Optional(Line('Its Origin, if it has one of its own.')),
  label: Type.Optional(Line('Its Label, if it has one of its own.')),
  description: Type.Optional(Line('Its Description, if it has one of its own.')),
  components: Type.Optional(Words(component, 'Its components, if they are others.')),
  architectures: Type.Optional(Words(architecture, 'Its architectures, if they are others.')),
  notAutomatic: Type.Boolean({
    default: false,
    description: 'Clients install nothing from it unless they are told to (pinned at 1).',
  }),
  butAutomaticUpgrades: Type.Boolean({
    default: false,
    description: 'But they upgrade what they have from it (pinned at 100).',
  }),
});

const ExternalDependency = Type.Object({
  url: Type.String({
    pattern: "^https?://[A-Za-z0-9.:_\\[\\]-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$",
    maxLength: 2048,
    examples: ['https://archive.example.com/ubuntu'],
    description: 'Root of the archive: the directory that holds `dists/`.',
  }),
  suites: Type.Optional(
    Words(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+_~-]*(/[A-Za-z0-9][A-Za-z0-9.+_~-]*)*$',
        maxLength: 256,
        examples: ['bookworm'],
      }),
      'Its suites.',
    ),
  ),
  series: Type.Optional(
    Words(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+_~-]*(/[A-Za-z0-9][A-Za-z0-9.+_~-]*)*$',
        maxLength: 256,
        examples: ['bookworm'],
      }),
      'An older name of `suites`.',
    ),
  ),
  components: Words(component, 'Its components.', { default: ['main'] }),
  key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128 * 1024,
      description: 'The armored OpenPGP keys that it is signed with.',
    }),
  ),
  keyRef: Type.Optional(SecretKeyRef('A secret that holds these keys, in place of `key`.')),
});

const Dependency = Type.Object({
  kind: OneOf(['Mirror', 'Snapshot', 'Environment', 'Repository'], {
    description: 'What it is.',
  }),
  name: ObjectName('The name of that object, of the same namespace.'),
});

export const repositorySpec = Type.Object({
  suites: Type.Array(Suite, {
    minItems: 1,
    maxItems: most,
    default: [{ name: 'stable' }],
    description: 'The suites. Packages are published into one of them: the first, unless told.',
  }),
  components: Words(component, 'The components of every suite.', { default: ['main'] }),
  architectures: Words(
    architecture,
    'The architectures. Packages for `all` are in the index of each of them.',
    { default: ['amd64'] },
  ),
  origin: Type.Optional(Line('The Origin of its Release files; its name when left out.')),
  label: Type.Optional(Line('The Label of its Release files; its name when left out.')),
  description: Type.Optional(Line('The Description of its Release files.')),
  validFor: Type.Optional(
    Duration('Valid-Until of the Release files; renewed when half of it is over.'),
  ),
  public: Type.Boolean({
    default: false,
    description: 'Serve it to everybody. Otherwise a read token is asked for.',
  }),
  signing: Signing('The key that signs its Release files.'),
  retention: Type.Object(
    {
      keepVersions: Type.Integer({
        default: 10,
        minimum: 1,
        maximum: 10_000,
        description: 'So many versions of a package stay in a suite: the newest.',
      }),
    },
    { default: {}, description: 'What stays when more comes.' },
  ),
  externalDependencies: Type.Array(ExternalDependency, {
    default: [],
    maxItems: most,
    description: 'Archives elsewhere that its packages are built against.',
  }),
  dependencies: Type.Array(Dependency, {
    default: [],
    maxItems: 64,
    description: 'What Cairn itself has that its packages are built against.',
  }),
  suspend: Type.Boolean({ default: false, description: 'Leave it as it is for now.' }),
});

export type RepositorySpec = Static<typeof repositorySpec>;
