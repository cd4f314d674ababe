import { UsageError, type Options } from './command.ts';

/** The option of commands whose result may become a comment on a pull request. */
export const reportOptions = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    default: 'text',
    description: 'text, md (for a pull request) or json',
  },
} as const satisfies Options;

/** What prints that format. Throws `UsageError`. */
export function printerOf<Printer>(
  format: string,
  printers: Readonly<Record<'text' | 'md' | 'json', Printer>>,
): Printer {
  if (format === 'markdown') return printers.md;
  if (format === 'text' || format === 'md' || format === 'json') return printers[format];
  throw new UsageError(`unknown output format ${JSON.stringify(format)}: give text, md or json`);
}
