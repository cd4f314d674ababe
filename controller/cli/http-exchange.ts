import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { request as requestFunction } from 'node:http';
import { CliError } from './command.ts';

// An import of node:http looks at all its exports, one of which loads a whole HTTP client more:
// 30 ms, at every start. `require` doesn't.
const require = createRequire(import.meta.url);

/** How long a server may take to begin its answer; a large `diff` is the slowest. */
const headersTimeoutMs = 120_000;

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Sends one request on a connection of its own; redirects are not followed. Throws `CliError`. */
export async function exchange({
  method,
  url,
  headers,
  body,
  signal,
}: Exchange): Promise<IncomingMessage> {
  const { request } = require(url.protocol === 'https:' ? 'node:https' : 'node:http') as {
    request: typeof requestFunction; // node:https declares the same
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(url, { method, headers, signal, agent: false });
  const timer = setTimeout(() => sent.destroy(new Error('no answer in time')), headersTimeoutMs);
  sent.once('response', resolve).once('error', reject).end(body);
  try {
    return await promise;
  } catch (thrown) {
    signal.throwIfAborted();
    throw unreachable(url, thrown);
  } finally {
    clearTimeout(timer);
  }
}

const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
  ENOTFOUND: 'no host of that name',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'no answer in time',
};

export function unreachable({ origin }: URL, thrown: unknown): CliError {
  const { code, message } = errorOf(thrown);
  const why = explanations[code] ?? (message || code);
  return new CliError(
    `can't reach Cairn at ${origin}: ${why}. ` +
      "Start one with 'cairn run', or name another with --server or CAIRN_SERVER.",
    1,
    { cause: thrown },
  );
}

/** A host with several addresses fails with all their errors at once; the first one says enough. */
function errorOf(thrown: unknown): { code: string; message: string } {
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return errorOf(thrown.errors[0]);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
}
