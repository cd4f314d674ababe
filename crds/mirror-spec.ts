import { Type } from 'typebox';
import { Duration, OneOf, SecretKeyRef } from './scalars.ts';

const Word = (description: string, examples: string[]) =>
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9.+_-]*$', maxLength: 128, description, examples });

const Url = Type.String({
  examples: ['https://ftp.debian.org/debian'],
  pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$',
  maxLength: 2048,
  description:
    'Root of the upstream archive: the directory that holds `dists/`, or the one that a flat ' +
    'repository starts from. Credentials go into `secretRef`, never in here.',
});

export const Keys = Type.Object(
  {
    file: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1024,
        description:
          'A keyring file (armored or binary), relative to the manifest and inside its config ' +
          'source. Its text replaces this field when the manifest is applied.',
      }),
    ),
    inline: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512 * 1024,
        description: 'The keys themselves: one or more armored OpenPGP public key blocks.',
      }),
    ),
    secretRef: Type.Optional(SecretKeyRef('A secret that holds the keyring.')),
    fingerprints: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[0-9A-Fa-f]{40}([0-9A-Fa-f]{24})?!?$',
          maxLength: 65,
          examples: ['4D64FEC119C2029067D6E791F8D2585B8783D481'],
        }),
        {
          maxItems: 64,
          description:
            'Accept only these keys of the keyring. The fingerprint of a primary key stands for ' +
            'its subkeys too, unless it ends in `!`.',
        },
      ),
    ),
  },
  {
    description:
      'The OpenPGP keys that the upstream signs with: exactly one of file, inline and secretRef.',
  },
);

const Include = Type.Object(
  {
    sources: Type.Boolean({
      default: false,
      description: 'Source packages: the Sources indexes and the files that they name.',
    }),
    translations: Type.Array(
      Type.String({ pattern: '^([A-Za-z0-9_@-]+|\\*)$', maxLength: 32, examples: ['en', '*'] }),
      {
        default: ['*'],
        maxItems: 256,
        description: 'Languages of translated descriptions, such as en; `*` stands for all.',
      },
    ),
    contents: Type.Boolean({
      default: true,
      description: 'Contents indexes: which package ships which file.',
    }),
    appstream: Type.Boolean({
      default: true,
      description: 'AppStream (DEP-11) metadata and icons, for software centres.',
    }),
    commandNotFound: Type.Boolean({
      default: true,
      description: 'The indexes of command-not-found.',
    }),
    installer: Type.Boolean({
      default: false,
      description: 'debian-installer: its packages (udebs) and its boot images.',
    }),
    other: Type.Boolean({
      default: true,
      description: 'Whatever else Release lists for the chosen components and architectures.',
    }),
  },
  { default: {}, description: 'Which families of indexes to mirror beside the Packages indexes.' },
);

export const mirrorSpec = Type.Object({
  url: Url,
  suites: Type.Array(
    Type.String({
      pattern: '^(\\./|/|[A-Za-z0-9][A-Za-z0-9.+_~-]*(/[A-Za-z0-9][A-Za-z0-9.+_~-]*)*/?)$',
      maxLength: 256,
      examples: ['bookworm', 'bookworm-security', './'],
    }),
    {
      minItems: 1,
      maxItems: 64,
      description:
        'Suites or codenames: the directories below `dists/`. One that ends in a slash is a flat ' +
        'repository: a directory below `url` that holds Release and Packages; `./` is `url` itself.',
    },
  ),
  components: Type.Optional(
    Type.Array(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9.+_/-]*$',
        maxLength: 128,
        examples: ['main', 'contrib'],
      }),
      {
        maxItems: 64,
        description: 'Components, such as main; all that Release lists when this is left out.',
      },
    ),
  ),
  architectures: Type.Optional(
    Type.Array(Word('An architecture.', ['amd64', 'arm64']), {
      maxItems: 64,
      description:
        'Architectures, such as amd64; all that Release lists when this is left out. ' +
        '`all` always comes along.',
    }),
  ),
  signedBy: Type.Optional(Keys),
  allowUnsigned: Type.Boolean({
    default: false,
    description: 'Accept an archive without any signature. Anyone on the way can then change it.',
  }),
  checkValidUntil: Type.Boolean({
    default: true,
    description: 'Refuse a Release that has passed its Valid-Until. Off for frozen archives.',
  }),
  interval: Type.Optional(
    Duration('How often to look for changes; 1h when there is no schedule either.'),
  ),
  schedule: Type.Optional(
    Type.String({
      minLength: 9,
      maxLength: 128,
      examples: ['"0 3 * * *"'],
      description: 'When to look for changes instead: a cron expression of five fields.',
    }),
  ),
  timeZone: Type.String({
    default: 'UTC',
    pattern: '^[A-Za-z0-9_+/-]+$',
    examples: ['UTC', 'Europe/Berlin'],
    maxLength: 64,
    description: 'The IANA time zone that `schedule` is meant in.',
  }),
  download: OneOf(['Eager', 'Lazy'], {
    default: 'Eager',
    description:
      'Eager fetches every file before a refresh counts. Lazy fetches the indexes, and a pool ' +
      'file when somebody first asks for it; what upstream deletes before that is lost.',
  }),
  public: Type.Boolean({
    default: false,
    description: 'Serve it to everybody. Otherwise a read token is asked for.',
  }),
  include: Include,
  missingFiles: Type.Object(
    {
      indexes: OneOf(['Record', 'Fail'], {
        default: 'Record',
        description:
          'An index that Release lists and upstream does not have, or keeps having with other ' +
          'bytes: note it in the status and do not serve it, or fail. A Packages or Sources index ' +
          'must exist in one form at least.',
      }),
      pool: OneOf(['Record', 'Fail'], {
        default: 'Fail',
        description: 'The same for a file that an index names.',
      }),
    },
    { default: {}, description: 'What to do about files that upstream lists and does not have.' },
  ),
  maxShrinkPercent: Type.Integer({
    default: 25,
    minimum: 0,
    maximum: 100,
    description:
      'Hold a refresh in which more than this share of the files vanishes (and more than ten); ' +
      'the annotation cairn.build/shrink-approved lets it pass.',
  }),
  limits: Type.Object(
    {
      connections: Type.Integer({
        default: 8,
        minimum: 1,
        maximum: 64,
        description: 'Connections to one upstream host at a time.',
      }),
      bytesPerSecond: Type.Optional(
        Type.Integer({
          minimum: 1024,
          maximum: 1e12,
          description: 'Download no faster than this, over all connections.',
        }),
      ),
      stallTimeout: Duration('Give up on a connection that sends nothing for so long.', {
        default: '30s',
      }),
      retries: Type.Integer({
        default: 4,
        minimum: 0,
        maximum: 20,
        description: 'How often one file is tried again before the refresh fails.',
      }),
    },
    { default: {}, description: 'How hard to lean on the upstream.' },
  ),
  proxy: Type.Optional(
    Type.String({
      pattern: '^https?://[^\\s/?#@]+/?$',
      examples: ['http://proxy.example:3128'],
      maxLength: 2048,
      description: 'An HTTP proxy; else the environment of the server decides (http_proxy …).',
    }),
  ),
  secretRef: Type.Optional(
    Type.Object(
      {
        name: Type.String({
          pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
          maxLength: 253,
          examples: ['upstream-credentials'],
          description: 'The name of the secret.',
        }),
      },
      {
        description:
          'A secret with credentials for the upstream: username and password, or bearerToken; ' +
          'proxyUsername and proxyPassword for the proxy.',
      },
    ),
  ),
  suspend: Type.Boolean({ default: false, description: 'Leave it as it is for now.' }),
});
