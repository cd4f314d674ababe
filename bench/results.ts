import type { Cost } from './measure.ts';
import type { WorkName } from './options.ts';

/** One line of the table. */
export interface Result {
  readonly work: WorkName;
  /** What was done: lines with the same title are compared. */
  readonly title: string;
  readonly tool: string;
  readonly figures: Cost | Throughput | Figure;
}

/** One number, where one is enough. */
export interface Figure {
  readonly value: number;
  readonly unit: 's' | 'ms' | 'MB' | 'writes';
}

export interface Throughput {
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** Cairn's figure divided by the peer's: below one is better for costs, above one for throughput. */
export function ratio(cairn: Result, peer: Result): number {
  const [ours, theirs] = [cairn.figures, peer.figures];
  if ('wallSeconds' in ours && 'wallSeconds' in theirs)
    return ours.wallSeconds / theirs.wallSeconds;
  if ('requestsPerSecond' in ours && 'requestsPerSecond' in theirs) {
    return ours.requestsPerSecond / theirs.requestsPerSecond;
  }
  return Number.NaN;
}
