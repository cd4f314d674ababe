import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildKind, buildOf, targetOf } from './build-target.ts';
import { exit, parseOptions, type Command, type Io } from './command.ts';
import type { ApiClient, Target } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { harmless } from './harmless.ts';
import { Unreachable } from './http-exchange.ts';
import { connect, objectOptions } from './server-options.ts';

const options = {
  follow: { type: 'boolean', short: 'f', description: 'go on until the Build is over' },
  ...objectOptions,
} as const;

const askAgainMs = 500;
/** Of several replicas, another one leads long before. */
const longestWaitMs = 120_000;

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
  const patience = new Patience(io, follows);
  for (;;) {
    const part = await client
      .buildLog(target, from)
      .catch((error: unknown) => patience.bear(error));
    if (!part) continue;
    patience.renew();
    const { content, isOver } = part;
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

/** Waits while another replica takes over: whoever follows a Build goes on then where it was. */
class Patience {
  readonly #io: Io;
  readonly #isPatient: boolean;
  #since: number | undefined;

  constructor(io: Io, isPatient: boolean) {
    this.#io = io;
    this.#isPatient = isPatient;
  }

  /** After an answer, all patience is there again. */
  renew(): void {
    this.#since = undefined;
  }

  /** Waits a moment, if it may pass by itself; throws it else, or when that has taken too long. */
  async bear(error: unknown): Promise<void> {
    const isLate = error instanceof ApiError && error.code === 503;
    const isAway = error instanceof Unreachable && error.isPassing;
    const now = performance.now();
    const since = (this.#since ??= now);
    if (!this.#isPatient || !(isLate || isAway) || now - since > longestWaitMs) throw error;
    if (since === now) this.#io.err(`${isAway ? error.why : error.message}; trying again`);
    await sleep(askAgainMs, undefined, { signal: this.#io.signal });
  }
}
