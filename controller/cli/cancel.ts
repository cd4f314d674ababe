import { annotations } from '../../crds/object.ts';
import { buildKind, buildOf, targetOf } from './build-target.ts';
import { CliError, exit, parseOptions, type Command } from './command.ts';
import { requireObject, stringAt } from './objects.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf } from './targets.ts';

export const command: Command = {
  name: 'cancel',
  summary: 'Ends a Build that is not through.',
  usage: ['cancel BUILD', 'cancel source/NAME'],
  options: objectOptions,
  exits: {},
  examples: ['cairn cancel source/hello'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, objectOptions);
    const client = await connect(values, io);
    const target = await buildOf(client, targetOf(positionals, buildKind, client.namespace));
    const { status } = await requireObject(client, target);
    const result = stringAt(status, 'result');
    if (result !== undefined) throw new CliError(`${nameOf(target)} is over: ${result}`);
    const marks = { [annotations.cancel]: 'cancelled by hand' };
    await client.mergePatch(target, { metadata: { annotations: marks } });
    io.out(`${nameOf(target)} will be cancelled`);
    return exit.good;
  },
};
