import { annotations, conditionOf } from '../../crds/object.ts';
import { isSuspended } from '../loop/seen.ts';
import { exit, parseOptions, type Command } from './command.ts';
import { conditionGoal, type Goal } from './goal.ts';
import { connect, objectOptions } from './server-options.ts';
import { nameOf, parseTargets } from './targets.ts';
import { parseTimeout, timeoutOption, waitFor } from './waiting.ts';

const options = {
  wait: { type: 'boolean', description: 'return when that is done' },
  ...timeoutOption,
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'reconcile',
  summary: 'Looks at objects now: a Mirror asks its upstream, a ConfigSource its git server.',
  usage: ['reconcile KIND/NAME… [--wait]'],
  options,
  exits: { 3: 'with --wait: not done, or not ready, when the time was over' },

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const client = await connect(values, io);
    const targets = parseTargets(positionals, client.namespace);
    const timeoutMs = parseTimeout(values.timeout);
    const token = new Date().toISOString();
    for (const target of targets) {
      const object = await client.mergePatch(target, {
        metadata: { annotations: { [annotations.reconcile]: token } },
      });
      const name = nameOf(target);
      if (isSuspended(object)) {
        io.err(`warning: ${name} is suspended: nothing happens until 'cairn resume ${name}'`);
      }
      if (!values.wait) io.out(`${name} will be reconciled`);
    }
    if (!values.wait) return exit.good;
    return waitFor({ client, targets, goal: handledGoal(token), timeoutMs }, io);
  },
};

/** The request was taken up, what it started is over, and the outcome is good. */
function handledGoal(token: string): Goal {
  const ready = conditionGoal('Ready', 'True');
  return {
    reached: 'reconciled',
    isReached: (object) =>
      object?.status.lastHandledReconcileAt === token &&
      conditionOf(object, 'Reconciling')?.status !== 'True' &&
      object.status['refreshInProgress'] !== true &&
      ready.isReached(object),
    explain: (object) =>
      object && object.status.lastHandledReconcileAt !== token
        ? 'the request was not taken up yet'
        : ready.explain(object),
  };
}
