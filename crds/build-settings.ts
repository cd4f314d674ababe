import { Type, type Static } from 'typebox';
import { Duration, LocalRef, OneOf } from './scalars.ts';

export const GitCommit = (description: string) =>
  Type.String({ pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$', maxLength: 64, description });

export const Subdirectory = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$',
    maxLength: 512,
    examples: ['packages/hello'],
    description,
  });

/** What a build runs in, and how much of it there is: `spec.build` of a Source. */
export const BuildSettings = Type.Object(
  {
    base: Type.Object(
      {
        mirrorRef: Type.Optional(LocalRef('The Mirror that root file systems are made of.')),
        snapshotRef: Type.Optional(LocalRef('Or a Snapshot.')),
        environmentRef: Type.Optional(LocalRef('Or an Environment.')),
        suites: Type.Optional(
          Type.Array(
            Type.String({
              pattern: '^[A-Za-z0-9][A-Za-z0-9.+_~/-]*$',
              maxLength: 256,
              description: 'A suite.',
            }),
            { minItems: 1, maxItems: 16, description: 'The suites of it; all when left out.' },
          ),
        ),
        image: Type.Optional(
          Type.String({
            pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@-]*$',
            maxLength: 512,
            examples: ['debian:bookworm'],
            description: 'Or an image that the engine has, or can pull.',
          }),
        ),
        secretRef: Type.Optional(
          LocalRef(
            'With `image`: the secret with credentials for its registry, as `.dockerconfigjson` or ' +
              'as username and password. Then the registry is asked for the image by each Build.',
          ),
        ),
      },
      { description: 'The root file system: exactly one of these, made of Debian.' },
    ),
    architecture: Type.String({
      pattern: '^[a-z0-9][a-z0-9-]{1,30}$',
      maxLength: 31,
      default: 'amd64',
      description: 'The architecture that is built for.',
    }),
    network: OneOf(['None', 'Archives', 'Full'], {
      default: 'None',
      description:
        'What the build may reach: nothing, the archives of its dependencies, or public addresses.',
    }),
    timeout: Duration('A build that takes longer is ended.', { default: '4h' }),
    limits: Type.Object(
      {
        cpus: Type.Integer({ default: 2, minimum: 1, maximum: 1024, description: 'Processors.' }),
        memoryMiB: Type.Integer({
          default: 4096,
          minimum: 64,
          maximum: 2 ** 22,
          description: 'Memory, in MiB.',
        }),
        diskMiB: Type.Integer({
          default: 20480,
          minimum: 64,
          maximum: 2 ** 24,
          description: 'All that it writes, in MiB.',
        }),
        processes: Type.Integer({
          default: 4096,
          minimum: 16,
          maximum: 2 ** 20,
          description: 'Processes and threads at once.',
        }),
      },
      { default: {}, description: 'What it may use up; beyond that it is ended.' },
    ),
  },
  { description: 'What it is built in.' },
);
export type BuildSettings = Static<typeof BuildSettings>;
