import { EnvironmentKind } from '../../crds/environment.ts';
import { SnapshotKind } from '../../crds/snapshot.ts';
import { parseOptions, UsageError, type Command } from './command.ts';
import { requireObject } from './objects.ts';
import { promotionOptions, switchEnvironment } from './promotion.ts';
import { connect } from './server-options.ts';
import { parseTimeout } from './waiting.ts';

export const command: Command = {
  name: 'promote',
  summary: 'Points an Environment at a Snapshot.',
  usage: ['promote ENVIRONMENT SNAPSHOT [--wait]'],
  options: promotionOptions,
  exits: { 3: 'with --wait: not served when the time was over' },
  examples: ['cairn promote production base-2 --wait'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, promotionOptions);
    const [environment, snapshot, ...more] = positionals.map(bareName);
    if (environment === undefined || snapshot === undefined || more.length > 0) {
      throw new UsageError('expected the name of an Environment and that of a Snapshot');
    }
    const timeoutMs = parseTimeout(values.timeout);
    const client = await connect(values, io);
    const { namespace } = client;
    const target = { kind: EnvironmentKind, namespace, name: environment };
    const object = await requireObject(client, target);
    await requireObject(client, { kind: SnapshotKind, namespace, name: snapshot });
    return switchEnvironment({ client, target, object, snapshot }, { ...values, timeoutMs }, io);
  },
};

/** `environment/production` and `snapshot/base-2` are as good as their names. */
function bareName(word: string): string {
  return word.replace(/^(environments?|snapshots?|cenv|snap)\//i, '');
}
