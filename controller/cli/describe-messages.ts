import { harmless } from './harmless.ts';
import { formatTable } from './table.ts';

/** A row of a table whose last column is a message for people. */
export interface MessageRow {
  readonly cells: readonly string[];
  readonly message: string;
}

const leastWidth = 30;

/**
 * A table with messages in its last column: the first line of each, folded below itself where it is longer than a
 * terminal of `columns` is wide.
 */
export function messageTable(
  header: readonly string[],
  rows: readonly MessageRow[],
  columns: number | undefined,
): string {
  const table = formatTable([
    [...header, 'MESSAGE'],
    ...rows.map(({ cells, message }) => [...cells, firstOf(message)]),
  ]);
  if (columns === undefined) return table;
  const [first = ''] = table.split('\n', 1);
  const indent = first.lastIndexOf('MESSAGE');
  const width = Math.max(columns - indent, leastWidth);
  return table
    .split('\n')
    .map((line) => line.slice(0, indent) + fold(line.slice(indent), width, ' '.repeat(indent)))
    .join('\n');
}

/** Messages of more than one line, as they are, each once: with the names of those who have it. */
export function longMessages(
  messages: readonly (readonly [name: string, message: string])[],
): readonly (readonly [names: string, text: string])[] {
  const byRest = new Map<string, { readonly names: string[]; readonly text: string }>();
  for (const [name, message] of messages) {
    const text = harmless(message).trimEnd();
    const end = text.indexOf('\n');
    if (end === -1) continue;
    const rest = text.slice(end);
    const known = byRest.get(rest);
    if (known) known.names.push(name);
    else byRest.set(rest, { names: [name], text });
  }
  return [...byRest.values()].map(({ names, text }) => [[...new Set(names)].join(', '), text]);
}

function firstOf(message: string): string {
  const [line = '', ...more] = message.trimEnd().split('\n');
  return more.length > 0 ? `${line} …` : line;
}

/** At blanks; a word that is too long by itself stays whole, so that URLs can be copied. */
function fold(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.join(`\n${indent}`);
}
