import { Type } from 'typebox';
import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { commonStatus } from './object.ts';
import { LocalRef, OneOf } from './scalars.ts';

const spec = Type.Object({
  mirrors: Type.Array(LocalRef('A Mirror of the same namespace.'), {
    default: [],
    maxItems: 256,
    description: 'The members by name.',
  }),
  repositories: Type.Array(LocalRef('A Repository of the same namespace.'), {
    default: [],
    maxItems: 256,
    description: 'More members by name: repositories of your own.',
  }),
  selector: Type.Optional(
    Type.Object(
      {
        matchLabels: Type.Record(Type.String(), Type.String({ maxLength: 63 }), {
          maxProperties: 32,
          description: 'Labels that a member has.',
        }),
      },
      {
        description:
          'The members by label: every Mirror and Repository that has all of these labels.',
      },
    ),
  ),
  suspend: Type.Boolean({ default: false, description: 'Leave it as it is for now.' }),
});

const status = Type.Object({
  ...commonStatus,
  members: Type.Optional(
    Type.Array(
      Type.Object({
        name: Type.String({ maxLength: 253, description: 'The name of the member.' }),
        kind: Type.Optional(
          OneOf(['Repository'], { description: 'What it is, unless it is a Mirror.' }),
        ),
        ready: Type.Boolean({ description: 'Whether it has a complete state.' }),
        packages: Type.Integer({ minimum: 0, description: 'Pool files in that state.' }),
      }),
      { maxItems: 1024, description: 'The members found, sorted by name.' },
    ),
  ),
  membersReady: Type.Optional(
    Type.String({ maxLength: 32, description: 'How many are ready, as in 2/3.' }),
  ),
});

const noMembers = 'expected mirrors, repositories or a selector';

export const MirrorSetKind = defineKind({
  kind: 'MirrorSet',
  plural: 'mirrorsets',
  shortNames: ['mset'],
  summary: 'A set of Mirrors and Repositories that are frozen together, with one readiness.',
  spec,
  status,
  check: (set) =>
    set.mirrors.length + set.repositories.length === 0 && set.selector === undefined
      ? [{ path: ['spec', 'mirrors'], message: noMembers }]
      : [],
  rules: [
    {
      rule: 'has(self.selector) || self.mirrors.size() + self.repositories.size() > 0',
      message: noMembers,
      fieldPath: '.mirrors',
    },
  ],
  columns: [{ name: 'Members', jsonPath: '.status.membersReady' }, ...commonColumns],
});

export type MirrorSet = ObjectOf<typeof MirrorSetKind>;
