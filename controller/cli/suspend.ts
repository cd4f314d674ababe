import type { Command } from './command.ts';
import { objectOptions } from './server-options.ts';
import { setSuspended } from './suspension.ts';

export const command: Command = {
  name: 'suspend',
  summary: 'Leaves objects as they are for now: nothing is refreshed or published for them.',
  usage: ['suspend KIND/NAME…'],
  options: objectOptions,
  exits: {},
  run: (args, io) => setSuspended(args, true, io),
};
