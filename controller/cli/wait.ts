import { parseOptions, type Command } from './command.ts';
import { parseGoal } from './goal.ts';
import { connect, objectOptions } from './server-options.ts';
import { parseTargets } from './targets.ts';
import { parseTimeout, timeoutOption, waitFor } from './waiting.ts';

const options = {
  for: {
    type: 'string',
    value: 'GOAL',
    default: 'condition=Ready',
    description: "condition=TYPE[=STATUS], jsonpath='{.path}'[=VALUE], create or delete",
  },
  ...timeoutOption,
  ...objectOptions,
} as const;

export const command: Command = {
  name: 'wait',
  summary: 'Waits until objects are as desired, whether they exist yet or not.',
  usage: ['wait KIND/NAME… [--for=GOAL] [--timeout=DURATION]'],
  options,
  exits: { 3: 'not as desired when the time was over; the message says what is in the way' },
  examples: [
    'cairn wait mirror/debian --timeout=2h',
    "cairn wait environment/production --for=jsonpath='{.status.published.snapshot}'=base-2",
  ],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const client = await connect(values, io);
    const targets = parseTargets(positionals, client.namespace);
    const goal = parseGoal(values.for);
    const timeoutMs = parseTimeout(values.timeout);
    return waitFor({ client, targets, goal, timeoutMs }, io);
  },
};
