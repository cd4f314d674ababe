import type { Command } from './command.ts';
import { setSuspended, suspensionOptions } from './suspension.ts';

export const command: Command = {
  name: 'suspend',
  summary: 'Leaves objects as they are for now: nothing is refreshed or published for them.',
  usage: ['suspend KIND/NAME…'],
  options: suspensionOptions,
  exits: {},
  run: (args, io) => setSuspended(args, true, io),
};
