/** The titles of all measurements: what has the same title is compared. */
export const titles = {
  firstMirror: 'first mirror',
  refreshSame: 'refresh, nothing changed',
  refreshChanged: 'refresh, 100 packages changed',
  snapshot: 'snapshot create',
  promotion: 'promotion',
  rollback: 'rollback',
  diff: 'diff of two snapshots',
  publish: 'publish one package',
} as const;

/** Those of builds whose root file system is prepared. */
export const buildTitles = {
  start: 'commit → its build runs',
  overhead: 'rebuild, more than dpkg-buildpackage alone',
} as const;

/** Those of Cairn on an API server with many objects. */
export const scaleTitles = {
  coldStart: 'cold start until all are Ready',
  peak: 'peak memory of the cold start',
  resident: 'memory a minute later',
  idleWrites: 'writes in a minute without changes',
  restart: 'restart until all are looked at',
  restartWrites: 'writes of a restart without changes',
  restartPeak: 'peak memory of a restart',
  coldEditsMedian: 'edit → status in a cold start, p50',
  coldEdits: 'edit → status in a cold start, p99',
  editsMedian: 'edit → status in a resync, p50',
  edits: 'edit → status in a resync, p99',
  commit: '1,000 manifests in a commit, applied',
} as const;

/** Those of replicas of which one leads. */
export const takeoverTitles = {
  stopped: 'leader stopped → the next one has dealt with an edit',
  killed: 'leader killed → the next one has dealt with an edit',
} as const;

export interface Load {
  readonly title: string;
  readonly bytes: number;
  readonly connections: number;
}

const KiB = 1024;
const MiB = 1024 * 1024;

/** What is asked of the servers. */
export const loads: readonly Load[] = [
  { title: 'serve 4 KiB', bytes: 4 * KiB, connections: 32 },
  { title: 'serve 150 KiB', bytes: 150 * KiB, connections: 32 },
  { title: 'serve 1 MiB', bytes: MiB, connections: 8 },
  { title: 'serve 12 MiB', bytes: 12 * MiB, connections: 8 },
  { title: 'serve 100 MiB', bytes: 100 * MiB, connections: 8 },
];
