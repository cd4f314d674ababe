import { exit, parseOptions, UsageError, type Command } from './command.ts';
import { countOf, formatProblem, readPath } from './manifest-files.ts';

const options = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    default: 'text',
    description: 'text or json',
  },
} as const;

export const command: Command = {
  name: 'validate',
  summary: 'Checks manifests, and says everything that is wrong at once. Needs no server.',
  usage: ['validate PATH…'],
  options,
  exits: { 3: 'something is wrong with the manifests' },
  examples: ['cairn validate config', 'cairn validate -o json mirrors/debian.yaml'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    if (positionals.length === 0) throw new UsageError('expected a directory or file of manifests');
    if (values.output !== 'text' && values.output !== 'json') {
      throw new UsageError(
        `unknown output format ${JSON.stringify(values.output)}: give text or json`,
      );
    }
    const readings = [];
    for (const path of positionals) readings.push(await readPath(path, io));
    const problems = readings.flatMap((reading) => reading.problems);
    const manifests = readings.reduce((sum, reading) => sum + reading.manifests.length, 0);
    if (values.output === 'json') io.out(JSON.stringify({ manifests, problems }, null, 2));
    else {
      for (const problem of problems) io.out(formatProblem(problem));
      io.out(`${countOf(manifests, 'good manifest')}, ${countOf(problems.length, 'problem')}`);
    }
    return problems.length === 0 ? exit.good : exit.notAsDesired;
  },
};
