import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { commonStatus } from './object.ts';
import { Duration, LocalRef, Sha256, Timestamp } from './scalars.ts';
import { Signing, SigningKeys } from './signing.ts';
import { FrozenMember } from './snapshot.ts';

const spec = Type.Object({
  snapshotRef: LocalRef('The Snapshot to serve: the line that a promotion changes.'),
  validFor: Type.Optional(
    Duration(
      'Valid-Until of the Release files, counted from their Date; renewed when half of it is ' +
        'over. `0s` leaves the field out.',
      { default: '30d' },
    ),
  ),
  signing: Signing('The key that signs the Release files of this environment.'),
  suspend: Type.Boolean({ default: false, description: 'Leave it as it is for now.' }),
});

/** What an environment serves at one mount: a frozen member under Release files of its own. */
export const PublishedMember = Type.Object({
  ...FrozenMember.properties,
  overlay: Sha256('The tree of the Release files issued for it.'),
});
export type PublishedMember = Static<typeof PublishedMember>;

/** Everything that is served now: one value, replaced at once. */
export const Publication = Type.Object(
  {
    snapshot: Type.String({ maxLength: 253, description: 'The name of the Snapshot.' }),
    snapshotUid: Type.String({ maxLength: 64, description: 'Its uid.' }),
    promotedAt: Timestamp('When this environment began to serve it.'),
    date: Timestamp('The Date of the Release files: it only ever grows.'),
    validUntil: Type.Optional(Timestamp('Their Valid-Until.')),
    inputs: Sha256('Digest of all that the Release files were made from.'),
    members: Type.Array(PublishedMember, { maxItems: 1024, description: 'Its mounts.' }),
  },
  { description: 'What is served now.' },
);
export type Publication = Static<typeof Publication>;

const status = Type.Object({
  ...commonStatus,
  published: Type.Optional(Publication),
  previous: Type.Optional(
    Type.String({
      maxLength: 253,
      description: 'The Snapshot served before: where a rollback goes.',
    }),
  ),
  history: Type.Optional(
    Type.Array(
      Type.Object({
        snapshot: Type.String({ maxLength: 253, description: 'The name of the Snapshot.' }),
        snapshotUid: Type.String({ maxLength: 64, description: 'Its uid.' }),
        from: Timestamp('When it came into service.'),
        until: Timestamp('When it was replaced.'),
        trees: Type.Array(Sha256('A tree that it served.'), {
          maxItems: 1024,
          description: 'Its trees; their indexes still answer by-hash requests for a while.',
        }),
        overlays: Type.Array(Sha256('A tree of Release files.'), {
          maxItems: 1024,
          description: 'The Release files of that time.',
        }),
      }),
      { maxItems: 10, description: 'What was served before, newest first.' },
    ),
  ),
  keys: Type.Optional(SigningKeys),
});

export const EnvironmentKind = defineKind({
  kind: 'Environment',
  plural: 'environments',
  shortNames: ['cenv'],
  summary:
    'A stable URL whose content is one Snapshot, signed so that apt follows it forwards and back.',
  spec,
  status,
  columns: [
    { name: 'Snapshot', jsonPath: '.spec.snapshotRef.name' },
    { name: 'Serving', jsonPath: '.status.published.snapshot' },
    { name: 'Suspended', jsonPath: '.spec.suspend', wide: true },
    { name: 'Previous', jsonPath: '.status.previous', wide: true },
    { name: 'Key', jsonPath: '.status.keys[0].fingerprint', wide: true },
    ...commonColumns,
  ],
});

export type Environment = ObjectOf<typeof EnvironmentKind>;
