import { parseArgs } from 'node:util';

export const works = [
  'mirror',
  'refresh',
  'snapshot',
  'promotion',
  'diff',
  'publish',
  'builds',
  'serving',
  'scale',
  'takeover',
] as const;
export type WorkName = (typeof works)[number];

export const peerNames = ['aptly', 'debmirror', 'apt-mirror', 'reprepro'] as const;
export type PeerName = (typeof peerNames)[number];

export interface BenchOptions {
  readonly packages: number;
  /** Objects on the API server, for `scale` and `takeover`. */
  readonly objects: number;
  readonly only: ReadonlySet<WorkName>;
  readonly peers: ReadonlySet<PeerName>;
  readonly cairn: boolean;
  /** Runs of each measurement but the first mirror; the median counts. */
  readonly runs: number;
  readonly firstRuns: number;
  /** How long each load on a server lasts. */
  readonly seconds: number;
}

export const usage = `usage: node bench/main.ts [options]

  --packages N      packages in the archive (60000)
  --objects N       objects on a Kubernetes API server, for scale and takeover (10000)
  --only A,B        of ${works.join(', ')} (all)
  --peers A,B       of ${peerNames.join(', ')}, or none (all)
  --no-cairn        measure the peers alone
  --runs N          runs of each measurement; the median counts (3)
  --first-runs N    runs of the first mirror (1)
  --seconds N       how long each load on a server lasts (5)
`;

/** Throws a TypeError that says which argument is wrong. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      packages: { type: 'string', default: '60000' },
      objects: { type: 'string', default: '10000' },
      only: { type: 'string', default: works.join(',') },
      peers: { type: 'string', default: peerNames.join(',') },
      cairn: { type: 'boolean', default: true },
      runs: { type: 'string', default: '3' },
      'first-runs': { type: 'string', default: '1' },
      seconds: { type: 'string', default: '5' },
    },
  });
  return {
    packages: count('packages', values.packages, 200),
    objects: count('objects', values.objects, 100),
    only: words('only', values.only, works),
    peers: values.peers === 'none' ? new Set() : words('peers', values.peers, peerNames),
    cairn: values.cairn,
    runs: count('runs', values.runs, 1),
    firstRuns: count('first-runs', values['first-runs'], 1),
    seconds: count('seconds', values.seconds, 1),
  };
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new TypeError(`--${name}: expected a whole number, ${least} or more`);
}

function words<Word extends string>(
  name: string,
  text: string,
  known: readonly Word[],
): ReadonlySet<Word> {
  const chosen = text.split(',').map((word) => known.find((each) => each === word));
  if (!chosen.includes(undefined)) return new Set(chosen.filter((word) => word !== undefined));
  throw new TypeError(`--${name}: expected some of ${known.join(', ')}`);
}
