import { validateCronExpression } from 'cron';
import { Type, type Static } from 'typebox';
import { commonColumns, defineKind, type ObjectOf, type SpecProblem } from './kind.ts';
import { commonStatus } from './object.ts';
import { Duration, OneOf, SecretKeyRef, Sha256, Timestamp } from './scalars.ts';

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

const spec = Type.Object({
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

const status = Type.Object({
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
  refreshInProgress: Type.Optional(Type.Boolean({ description: 'Whether a refresh is running.' })),
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

function check(mirror: Static<typeof spec>): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const { signedBy } = mirror;
  const given = [signedBy?.file, signedBy?.inline, signedBy?.secretRef].filter(
    (source) => source !== undefined,
  );
  if (signedBy && given.length !== 1) {
    problems.push({
      path: ['spec', 'signedBy'],
      message: 'expected exactly one of file, inline and secretRef',
    });
  }
  if (signedBy && mirror.allowUnsigned) {
    problems.push({
      path: ['spec', 'allowUnsigned'],
      message: 'expected signedBy or allowUnsigned: true, not both',
    });
  }
  if (!signedBy && !mirror.allowUnsigned) {
    problems.push({
      path: ['spec', 'signedBy'],
      message:
        'expected the keys that the archive is signed with (or allowUnsigned: true, if it is not)',
    });
  }
  if (mirror.interval !== undefined && mirror.schedule !== undefined) {
    problems.push({
      path: ['spec', 'schedule'],
      message: 'expected interval or schedule, not both',
    });
  }
  const schedule = mirror.schedule === undefined ? undefined : scheduleProblem(mirror);
  if (schedule) problems.push({ path: ['spec', 'schedule'], message: schedule });
  return problems;
}

/** What is wrong with a schedule, if anything. */
function scheduleProblem({ schedule = '', timeZone }: Static<typeof spec>): string | undefined {
  if (!isTimeZone(timeZone)) return `expected an IANA time zone such as UTC; found "${timeZone}"`;
  const isCron =
    schedule.trim().split(/\s+/).length === 5 && validateCronExpression(schedule).valid;
  return isCron
    ? undefined
    : `expected five fields of cron, such as "0 3 * * *"; found "${schedule}"`;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const MirrorKind = defineKind({
  kind: 'Mirror',
  plural: 'mirrors',
  shortNames: ['mir'],
  summary: 'A verified, byte-identical copy of an upstream APT archive, refreshed atomically.',
  spec,
  status,
  aliases: { series: 'suites' },
  check,
  rules: [
    {
      rule: 'has(self.signedBy) || self.allowUnsigned',
      message: 'signedBy is required unless allowUnsigned is true',
    },
    {
      rule: '!has(self.signedBy) || [has(self.signedBy.file), has(self.signedBy.inline), has(self.signedBy.secretRef)].filter(x, x).size() == 1',
      message: 'signedBy needs exactly one of file, inline and secretRef',
    },
    {
      rule: '!(has(self.signedBy) && self.allowUnsigned)',
      message: 'give signedBy or allowUnsigned, not both',
    },
    {
      rule: '!(has(self.interval) && has(self.schedule))',
      message: 'give interval or schedule, not both',
    },
  ],
  columns: [
    { name: 'URL', jsonPath: '.spec.url' },
    { name: 'Packages', jsonPath: '.status.state.packages', type: 'integer' },
    { name: 'Tree', jsonPath: '.status.state.tree', wide: true },
    { name: 'Suspended', jsonPath: '.spec.suspend', wide: true },
    { name: 'Refreshing', jsonPath: '.status.refreshInProgress', wide: true },
    ...commonColumns,
  ],
});

export type Mirror = ObjectOf<typeof MirrorKind>;
export type MirrorSpec = Mirror['spec'];
export type MirrorStatus = Mirror['status'];
