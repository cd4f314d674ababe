import { annotations } from '../../crds/object.ts';
import { SourceKind } from '../../crds/source.ts';
import { sourceKind, targetOf } from './build-target.ts';
import { exit, parseOptions, UsageError, type Command } from './command.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf } from './targets.ts';

export const command: Command = {
  name: 'build',
  summary: 'Builds the newest commit of a Source once more.',
  usage: ['build SOURCE'],
  options: objectOptions,
  exits: {},
  examples: ['cairn build hello', 'cairn logs -f source/hello'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, objectOptions);
    const client = await connect(values, io);
    const target = targetOf(positionals, sourceKind, client.namespace);
    if (target.kind.kind !== SourceKind.kind) {
      throw new UsageError(`expected a Source instead of ${nameOf(target)}`);
    }
    const token = new Date().toISOString();
    const marks = { [annotations.build]: token, [annotations.reconcile]: token };
    await client.mergePatch(target, { metadata: { annotations: marks } });
    io.out(`${nameOf(target)} will be built`);
    return exit.good;
  },
};
