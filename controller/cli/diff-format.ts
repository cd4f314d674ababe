import {
  changes,
  type Change,
  type DiffSide,
  type SnapshotDiff,
  type SourceChange,
} from '../../reconcilers/snapshot/diff-shape.ts';
import { formatTable } from './table.ts';

/** For terminals: a summary, then one line per source package. */
export function formatDiffText(diff: SnapshotDiff, { colour }: { colour: boolean }): string {
  const title = `${sideName(diff.from)} -> ${sideName(diff.to)}: ${summaryOf(diff)}`;
  if (diff.sources.length === 0) return title;
  const rows = diff.sources.map((row) => [
    marks[row.change],
    row.source,
    versionsOf(row, '->'),
    row.architectures.join(', '),
    packagesOf(row, 4),
  ]);
  const lines = formatTable(rows).split('\n');
  const shown = lines.map((line, index) => paint(line, diff.sources[index]?.change, colour));
  return `${title}\n\n${shown.join('\n')}`;
}

export function isEmptyDiff({ summary }: SnapshotDiff): boolean {
  return changes.every((change) => summary[change] === 0);
}

/** `12 upgraded, 1 added`, of binary packages; `no differences`. */
export function summaryOf(diff: SnapshotDiff): string {
  if (isEmptyDiff(diff)) return 'no differences';
  return changes
    .filter((change) => diff.summary[change] > 0)
    .map((change) => `${diff.summary[change]} ${labels[change]}`)
    .join(', ');
}

export const labels: Readonly<Record<Change, string>> = {
  upgraded: 'upgraded',
  downgraded: 'downgraded',
  added: 'added',
  removed: 'removed',
  changed: 'changed without a new version',
};

/** `base-2`; of an environment also what it serves. */
export function sideName({ snapshot, environment }: DiffSide): string {
  return environment === undefined ? snapshot : `environment/${environment} (${snapshot})`;
}

export function versionsOf({ change, before, after }: SourceChange, arrow: string): string {
  const versions = [...new Set([before, after])].filter((version) => version !== undefined);
  return `${versions.join(` ${arrow} `)}${change === 'changed' ? ' (other files)' : ''}`;
}

/** The binary packages of a source package, unless it is just the one of the same name. */
export function packagesOf({ source, packages }: SourceChange, most: number): string {
  if (packages.length === 1 && packages[0] === source) return '';
  const shown = packages.slice(0, most).join(', ');
  const left = packages.length - most;
  return left > 0 ? `${shown} and ${left} more` : shown;
}

const marks: Readonly<Record<Change, string>> = {
  upgraded: '^',
  downgraded: 'v',
  added: '+',
  removed: '-',
  changed: '!',
};

const colours: Readonly<Record<Change, number>> = {
  upgraded: 36,
  downgraded: 33,
  added: 32,
  removed: 31,
  changed: 35,
};

function paint(line: string, change: Change | undefined, colour: boolean): string {
  return colour && change ? `\u001b[${colours[change]}m${line}\u001b[0m` : line;
}
