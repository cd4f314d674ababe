import type { IncomingMessage } from 'node:http';
import { CliError } from './command.ts';

/** A server that sends more than this is not Cairn, or its answer is of no use in a terminal. */
const maxBytes = 512 * 1024 ** 2;

/** The JSON of an answer. Throws `CliError` when it is none. */
export async function readJson(response: IncomingMessage, { origin }: URL): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new CliError(`the answer of ${origin} is too large`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (thrown) {
    throw new CliError(`${origin} does not answer like Cairn: its answer is not JSON`, 1, {
      cause: thrown,
    });
  }
}

/** JSON values, one per line, as they arrive. Ends quietly with the connection or the signal. */
export async function* readLines(
  response: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  let rest = '';
  response.setEncoding('utf8');
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxBytes) throw new CliError('a line of the watch is too long');
      for (const line of lines) if (line !== '') yield JSON.parse(line);
    }
  } catch (thrown) {
    const cut = thrown instanceof Error && 'code' in thrown; // of the connection
    if (!signal.aborted && !cut) throw thrown;
  }
}
