import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { MirroredSuite } from './mirror.ts';
import { commonStatus } from './object.ts';
import { LocalRef, OneOf, Sha256, Timestamp } from './scalars.ts';

const spec = Type.Object({
  mirrorSetRef: LocalRef('The MirrorSet to freeze.'),
});

/** One frozen member: all that is needed to serve it, and to sign it anew, without its Mirror. */
export const FrozenMember = Type.Object(
  {
    mirror: Type.String({ maxLength: 253, description: 'The name of the Mirror or Repository.' }),
    kind: Type.Optional(
      OneOf(['Repository'], { description: 'What it was taken from, unless that was a Mirror.' }),
    ),
    path: Type.String({
      maxLength: 2048,
      description:
        'Where it is served below the snapshot: <upstream host>/<upstream path>, or ' +
        'repositories/<namespace>/<name>.',
    }),
    url: Type.String({
      maxLength: 2048,
      description: 'The upstream archive; of a Repository the path that it is served at.',
    }),
    tree: Sha256('The tree of all its files.'),
    generation: Type.Integer({ description: 'The generation of what it was taken from.' }),
    public: Type.Boolean({ description: 'Whether it is served to everybody.' }),
    download: OneOf(['Eager', 'Lazy'], {
      description: 'Lazy: pool files that nobody has asked for yet still come from upstream.',
    }),
    keyring: Type.Optional(Sha256('The armored keys that sign it.')),
    packages: Type.Integer({ minimum: 0, description: 'Pool files.' }),
    suites: Type.Array(MirroredSuite, { maxItems: 64, description: 'Its suites.' }),
  },
  { description: 'One member of a snapshot.' },
);
export type FrozenMember = Static<typeof FrozenMember>;

const status = Type.Object({
  ...commonStatus,
  id: Type.Optional(
    Type.String({ maxLength: 64, description: 'The uid: a URL with it never changes meaning.' }),
  ),
  takenAt: Type.Optional(Timestamp('When the cut was taken.')),
  mirrorSet: Type.Optional(
    Type.String({ maxLength: 253, description: 'The MirrorSet that was frozen.' }),
  ),
  members: Type.Optional(
    Type.Array(FrozenMember, { maxItems: 1024, description: 'The frozen members.' }),
  ),
  packages: Type.Optional(Type.Integer({ minimum: 0, description: 'Pool files of all members.' })),
  expiresAt: Type.Optional(
    Timestamp('The first Valid-Until of its upstream Release files, if any has one.'),
  ),
});

export const SnapshotKind = defineKind({
  kind: 'Snapshot',
  plural: 'snapshots',
  shortNames: ['snap'],
  summary: 'An immutable freeze of every member of a MirrorSet, taken at one instant.',
  spec,
  status,
  immutable: true,
  rules: [{ rule: 'self == oldSelf', message: 'a Snapshot never changes; make another one' }],
  columns: [
    { name: 'MirrorSet', jsonPath: '.spec.mirrorSetRef.name' },
    { name: 'Packages', jsonPath: '.status.packages', type: 'integer' },
    { name: 'ID', jsonPath: '.status.id', wide: true },
    { name: 'Taken', jsonPath: '.status.takenAt', wide: true },
    ...commonColumns,
  ],
});

export type Snapshot = ObjectOf<typeof SnapshotKind>;
