/** The titles of all measurements: what has the same title is compared. */
export const titles = {
  firstMirror: 'first mirror',
  refreshSame: 'refresh, nothing changed',
  refreshChanged: 'refresh, 100 packages changed',
  snapshot: 'snapshot create',
  promotion: 'promotion',
  rollback: 'rollback',
  diff: 'diff of two snapshots',
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
