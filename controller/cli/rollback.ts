import { EnvironmentKind } from '../../crds/environment.ts';
import { CliError, parseOptions, UsageError, type Command } from './command.ts';
import { requireObject, stringAt } from './objects.ts';
import { promotionOptions, switchEnvironment } from './promotion.ts';
import { connect } from './server-options.ts';
import { nameOf } from './targets.ts';
import { parseTimeout } from './waiting.ts';

export const command: Command = {
  name: 'rollback',
  summary: 'Points an Environment back at the Snapshot that it served before.',
  usage: ['rollback ENVIRONMENT [--wait]'],
  options: promotionOptions,
  exits: { 3: 'with --wait: not served when the time was over' },
  examples: ['cairn rollback production --wait'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, promotionOptions);
    const [word, ...more] = positionals;
    if (word === undefined || more.length > 0) {
      throw new UsageError('expected the name of an Environment');
    }
    const timeoutMs = parseTimeout(values.timeout);
    const client = await connect(values, io);
    const name = word.replace(/^(environments?|cenv)\//i, '');
    const target = { kind: EnvironmentKind, namespace: client.namespace, name };
    const object = await requireObject(client, target);
    const snapshot = stringAt(object.status, 'previous');
    if (snapshot === undefined) {
      throw new CliError(`${nameOf(target)} has served nothing else before: nothing to go back to`);
    }
    return switchEnvironment({ client, target, object, snapshot }, { ...values, timeoutMs }, io);
  },
};
