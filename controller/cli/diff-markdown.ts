import {
  type Change,
  type SnapshotDiff,
  type SourceChange,
} from '../../reconcilers/snapshot/diff-shape.ts';
import { labels, packagesOf, sideName, summaryOf, versionsOf } from './diff-format.ts';

/** GitHub and GitLab refuse comments of more than 65,536 and 1,000,000 characters. */
const maxLength = 60_000;
/** A list longer than this is folded away. */
const foldedFrom = 25;

/** For a pull request: a summary, then a table of source packages for each kind of change. */
export function formatDiffMarkdown(diff: SnapshotDiff): string {
  const title = `**${code(sideName(diff.from))} → ${code(sideName(diff.to))}**: ${summaryOf(diff)}`;
  const order: readonly Change[] = ['downgraded', 'changed', 'removed', 'upgraded', 'added'];
  const sections: string[] = [title];
  let left = maxLength - title.length;
  const groups = order
    .map((change) => diff.sources.filter((row) => row.change === change))
    .filter((rows) => rows.length > 0);
  for (const [index, rows] of groups.entries()) {
    const share = Math.floor(left / (groups.length - index));
    const section = sectionOf(rows, share);
    sections.push(section);
    left -= section.length + 2;
  }
  return sections.join('\n\n');
}

function sectionOf(rows: readonly SourceChange[], budget: number): string {
  const [first] = rows;
  const label = first ? labels[first.change] : '';
  const title = `${rows.length} source package${rows.length === 1 ? '' : 's'} ${label}`;
  const head = '| source package | version | architectures | packages |\n|---|---|---|---|';
  const { lines, left } = fitting(rows.map(tableRow), budget - head.length - title.length - 160);
  const table = [head, ...lines].join('\n');
  const more = left > 0 ? `\n\n… and ${left} more; \`cairn diff\` shows them all.` : '';
  if (rows.length < foldedFrom) return `${title}\n\n${table}${more}`;
  return `<details>\n<summary>${title}</summary>\n\n${table}${more}\n\n</details>`;
}

function fitting(
  lines: readonly string[],
  budget: number,
): { lines: readonly string[]; left: number } {
  let length = 0;
  const end = lines.findIndex((line) => (length += line.length + 1) > budget);
  const shown = end === -1 ? lines : lines.slice(0, end);
  return { lines: shown, left: lines.length - shown.length };
}

function tableRow(row: SourceChange): string {
  const cells = [
    code(row.source),
    escape(versionsOf(row, '→')),
    escape(row.architectures.join(', ')),
    escape(packagesOf(row, 8)),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Names come from archives of others: nothing in them may become markup, mentions or links. */
function escape(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[\\`*_{}[\]<>()#+!|@~&]/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}
