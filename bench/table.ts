import { ratio, type Figure, type Result } from './results.ts';
import { figureTarget, ownTarget, targetAgainst } from './targets.ts';

export const cairnName = 'Cairn';

/** A Markdown table of all results, in the order in which their titles first came. */
export function formatTable(results: readonly Result[]): string {
  const titles = [...new Set(results.map(({ title }) => title))];
  const having = (field: string) =>
    titles.filter((title) => results.some((each) => each.title === title && field in each.figures));
  const costs = having('wallSeconds');
  const loads = having('requestsPerSecond');
  const figures = having('value');
  return [
    tableOf(['work', 'tool', 'wall s', 'CPU s', 'peak MB', 'Cairn ÷ it', 'target'], costs, results),
    tableOf(['work', 'tool', 'requests/s', 'MB/s', 'Cairn ÷ it', 'target'], loads, results),
    tableOf(['work', 'tool', 'figure', 'target'], figures, results),
  ]
    .filter((table) => table !== '')
    .join('\n');
}

function tableOf(
  header: readonly string[],
  titles: readonly string[],
  results: readonly Result[],
): string {
  if (titles.length === 0) return '';
  const rows = titles.flatMap((title) => rowsOf(results.filter((each) => each.title === title)));
  const widths = header.map((_, at) =>
    Math.max(...[header, ...rows].map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |\n`;
  const rule = line(
    widths.map((width, at) => (at < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)),
  );
  return line(header) + rule + rows.map(line).join('');
}

function rowsOf(results: readonly Result[]): string[][] {
  const cairn = results.find(({ tool }) => tool === cairnName);
  return results.map((result) => [
    result.title,
    result.tool,
    ...figuresOf(result),
    ...judgement(result, cairn),
  ]);
}

function judgement(result: Result, cairn: Result | undefined): string[] {
  if ('value' in result.figures) return [result === cairn ? figureTarget(result) : ''];
  return cairn && result !== cairn ? comparison(cairn, result) : ['', ownTarget(result)];
}

function figuresOf({ figures }: Result): string[] {
  if ('value' in figures) return [formatFigure(figures)];
  if ('wallSeconds' in figures) {
    const { wallSeconds, cpuSeconds, peakMegabytes } = figures;
    return [wallSeconds.toFixed(3), cpuSeconds.toFixed(2), peakMegabytes.toFixed(0)];
  }
  return [figures.requestsPerSecond.toFixed(0), figures.megabytesPerSecond.toFixed(0)];
}

export function formatFigure({ value, unit }: Figure): string {
  return `${value.toFixed(value < 100 && unit === 's' ? 1 : 0)} ${unit}`;
}

function comparison(cairn: Result, peer: Result): string[] {
  const value = ratio(cairn, peer);
  return [value.toFixed(3), targetAgainst(peer, value)];
}
