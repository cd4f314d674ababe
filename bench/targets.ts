import type { Result } from './results.ts';
import { buildTitles, scaleTitles, takeoverTitles, titles } from './titles.ts';

interface Against {
  readonly tool: string;
  readonly share: number;
}

/** What we hold ourselves to for one kind of work. */
export interface Target {
  /** Cairn's figure divided by that of this tool: at most, for costs; at least, for throughput. */
  readonly against?: Against | readonly Against[];
  readonly mostSeconds?: number;
  readonly mostMegabytes?: number;
}

export const targets: Readonly<Record<string, Target>> = {
  [titles.firstMirror]: { against: { tool: 'aptly', share: 0.4 }, mostMegabytes: 300 },
  [titles.refreshSame]: { against: { tool: 'aptly', share: 0.01 } },
  [titles.refreshChanged]: { against: { tool: 'aptly', share: 0.15 } },
  [titles.snapshot]: { mostSeconds: 0.02 },
  [titles.promotion]: { mostSeconds: 0.15 },
  [titles.rollback]: { mostSeconds: 0.15 },
  [titles.diff]: { mostSeconds: 1.5 },
  [titles.publish]: {
    against: [
      { tool: 'reprepro', share: 1 },
      { tool: 'aptly', share: 0.1 },
    ],
  },
  'serve 4 KiB': { against: { tool: 'nginx', share: 0.2 } },
  'serve 150 KiB': { against: { tool: 'nginx', share: 0.2 } },
  'serve 1 MiB': { against: { tool: 'nginx', share: 0.5 } },
  'serve 12 MiB': { against: { tool: 'nginx', share: 0.5 } },
  'serve 100 MiB': { against: { tool: 'nginx', share: 0.5 } },
};

/** At most this, in the unit of the figure. */
const most: Readonly<Record<string, number>> = {
  [buildTitles.start]: 1000,
  [buildTitles.overhead]: 3,
  [scaleTitles.coldStart]: 60,
  [scaleTitles.peak]: 250,
  [scaleTitles.resident]: 250,
  [scaleTitles.idleWrites]: 0,
  [scaleTitles.restartWrites]: 0,
  [scaleTitles.restartPeak]: 250,
  [scaleTitles.edits]: 300,
  [scaleTitles.commit]: 10,
  [takeoverTitles.stopped]: 3,
  [takeoverTitles.killed]: 17,
};

/** The target of a figure: `≤ 60 s ✓`. */
export function figureTarget({ title, figures }: Result): string {
  return 'value' in figures ? bound(figures.value, most[title], figures.unit) : '';
}

/** The target of Cairn's own row, and whether it is met: `≤ 0.02 s ✓`. */
export function ownTarget({ title, figures }: Result): string {
  const { mostSeconds, mostMegabytes } = targets[title] ?? {};
  if (!('wallSeconds' in figures)) return '';
  return [
    bound(figures.wallSeconds, mostSeconds, 's'),
    bound(figures.peakMegabytes, mostMegabytes, 'MB'),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** The target beside a peer's row. */
export function targetAgainst({ title, tool, figures }: Result, ratio: number): string {
  const against = [targets[title]?.against ?? []].flat().find((one) => tool.startsWith(one.tool));
  if (!against) return '';
  const isCost = 'wallSeconds' in figures;
  const met = isCost ? ratio <= against.share : ratio >= against.share;
  return `${isCost ? '≤' : '≥'} ${against.share} ${met ? '✓' : '✗'}`;
}

function bound(value: number, most: number | undefined, unit: string): string {
  return most === undefined ? '' : `≤ ${most} ${unit} ${value <= most ? '✓' : '✗'}`;
}
