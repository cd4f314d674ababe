import type { Command } from './command.ts';
import { objectOptions } from './server-options.ts';
import { setSuspended } from './suspension.ts';

export const command: Command = {
  name: 'resume',
  summary: 'Goes on with objects that were suspended.',
  usage: ['resume KIND/NAME…'],
  options: objectOptions,
  exits: {},
  run: (args, io) => setSuspended(args, false, io),
};
