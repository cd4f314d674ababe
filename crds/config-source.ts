import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf, type Rule, type SpecProblem } from './kind.ts';
import { commonStatus } from './object.ts';
import { Duration, OneOf, Sha256 } from './scalars.ts';

const spec = Type.Object({
  location: Type.String({
    minLength: 1,
    maxLength: 4096,
    description: 'A directory, or the URL of a git repository (without credentials).',
  }),
  branch: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'The branch; else the default one.' }),
  ),
  path: Type.String({
    default: '.',
    maxLength: 1024,
    description: 'The directory inside it that holds the manifests.',
  }),
  interval: Duration('How often to ask the git server whether the branch has moved.', {
    default: '10s',
  }),
  secretRef: Type.Optional(
    Type.Object(
      { name: Type.String({ maxLength: 253, description: 'The name of the secret.' }) },
      {
        description:
          'Credentials: username and password, or bearerToken, for https; identity and ' +
          'known_hosts for ssh.',
      },
    ),
  ),
  drift: OneOf(['Correct', 'Report'], {
    default: 'Correct',
    description:
      'What becomes of objects that somebody changes or deletes by hand: they are put back as ' +
      'their manifests say, or left as they are and listed in status.drift.',
  }),
  suspend: Type.Boolean({ default: false, description: 'Leave it as it is for now.' }),
});

const Entry = Type.Object({
  kind: Type.String({ maxLength: 63, description: 'Its kind.' }),
  namespace: Type.String({ maxLength: 63, description: 'Its namespace.' }),
  name: Type.String({ maxLength: 253, description: 'Its name.' }),
});

const DriftedObject = Type.Object({
  ...Entry.properties,
  change: OneOf(['Edited', 'Deleted', 'Contested'], {
    description:
      'Contested: it was put back several times, and somebody has changed it again each time.',
  }),
  fields: Type.Optional(
    Type.Array(
      Type.Object({
        path: Type.String({ maxLength: 512, description: 'The field, as in spec.suites.' }),
        manager: Type.Optional(
          Type.String({ maxLength: 128, description: 'The field manager that has set it.' }),
        ),
      }),
      { maxItems: 16, description: 'Declared fields with other values; at most sixteen.' },
    ),
  ),
});

/** One thing wrong in a config source. Lines and columns count from one. */
export const ManifestProblem = Type.Object({
  file: Type.String({ maxLength: 4096, description: 'The file, relative to the source.' }),
  line: Type.Integer({ minimum: 1, description: 'The line.' }),
  column: Type.Integer({ minimum: 1, description: 'The column.' }),
  message: Type.String({ maxLength: 4096, description: 'What was expected there.' }),
});
export type ManifestProblem = Static<typeof ManifestProblem>;

const status = Type.Object({
  ...commonStatus,
  revision: Type.Optional(
    Type.String({ maxLength: 256, description: 'The commit, or a digest of the directory.' }),
  ),
  objects: Type.Optional(Type.Integer({ minimum: 0, description: 'Objects it has applied.' })),
  problems: Type.Optional(
    Type.Array(ManifestProblem, {
      maxItems: 200,
      description:
        'All that is wrong in that revision. A bad document keeps its last good version.',
    }),
  ),
  prune: Type.Optional(
    Type.Object(
      {
        digest: Sha256('Approve with the annotation cairn.build/prune-approved: <this>.'),
        total: Type.Optional(
          Type.Integer({ minimum: 1, description: 'How many objects would be deleted.' }),
        ),
        objects: Type.Array(Entry, {
          maxItems: 1000,
          description: 'What would be deleted; the first thousand of it.',
        }),
      },
      { description: 'Deletions that are held because they are too many at once.' },
    ),
  ),
  drift: Type.Optional(
    Type.Object(
      {
        total: Type.Integer({ minimum: 1, description: 'How many objects there are.' }),
        objects: Type.Array(DriftedObject, {
          maxItems: 100,
          description: 'What has become of them; the first hundred.',
        }),
      },
      { description: 'Objects that are not as they are declared: somebody has changed them.' },
    ),
  ),
});

const credentials = ['^https?://[^/]*@', '^[a-z+]+://[^/@]*:[^/]*@'];
const credentialsMessage =
  'expected a URL without credentials; put them into a secret and name it in secretRef';
const option = '^-|::';
const optionMessage =
  'expected a directory, a URL or user@host:path, and a branch, none starting with -';
const pathMessage = 'expected a directory inside the source, relative to its root and without ..';

function check(source: Static<typeof spec>): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  if (credentials.some((pattern) => new RegExp(pattern).test(source.location))) {
    problems.push({ path: ['spec', 'location'], message: credentialsMessage });
  }
  if (new RegExp(option).test(source.location) || source.branch?.startsWith('-')) {
    problems.push({ path: ['spec', 'location'], message: optionMessage });
  }
  if (source.path.startsWith('/') || source.path.split('/').includes('..')) {
    problems.push({ path: ['spec', 'path'], message: pathMessage });
  }
  return problems;
}

/** The same in CEL. */
const rules: readonly Rule[] = [
  {
    rule: credentials.map((pattern) => `!self.location.matches('${pattern}')`).join(' && '),
    message: credentialsMessage,
    fieldPath: '.location',
  },
  {
    rule: `!self.location.matches('${option}') && !(has(self.branch) && self.branch.startsWith('-'))`,
    message: optionMessage,
    fieldPath: '.location',
  },
  {
    rule: "!self.path.startsWith('/') && !('..' in self.path.split('/'))",
    message: pathMessage,
    fieldPath: '.path',
  },
];

export const ConfigSourceKind = defineKind({
  kind: 'ConfigSource',
  plural: 'configsources',
  shortNames: ['cfg'],
  summary: 'A directory or git repository of manifests. `cairn run --config` makes one.',
  spec,
  status,
  internal: true,
  check,
  rules,
  columns: [
    { name: 'Location', jsonPath: '.spec.location' },
    { name: 'Objects', jsonPath: '.status.objects', type: 'integer' },
    { name: 'Revision', jsonPath: '.status.revision', wide: true },
    { name: 'Drift', jsonPath: '.spec.drift', wide: true },
    { name: 'Drifted', jsonPath: '.status.drift.total', type: 'integer', wide: true },
    ...commonColumns,
  ],
});

export type ConfigSource = ObjectOf<typeof ConfigSourceKind>;
