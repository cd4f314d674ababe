import { exit, parseOptions, type Command } from './command.ts';
import { warnIfDeclared } from './declared-elsewhere.ts';
import { parseGoal } from './goal.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf, parseTargets } from './targets.ts';
import { parseTimeout, timeoutOption, waitFor } from './waiting.ts';
import { requireObject } from './objects.ts';

const options = {
  wait: { type: 'boolean', description: 'return when they are gone' },
  ...timeoutOption,
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'delete',
  summary: 'Deletes objects. A config source that declares them makes them again.',
  usage: ['delete KIND/NAME…'],
  options,
  exits: { 3: 'with --wait: not gone when the time was over' },

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const client = await connect(values, io);
    const targets = parseTargets(positionals, client.namespace);
    const timeoutMs = parseTimeout(values.timeout);
    for (const target of targets) {
      await requireObject(client, target);
      await warnIfDeclared(client, target, io);
      await client.delete(target);
      if (!values.wait) io.out(`${nameOf(target)} deleted`);
    }
    if (!values.wait) return exit.good;
    return waitFor({ client, targets, goal: parseGoal('delete'), timeoutMs }, io);
  },
};
