import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf, type SpecProblem } from './kind.ts';
import { commonStatus } from './object.ts';
import { uploadResult } from './repository-state.ts';
import { LocalRef, ObjectName, Sha256, Timestamp } from './scalars.ts';

/** Of one Upload. */
export const mostUploadFiles = 500;

/** Of one Upload. */
export const mostRemovals = 100;

const Name = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*$',
    minLength: 1,
    maxLength: 255,
    description,
    examples: ['hello'],
  });

const Removal = Type.Object({
  package: Type.Optional(Name('A package; its source package stays.')),
  source: Type.Optional(Name('A source package, with every package that was built from it.')),
  version: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9.+:~-]*$',
      minLength: 1,
      maxLength: 255,
      examples: ['1:1.0-1'],
      description: 'This version alone, of the source package if that is named; else every one.',
    }),
  ),
  architecture: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9][a-z0-9-]*$',
      minLength: 1,
      maxLength: 64,
      examples: ['amd64'],
      description: 'Of a package, what is for this architecture alone; `all` is one of its own.',
    }),
  ),
});

const spec = Type.Object({
  repositoryRef: LocalRef('The Repository to publish into.'),
  suite: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'The suite; that of the .changes, or else the first, when left out. What is removed ' +
        'is then removed from every one.',
    }),
  ),
  component: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'The component; that of the section, or else the first, when left out. What is removed ' +
        'is then removed from every one.',
    }),
  ),
  sourceRef: Type.Optional(
    LocalRef(
      'The Source whose Build has made the files: packages that another one has published into ' +
        'the suite are refused. Left out: a person publishes, and may.',
    ),
  ),
  takesOver: Type.Optional(
    Type.Array(ObjectName('The name of a Source.'), {
      maxItems: 16,
      description: 'Sources that are gone, or publish elsewhere: theirs may be taken over.',
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
      default: [],
      maxItems: mostUploadFiles,
      description: 'What is published: all of it, or nothing.',
    },
  ),
  remove: Type.Array(Removal, {
    default: [],
    maxItems: mostRemovals,
    description: 'What is taken out, before anything is published, and together with that.',
  }),
  ignoreMissing: Type.Boolean({
    default: false,
    description: 'It is no mistake that something which is to be removed is not there.',
  }),
});

const status = Type.Object({
  ...commonStatus,
  result: Type.Optional(uploadResult.result),
  packages: Type.Optional(uploadResult.packages),
  removed: uploadResult.removed,
  reason: uploadResult.reason,
  message: uploadResult.message,
  heldBy: uploadResult.heldBy,
  finishedAt: Type.Optional(Timestamp('When its Repository had dealt with it.')),
});

const messages = {
  something: 'expected files, or something to remove',
  one: 'expected exactly one of package and source',
  whole: 'expected no architecture: a source package goes with all that was built from it',
} as const;

/** What the schema alone can't say. */
function check({ files, remove }: Static<typeof spec>): readonly SpecProblem[] {
  const problems = remove.flatMap(({ package: name, source, architecture }, at) => {
    const path = ['spec', 'remove', at];
    return [
      ...((name === undefined) === (source === undefined) ? [{ path, message: messages.one }] : []),
      ...(source !== undefined && architecture !== undefined
        ? [{ path, message: messages.whole }]
        : []),
    ];
  });
  const isEmpty = files.length + remove.length === 0;
  return isEmpty
    ? [...problems, { path: ['spec', 'files'], message: messages.something }]
    : problems;
}

export const UploadKind = defineKind({
  kind: 'Upload',
  plural: 'uploads',
  shortNames: ['upl'],
  summary:
    'Packages that are published into a Repository, or removed from it, together: all, or none.',
  spec,
  status,
  immutable: true,
  internal: true,
  check,
  rules: [
    { rule: 'self == oldSelf', message: 'an Upload never changes; make another one' },
    {
      rule: 'size(self.files) + size(self.remove) > 0',
      message: messages.something,
      fieldPath: '.files',
    },
    {
      // `package` is a word of CEL.
      rule: 'self.remove.all(r, has(r.__package__) != has(r.source))',
      message: messages.one,
      fieldPath: '.remove',
    },
    {
      rule: 'self.remove.all(r, !has(r.source) || !has(r.architecture))',
      message: messages.whole,
      fieldPath: '.remove',
    },
  ],
  columns: [
    { name: 'Repository', jsonPath: '.spec.repositoryRef.name' },
    { name: 'Result', jsonPath: '.status.result' },
    ...commonColumns,
  ],
});

export type Upload = ObjectOf<typeof UploadKind>;
export type UploadFile = Upload['spec']['files'][number];
export type Removal = Upload['spec']['remove'][number];

/** The label by which a Repository finds its Uploads, which they have until it has dealt with them. */
export const waitsForLabel = 'cairn.build/waits-for';
