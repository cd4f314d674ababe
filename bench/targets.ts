import { titles } from './titles.ts';

/**
 * What we hold ourselves to: Cairn's figure divided by each peer's. Times may be at most this,
 * throughput must be at least this.
 */
export const targets: Readonly<Record<string, number>> = {
  [titles.firstMirror]: 1,
  [titles.refreshSame]: 0.1,
  [titles.refreshChanged]: 0.5,
  [titles.snapshot]: 1,
  [titles.promotion]: 0.05,
  [titles.rollback]: 0.05,
  [titles.diff]: 1,
  'serve 4 KiB': 0.15,
  'serve 150 KiB': 0.2,
  'serve 1 MiB': 0.5,
  'serve 12 MiB': 0.5,
  'serve 100 MiB': 0.7,
};
