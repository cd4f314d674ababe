import { ownVersion } from '../own-version.ts';
import { exit, parseOptions, type Command } from './command.ts';

export const command: Command = {
  name: 'version',
  summary: 'Says which Cairn this is.',
  usage: ['version'],
  options: {},
  exits: {},

  async run(args, io) {
    parseOptions(args, {});
    io.out(`cairn ${ownVersion()}`);
    return exit.good;
  },
};
