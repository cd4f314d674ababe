const gap = '   ';

export interface TableStyle {
  /** The least width of the first column. */
  readonly pad?: number;
  /** Shorten the widest column where a line would be longer than this. */
  readonly columns?: number;
}

/** Left-aligned columns, three blanks apart, no blanks at line ends. Cells are made one line each. */
export function formatTable(rows: readonly (readonly string[])[], style: TableStyle = {}): string {
  return alignRows(rows, columnWidths(rows, style)).join('\n');
}

/** One line per row, for tables that grow row by row (`get --watch`). */
export function alignRows(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): readonly string[] {
  return rows.map((row) =>
    row
      .map((cell, index) => shorten(oneLine(cell), widths[index]).padEnd(widths[index] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

export function columnWidths(
  rows: readonly (readonly string[])[],
  { pad = 0, columns }: TableStyle = {},
): readonly number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, index) =>
    Math.max(index === 0 ? pad : 0, ...rows.map((row) => oneLine(row[index] ?? '').length)),
  );
  const total = widths.reduce((sum, width) => sum + width, gap.length * Math.max(0, count - 1));
  const widest = widths.indexOf(Math.max(...widths));
  const shrunk = (widths[widest] ?? 0) - (total - (columns ?? total));
  if (total > (columns ?? total)) widths[widest] = Math.max(16, shrunk);
  return widths;
}

function shorten(cell: string, width = Infinity): string {
  return cell.length <= width ? cell : `${cell.slice(0, width - 1)}…`;
}

/** Control characters go too: cells hold text from outside, and terminals obey them. */
function oneLine(cell: string): string {
  return cell.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
