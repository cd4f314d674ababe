import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createRequire } from 'node:module';
import type { Agent as AgentClass, request as requestFunction } from 'node:http';
import { throughProxy, type Credentials } from '../store/kubernetes/cluster.ts';
import { CliError } from './command.ts';

// An import of node:http looks at all its exports, one of which loads a whole HTTP client more:
// 30 ms, at every start. `require` doesn't.
const require = createRequire(import.meta.url);

/** How long a server may take to begin its answer; a large `diff` is the slowest. */
const headersTimeoutMs = 120_000;

/** A server, or a proxy, that knows nothing of `Expect` is sent a stream after so long. */
const unexpectedMs = 3000;

/** A server that takes nothing for so long of what is being sent. */
const stalledMs = 120_000;

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: Credentials['tls'];
  /** An http(s) proxy on the way. */
  readonly proxy?: URL | undefined;
  /**
   * A stream is sent as it comes, once the server wants it (RFC 9110, 10.1.1); its time to answer
   * begins at the end of that.
   */
  readonly body?: string | Readable;
  readonly signal: AbortSignal;
}

/** Sends one request on a connection of its own; redirects are not followed. Throws `Unreachable`. */
export async function exchange({
  method,
  url,
  headers,
  tls,
  proxy,
  body,
  signal,
}: Exchange): Promise<IncomingMessage> {
  const { request, Agent } = require(url.protocol === 'https:' ? 'node:https' : 'node:http') as {
    request: typeof requestFunction; // node:https declares the same
    Agent: typeof AgentClass;
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const agent = proxy ? new Agent(throughProxy(proxy)) : false;
  const expect = typeof body === 'object' && { expect: '100-continue' };
  const sent = request(url, { method, headers: { ...headers, ...expect }, signal, agent, ...tls });
  let timer: NodeJS.Timeout | undefined;
  const awaitAnswer = () => {
    timer = setTimeout(() => sent.destroy(new Error('no answer in time')), headersTimeoutMs);
  };
  sent.once('response', resolve).once('error', reject);
  if (typeof body === 'object') {
    sent.setTimeout(stalledMs, () => sent.destroy(new Error('the server takes no more')));
    sent.once('finish', awaitAnswer);
    sendOnceWanted(sent, body);
  } else {
    awaitAnswer();
    sent.end(body);
  }
  try {
    return await promise;
  } catch (thrown) {
    signal.throwIfAborted();
    throw new Unreachable(url, thrown);
  } finally {
    sent.off('finish', awaitAnswer); // the answer may be there before the end of what is sent
    clearTimeout(timer);
  }
}

/** A refusal comes before the bytes: sent at once, they would be in its way. */
function sendOnceWanted(sent: ClientRequest, body: Readable): void {
  body.once('error', (error) => sent.destroy(error));
  const send = () => {
    clearTimeout(timer);
    sent.off('continue', send);
    body.pipe(sent);
  };
  const timer = setTimeout(send, unexpectedMs);
  sent.once('continue', send);
  sent.once('response', () => clearTimeout(timer));
  sent.once('close', () => {
    clearTimeout(timer);
    body.destroy();
  });
  sent.flushHeaders();
}

const untrusted =
  'nobody whom this machine trusts has signed its certificate; name the signer with ' +
  '--certificate-authority';

const explanations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'no route to that host',
  ENETUNREACH: 'no route to that network',
  ENOTFOUND: 'no host of that name',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'no answer in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
};

/** Of a server that is being started, or started again: those who wait may try again. */
const passing: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** No server answers at that address; `why` says so in a few words. */
export class Unreachable extends CliError {
  override readonly name = 'Unreachable';
  readonly why: string;
  readonly isPassing: boolean;

  constructor({ origin }: URL, cause: unknown) {
    const { code, message } = errorOf(cause);
    const why = `can't reach Cairn at ${origin}: ${explanations[code] ?? (message || code)}`;
    const advice = "Start one with 'cairn run', or name another with --server or CAIRN_SERVER.";
    super(`${why}. ${advice}`, 1, { cause });
    this.why = why;
    this.isPassing = passing.has(code);
  }
}

/** A host with several addresses fails with all their errors at once; the first one says enough. */
function errorOf(thrown: unknown): { code: string; message: string } {
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return errorOf(thrown.errors[0]);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
}
