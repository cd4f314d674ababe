import { Type, type Static } from 'typebox';
import { commonStatus } from './object.ts';
import { OneOf, Sha256, Timestamp } from './scalars.ts';

/** One suite of a mirror's last complete state. */
export const MirroredSuite = Type.Object(
  {
    suite: Type.String({ maxLength: 256, description: 'As the spec names it.' }),
    path: Type.String({ maxLength: 512, description: 'The directory of its Release files.' }),
    release: Sha256('SHA-256 of the InRelease (or Release) that pins this state.'),
    date: Timestamp('The Date field of that Release.'),
    validUntil: Type.Optional(Timestamp('Its Valid-Until field.')),
    publishedAt: Timestamp('When this state was put in service; served as Last-Modified.'),
    origin: Type.Optional(Type.String({ maxLength: 1024, description: 'Its Origin field.' })),
    label: Type.Optional(Type.String({ maxLength: 1024, description: 'Its Label field.' })),
    codename: Type.Optional(Type.String({ maxLength: 1024, description: 'Its Codename field.' })),
    components: Type.Array(Type.String({ maxLength: 128 }), {
      maxItems: 256,
      description: 'The mirrored components.',
    }),
    architectures: Type.Array(Type.String({ maxLength: 128 }), {
      maxItems: 256,
      description: 'The mirrored architectures.',
    }),
    sources: Type.Boolean({ description: 'Whether source packages are mirrored.' }),
    signedBy: Type.Array(Type.String({ maxLength: 64 }), {
      maxItems: 64,
      description: 'Fingerprints of the keys whose signatures were good.',
    }),
    etag: Type.Optional(Type.String({ maxLength: 1024, description: "Upstream's ETag." })),
    lastModified: Type.Optional(
      Type.String({ maxLength: 128, description: "Upstream's Last-Modified." }),
    ),
  },
  { description: 'One suite of the last complete state.' },
);
export type MirroredSuite = Static<typeof MirroredSuite>;

/** A complete, verified state of a mirror: what a Snapshot freezes. */
export const MirrorState = Type.Object(
  {
    tree: Sha256('The tree of all its files.'),
    url: Type.String({ maxLength: 2048, description: 'The upstream archive it came from.' }),
    download: OneOf(['Eager', 'Lazy'], {
      description: 'Lazy: pool files that nobody has asked for yet are still upstream only.',
    }),
    public: Type.Optional(
      Type.Boolean({ description: 'Whether the spec that asks for just this state is public.' }),
    ),
    generation: Type.Integer({ description: 'The generation of the spec it was made from.' }),
    specDigest: Sha256('Digest of the fields of the spec that decide which files are in it.'),
    completedAt: Timestamp('When the last change was complete.'),
    files: Type.Integer({ minimum: 0, description: 'Files, indexes included.' }),
    bytes: Type.Integer({ minimum: 0, description: 'Their size in bytes.' }),
    packages: Type.Integer({ minimum: 0, description: 'Pool files.' }),
    keyring: Type.Optional(Sha256('The armored keys that its signatures were checked with.')),
    suites: Type.Array(MirroredSuite, { maxItems: 64, description: 'Its suites.' }),
    missing: Type.Array(Type.String({ maxLength: 1024 }), {
      maxItems: 100,
      description: 'Files that upstream lists and does not have (the first hundred).',
    }),
  },
  { description: 'The last complete state; it is what is served and what a Snapshot freezes.' },
);
export type MirrorState = Static<typeof MirrorState>;

export const mirrorStatus = Type.Object({
  ...commonStatus,
  state: Type.Optional(MirrorState),
  predecessors: Type.Optional(
    Type.Array(
      Type.Object({
        tree: Sha256('The tree of that state.'),
        until: Timestamp('When it was replaced.'),
      }),
      {
        maxItems: 10,
        description: 'States before it, newest first; their indexes still answer by-hash requests.',
      },
    ),
  ),
  refreshInProgress: Type.Optional(
    Type.Boolean({
      description:
        'Whether a refresh is running that has found something new, or that was asked for.',
    }),
  ),
  progress: Type.Optional(
    Type.Object(
      {
        phase: Type.String({ maxLength: 64, description: 'Release, Indexes, Pool or Commit.' }),
        files: Type.Integer({ minimum: 0, description: 'Files fetched so far.' }),
        filesTotal: Type.Integer({ minimum: 0, description: 'Files to fetch.' }),
        bytes: Type.Integer({ minimum: 0, description: 'Bytes fetched so far.' }),
        bytesTotal: Type.Integer({ minimum: 0, description: 'Bytes to fetch.' }),
        bytesPerSecond: Type.Integer({ minimum: 0, description: 'The rate of late.' }),
      },
      { description: 'How far the running refresh has come.' },
    ),
  ),
  lastScheduledAt: Type.Optional(Timestamp('The last time of `schedule` that was acted on.')),
  shrink: Type.Optional(
    Type.Object(
      {
        digest: Sha256('Approve with the annotation cairn.build/shrink-approved: <this>.'),
        vanishing: Type.Integer({ minimum: 0, description: 'How many files would vanish.' }),
        of: Type.Integer({ minimum: 0, description: 'Out of how many.' }),
      },
      { description: 'A refresh that is held because too much would vanish.' },
    ),
  ),
});
