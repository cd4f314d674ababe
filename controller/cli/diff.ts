import type { SnapshotDiff } from '../../reconcilers/snapshot/diff-shape.ts';
import { exit, parseOptions, UsageError, type Command, type Io } from './command.ts';
import { formatDiffMarkdown } from './diff-markdown.ts';
import { formatDiffText, isEmptyDiff } from './diff-format.ts';
import { printerOf, reportOptions } from './report-format.ts';
import { connect, serverOptions } from './server-options.ts';

const options = {
  ...reportOptions,
  'exit-code': { type: 'boolean', description: 'exit with 3 when there are differences' },
  ...serverOptions,
} as const;

type Printer = (diff: SnapshotDiff, io: Io) => string;

const printers: Readonly<Record<'text' | 'md' | 'json', Printer>> = {
  text: (diff, io) => formatDiffText(diff, { colour: usesColour(io) }),
  md: formatDiffMarkdown,
  json: (diff) => JSON.stringify(diff, null, 2),
};

export const command: Command = {
  name: 'diff',
  summary: 'Shows which packages differ between two snapshots or environments.',
  usage: ['diff FROM TO [-o text|md|json]'],
  options,
  exits: { 3: 'with --exit-code: there are differences' },
  examples: ['cairn diff base-1 base-2', 'cairn diff environment/production base-2 -o md'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const [from, to, ...more] = positionals;
    if (from === undefined || to === undefined || more.length > 0) {
      throw new UsageError('expected two snapshots or environments, such as base-1 and base-2');
    }
    const print = printerOf(values.output, printers);
    const client = await connect(values, io);
    const query = new URLSearchParams({ from, to });
    const diff = (await client.read(`/api/v1/diff?${query}`)) as SnapshotDiff; // what snapshotDiffer makes
    io.out(print(diff, io));
    return values['exit-code'] && !isEmptyDiff(diff) ? exit.notAsDesired : exit.good;
  },
};

/** no-color.org: set and not empty means no colour. */
function usesColour(io: Io): boolean {
  return io.isTTY && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
}
