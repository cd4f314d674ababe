import { readFile } from 'node:fs/promises';
import { exit, parseOptions, type Command } from './command.ts';

export const command: Command = {
  name: 'version',
  summary: 'Says which Cairn this is.',
  usage: ['version'],
  options: {},
  exits: {},

  async run(args, io) {
    parseOptions(args, {});
    io.out(`cairn ${await ownVersion()}`);
    return exit.good;
  },
};

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version; // our own file
}
