import { Type, type Static } from 'typebox';
import { BuildSettings, GitCommit, Subdirectory } from './build-settings.ts';
import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { commonStatus } from './object.ts';
import { LocalRef, ObjectName, OneOf, Sha256, Timestamp } from './scalars.ts';

/** Everything that decides what comes out; it never changes. */
const spec = Type.Object({
  sourceRef: LocalRef('The Source that it was made for.'),
  url: Type.String({ minLength: 1, maxLength: 4096, description: 'The git repository.' }),
  commit: GitCommit('The commit that is built.'),
  ref: Type.String({ maxLength: 300, description: 'The ref that it was found at.' }),
  path: Type.Optional(Subdirectory('The directory inside it that is packaged.')),
  submodules: Type.Boolean({ default: false, description: 'Whether submodules are fetched.' }),
  secretRef: Type.Optional(LocalRef('The secret with the credentials for git.')),
  submoduleSecretRef: Type.Optional(LocalRef('The secret with those for submodules.')),
  maintainer: Type.String({ maxLength: 404, description: 'Who the packages come from.' }),
  attempt: Type.Integer({ minimum: 1, description: 'The how-manieth of this commit it is.' }),
  counter: Type.Integer({ minimum: 1, description: 'The part of the version that grows.' }),
  lastVersion: Type.Optional(
    Type.String({ maxLength: 256, description: 'The version has to be higher than this one.' }),
  ),
  repositoryRef: Type.Object(
    {
      name: ObjectName('The name of that object.'),
      suite: Type.Optional(Type.String({ maxLength: 64, description: 'Its suite.' })),
      component: Type.Optional(Type.String({ maxLength: 64, description: 'Its component.' })),
    },
    { description: 'Where its packages are published.' },
  ),
  build: BuildSettings,
});

/** Launchpad's words. */
export const buildResults = [
  ...['Succeeded', 'DependencyWait', 'ChrootProblem', 'FailedToBuild', 'FailedToUpload'],
  ...['Superseded', 'Cancelled', 'BuilderLost'],
] as const;

const Inputs = Type.Object(
  {
    image: Type.String({ maxLength: 128, description: 'The image that it ran in, by its digest.' }),
    base: Type.String({ maxLength: 128, description: 'The base of that image, by its digest.' }),
    archives: Type.Array(
      Type.Object({
        uri: Type.String({ maxLength: 2048, description: 'The archive.' }),
        suite: Type.String({ maxLength: 256, description: 'Its suite.' }),
        digest: Type.String({ maxLength: 128, description: 'The SHA-256 of its Release file.' }),
      }),
      { maxItems: 256, description: 'The archives that it could install from.' },
    ),
  },
  { description: 'What it was built with, by digests.' },
);

const status = Type.Object({
  ...commonStatus,
  phase: Type.Optional(
    OneOf(['Queued', 'Preparing', 'Building', 'Publishing', 'Finished'], {
      description: 'How far it is.',
    }),
  ),
  queuedAt: Type.Optional(Timestamp('When it was made.')),
  preparingAt: Type.Optional(Timestamp('When its root file system began to be made.')),
  buildingAt: Type.Optional(Timestamp('When it began to run.')),
  publishingAt: Type.Optional(Timestamp('When its packages were handed to the Repository.')),
  finishedAt: Type.Optional(Timestamp('When all was over.')),
  result: Type.Optional(OneOf(buildResults, { description: 'What came of it.' })),
  message: Type.Optional(
    Type.String({
      maxLength: 4096,
      description: 'Why it did not succeed; the end of its log. Else what is odd.',
    }),
  ),
  missing: Type.Optional(
    Type.Array(Type.String({ maxLength: 512, description: 'A relation.' }), {
      maxItems: 100,
      description: 'With `DependencyWait`: what the archives do not have.',
    }),
  ),
  heldBy: Type.Optional(
    ObjectName('With `FailedToUpload`: the Source that has published such a package.'),
  ),
  sourceName: Type.Optional(Type.String({ maxLength: 256, description: 'The source package.' })),
  version: Type.Optional(Type.String({ maxLength: 256, description: 'Its version.' })),
  kind: Type.Optional(Type.String({ maxLength: 64, description: 'What kind of project it is.' })),
  inputs: Type.Optional(Inputs),
  artifacts: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ maxLength: 256, description: 'The name of the file.' }),
        sha256: Sha256('The SHA-256 of its content.'),
        size: Type.Integer({ minimum: 0, description: 'Its size in bytes.' }),
      }),
      { maxItems: 1000, description: 'What it made.' },
    ),
  ),
  buildinfo: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Which of them says what was installed when the packages were built.',
    }),
  ),
  log: Type.Optional(
    Type.Object(
      {
        sha256: Sha256('The SHA-256 of it.'),
        size: Type.Integer({ minimum: 0, description: 'Its size in bytes.' }),
      },
      { description: 'The log, at /builds/NAMESPACE/NAME/log.' },
    ),
  ),
  provenance: Type.Optional(
    Type.Object(
      {
        sha256: Sha256('The SHA-256 of the envelope.'),
        size: Type.Integer({ minimum: 0, description: 'Its size in bytes.' }),
        signature: Sha256('The SHA-256 of the detached signature of that file.'),
        signedBy: Type.Array(Type.String({ maxLength: 64 }), {
          maxItems: 8,
          description: 'The fingerprints of the keys of the Repository that signed it.',
        }),
      },
      { description: 'Where its packages come from, at /builds/NAMESPACE/NAME/provenance.json.' },
    ),
  ),
  logUrl: Type.Optional(Type.String({ maxLength: 2600, description: 'Where its log is.' })),
  artifactsUrl: Type.Optional(
    Type.String({ maxLength: 2600, description: 'What the names of artifacts go behind.' }),
  ),
  provenanceUrl: Type.Optional(
    Type.String({ maxLength: 2600, description: 'Where its provenance is.' }),
  ),
});

export const BuildKind = defineKind({
  kind: 'Build',
  plural: 'builds',
  shortNames: ['bld'],
  summary: 'One attempt to build a commit of a Source. Sources make them.',
  spec,
  status,
  immutable: true,
  internal: true,
  rules: [{ rule: 'self == oldSelf', message: 'a Build never changes; ask for another one' }],
  columns: [
    { name: 'Source', jsonPath: '.spec.sourceRef.name' },
    { name: 'Phase', jsonPath: '.status.phase' },
    { name: 'Result', jsonPath: '.status.result' },
    { name: 'Version', jsonPath: '.status.version' },
    { name: 'Commit', jsonPath: '.spec.commit', wide: true },
    ...commonColumns,
  ],
});

export type Build = ObjectOf<typeof BuildKind>;
export type BuildStatus = Static<typeof status>;
export type BuildResult = (typeof buildResults)[number];

/** Below what its log, its artifacts and its provenance are served. */
export function buildPath({ metadata }: Pick<Build, 'metadata'>): string {
  return `builds/${metadata.namespace}/${metadata.name}`;
}
