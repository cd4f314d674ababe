import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildKind, buildOf, targetOf } from './build-target.ts';
import { exit, parseOptions, type Command, type Io } from './command.ts';
import type { ApiClient, Target } from './api-client.ts';
import { harmless } from './harmless.ts';
import { connect, objectOptions } from './server-options.ts';

const options = {
  follow: { type: 'boolean', short: 'f', description: 'go on until the Build is over' },
  ...objectOptions,
} as const;

const askAgainMs = 500;

export const command: Command = {
  name: 'logs',
  summary: 'Shows the log of a Build, or of the newest one of a Source.',
  usage: ['logs [-f] BUILD', 'logs [-f] source/NAME'],
  options,
  exits: {},
  examples: ['cairn logs -f source/hello'],

  async run(args, io) {
    const { values, positionals } = parseOptions(args, options);
    const client = await connect(values, io);
    const target = await buildOf(client, targetOf(positionals, buildKind, client.namespace));
    await show(client, target, { io, follows: values.follow ?? false });
    return exit.good;
  },
};

async function show(
  client: ApiClient,
  target: Target,
  { io, follows }: { readonly io: Io; readonly follows: boolean },
): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let from = 0;
  let begun = '';
  for (;;) {
    const { content, isOver } = await client.buildLog(target, from);
    from += content.length;
    const text = begun + decoder.write(content);
    const end = text.lastIndexOf('\n');
    if (end >= 0) io.out(harmless(text.slice(0, end)));
    begun = text.slice(end + 1);
    if (isOver || (!follows && content.length === 0)) break;
    if (content.length === 0) await sleep(askAgainMs, undefined, { signal: io.signal });
  }
  if (begun !== '') io.out(harmless(begun));
}
