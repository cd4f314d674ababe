import { Type } from 'typebox';
import { commonColumns, defineKind, type ObjectOf } from './kind.ts';
import { commonStatus } from './object.ts';
import { uploadResult } from './repository-state.ts';
import { LocalRef, Sha256, Timestamp } from './scalars.ts';

/** Of one Upload. */
export const mostUploadFiles = 500;

const spec = Type.Object({
  repositoryRef: LocalRef('The Repository to publish into.'),
  suite: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'The suite; that of the .changes, or else the first, when left out.',
    }),
  ),
  component: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'The component; that of the section, or else the first, when left out.',
    }),
  ),
  files: Type.Array(
    Type.Object({
      name: Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~_-]*$',
        minLength: 1,
        maxLength: 255,
        examples: ['hello_1.0_amd64.deb'],
        description: 'The name of the file: it ends in .deb, .dsc, .changes, …',
      }),
      sha256: Sha256('The SHA-256 of its content, which is in the depot.'),
      size: Type.Integer({ minimum: 0, maximum: 2 ** 40, description: 'Its size in bytes.' }),
      receipt: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9_-]{43}$',
          maxLength: 43,
          description:
            'What the server has answered to who sent it, for this Repository. Without one, it is refused.',
        }),
      ),
    }),
    {
      minItems: 1,
      maxItems: mostUploadFiles,
      description: 'What is published: all of it, or nothing.',
    },
  ),
});

const status = Type.Object({
  ...commonStatus,
  result: Type.Optional(uploadResult.result),
  packages: Type.Optional(uploadResult.packages),
  reason: uploadResult.reason,
  message: uploadResult.message,
  finishedAt: Type.Optional(Timestamp('When its Repository had dealt with it.')),
});

export const UploadKind = defineKind({
  kind: 'Upload',
  plural: 'uploads',
  shortNames: ['upl'],
  summary: 'Packages that are published into a Repository together: all of them, or none.',
  spec,
  status,
  immutable: true,
  internal: true,
  rules: [{ rule: 'self == oldSelf', message: 'an Upload never changes; make another one' }],
  columns: [
    { name: 'Repository', jsonPath: '.spec.repositoryRef.name' },
    { name: 'Result', jsonPath: '.status.result' },
    ...commonColumns,
  ],
});

export type Upload = ObjectOf<typeof UploadKind>;
export type UploadFile = Upload['spec']['files'][number];

/** The label by which a Repository finds its Uploads, which they have until it has dealt with them. */
export const waitsForLabel = 'cairn.build/waits-for';
