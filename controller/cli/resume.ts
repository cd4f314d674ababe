import type { Command } from './command.ts';
import { setSuspended, suspensionOptions } from './suspension.ts';

export const command: Command = {
  name: 'resume',
  summary: 'Goes on with objects that were suspended.',
  usage: ['resume KIND/NAME…'],
  options: suspensionOptions,
  exits: {},
  run: (args, io) => setSuspended(args, false, io),
};
