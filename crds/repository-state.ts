import { Type, type Static } from 'typebox';
import { MirroredSuite } from './mirror-state.ts';
import { commonStatus } from './object.ts';
import { OneOf, Sha256, Timestamp } from './scalars.ts';
import { SigningKeys } from './signing.ts';

/** How many packages a suite has, each version counted. */
const PackageCount = Type.Object({
  suite: Type.String({ maxLength: 256, description: 'The suite.' }),
  binary: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
    maxProperties: 64,
    description: 'Binary packages by architecture; those for all are counted in each.',
  }),
  source: Type.Integer({ minimum: 0, description: 'Source packages.' }),
});
export type PackageCount = Static<typeof PackageCount>;

/** A package of a Source that apt does not take. */
const HiddenPackage = Type.Object({
  suite: Type.String({ maxLength: 256, description: 'The suite.' }),
  package: Type.String({ maxLength: 256, description: 'The package.' }),
  source: Type.String({ maxLength: 253, description: 'The Source that has published it.' }),
  version: Type.String({ maxLength: 256, description: 'In this version.' }),
  by: Type.String({ maxLength: 256, description: 'The higher version, which is not of it.' }),
});
export type HiddenPackage = Static<typeof HiddenPackage>;

/** What is published: one value, replaced at once. */
export const RepositoryState = Type.Object(
  {
    tree: Sha256('The tree of all its files.'),
    date: Timestamp('The Date of its Release files: it only ever grows.'),
    changedAt: Timestamp('The Date at which its packages, or how it is declared, last changed.'),
    validUntil: Type.Optional(Timestamp('Their Valid-Until.')),
    inputs: Sha256('Digest of all but the packages that the Release files were made from.'),
    generation: Type.Integer({ description: 'The generation of the Repository it was made for.' }),
    files: Type.Integer({ minimum: 0, description: 'Files, indexes included.' }),
    bytes: Type.Integer({ minimum: 0, description: 'Their size in bytes.' }),
    packages: Type.Integer({ minimum: 0, description: 'Pool files.' }),
    binaryPackages: Type.Integer({
      minimum: 0,
      description: 'Binary packages in the pool, each version.',
    }),
    sourcePackages: Type.Integer({
      minimum: 0,
      description: 'Source packages in the pool, each version.',
    }),
    counts: Type.Array(PackageCount, { maxItems: 16, description: 'Packages of its suites.' }),
    keyring: Sha256('The armored public keys that signed it.'),
    suites: Type.Array(MirroredSuite, { maxItems: 64, description: 'Its suites.' }),
    hidden: Type.Optional(
      Type.Array(HiddenPackage, {
        maxItems: 50,
        description:
          'Packages of Sources that apt does not take, since somebody else has published a higher version.',
      }),
    ),
    owedSince: Type.Optional(
      Timestamp('Since when it lacks an index in .xz, or has a Contents that is out of date.'),
    ),
    fileLists: Type.Optional(
      Sha256('The tree of what Contents were made of: which files are in which package.'),
    ),
  },
  { description: 'What is published: what is served, and what a Snapshot freezes.' },
);
export type RepositoryState = Static<typeof RepositoryState>;

/** What became of an Upload: the part of it that a Repository and the Upload itself tell alike. */
export const uploadResult = {
  result: OneOf(['Published', 'Refused'], { description: 'All of it, or nothing.' }),
  packages: Type.Array(
    Type.String({ maxLength: 512, description: 'A package, as in `hello 1.0 amd64`.' }),
    { maxItems: 500, description: 'The packages in it.' },
  ),
  removed: Type.Optional(
    Type.Array(
      Type.String({ maxLength: 512, description: 'A package, as in `hello 1.0 amd64`.' }),
      { maxItems: 500, description: 'The packages that were taken out, as far as there is room.' },
    ),
  ),
  reason: Type.Optional(Type.String({ maxLength: 64, description: 'Why it was refused: a word.' })),
  message: Type.Optional(
    Type.String({ maxLength: 4096, description: 'Why it was refused: a sentence.' }),
  ),
  heldBy: Type.Optional(
    Type.String({
      maxLength: 253,
      description: 'The other Source that it was refused for, which has published such a package.',
    }),
  ),
} as const;

const UploadResult = Type.Object({
  uid: Type.String({ maxLength: 64, description: 'The uid of the Upload.' }),
  ...uploadResult,
});
export type UploadResult = Static<typeof UploadResult>;

const DependencyStatus = Type.Object({
  kind: OneOf(['Mirror', 'Snapshot', 'Environment', 'Repository', 'External'], {
    description: 'What it is; External: an archive elsewhere.',
  }),
  name: Type.String({ maxLength: 2048, description: 'Its name; of an archive elsewhere the URL.' }),
  via: Type.Optional(
    Type.String({ maxLength: 253, description: 'The Repository that names it, if another one.' }),
  ),
  ready: Type.Boolean({ description: 'Whether it can be used now.' }),
  message: Type.Optional(Type.String({ maxLength: 1024, description: 'Why it can not.' })),
  clientSources: Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'Where clients get its configuration, with the key inside.',
    }),
  ),
});
export type DependencyStatus = Static<typeof DependencyStatus>;

export const repositoryStatus = Type.Object({
  ...commonStatus,
  state: Type.Optional(RepositoryState),
  predecessors: Type.Optional(
    Type.Array(
      Type.Object({
        tree: Sha256('The tree of that state.'),
        until: Timestamp('When it was replaced.'),
      }),
      {
        maxItems: 50,
        description: 'States before it, newest first; their indexes still answer by-hash requests.',
      },
    ),
  ),
  uploads: Type.Optional(
    Type.Array(UploadResult, {
      maxItems: 100,
      description: 'What became of Uploads that do not tell it themselves yet.',
    }),
  ),
  keys: Type.Optional(SigningKeys),
  keyUrl: Type.Optional(
    Type.String({ maxLength: 2048, description: 'Where clients get the public keys.' }),
  ),
  binarySourceList: Type.Optional(
    Type.String({ maxLength: 65_536, description: 'Lines of sources.list(5) for its packages.' }),
  ),
  sourceSourceList: Type.Optional(
    Type.String({ maxLength: 65_536, description: 'Lines of sources.list(5) for its sources.' }),
  ),
  dependencySourceList: Type.Optional(
    Type.String({
      maxLength: 65_536,
      description: 'Lines of sources.list(5) for the archives that its packages depend on.',
    }),
  ),
  dependencies: Type.Optional(
    Type.Array(DependencyStatus, {
      maxItems: 256,
      description: 'The archives that its packages depend on, also by way of other Repositories.',
    }),
  ),
});
