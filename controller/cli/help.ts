import { exit, type Command, type Option } from './command.ts';
import { commandGroups } from './commands.ts';
import { formatTable } from './table.ts';

/** What `cairn help` prints. */
export async function overview(): Promise<string> {
  const sections: string[] = [
    'Cairn keeps APT archives as they are declared: mirrors, snapshots, environments.',
    'Usage: cairn COMMAND [ARGUMENTS]',
  ];
  for (const [title, entries] of Object.entries(commandGroups)) {
    const rows = await Promise.all(
      entries.map(async ({ name, load }) => [`  ${name}`, (await load()).command.summary]),
    );
    sections.push(`${title}:\n${formatTable(rows, { pad: 14 })}`);
  }
  sections.push("'cairn help COMMAND' says more about one of them.");
  return sections.join('\n\n');
}

/** What `cairn help COMMAND` prints. */
export function helpOf({ summary, usage, options, exits, examples }: Command): string {
  const sections = [summary, `Usage: ${usage.map((line) => `cairn ${line}`).join('\n       ')}`];
  const rows = Object.entries(options).map(([name, option]) => [
    `  ${optionLabel(name, option)}`,
    describeOption(option),
  ]);
  if (rows.length > 0) sections.push(`Options:\n${formatTable(rows)}`);
  const statuses = Object.entries({ ...sharedExits, ...exits }).map(([status, meaning]) => [
    `  ${status}`,
    meaning,
  ]);
  sections.push(`Exit status:\n${formatTable(statuses)}`);
  if (examples) sections.push(`Examples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
  return sections.join('\n\n');
}

const sharedExits: Readonly<Record<number, string>> = {
  [exit.good]: 'done',
  [exit.failed]: 'it could not be done; a message says why',
  [exit.misuse]: 'the command line was not understood',
};

function optionLabel(name: string, { short, type, value }: Option): string {
  const letter = short === undefined ? '    ' : `-${short}, `;
  return `${letter}--${name}${type === 'string' ? ` ${value ?? 'VALUE'}` : ''}`;
}

function describeOption({ description, default: fallback }: Option): string {
  return typeof fallback === 'string' ? `${description} (default: ${fallback})` : description;
}
