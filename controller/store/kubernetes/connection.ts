import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { StoreError } from '../../../crds/store.ts';
import type { Log } from '../../log.ts';
import { throughProxy, type Cluster } from './cluster.ts';
import { backOffMs, pause } from './pace.ts';
import { answerOf } from './answer.ts';
import { asFailure, Failure } from './failure.ts';
import { noAnswer, type RequestObserver } from './request-metrics.ts';
import { Refusals } from './refusals.ts';
import { asStoreError, type Answer } from './statuses.ts';

/** One call of the Kubernetes API. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** The JSON of the body, where it is at hand. */
  readonly text?: string;
  /** `application/json` by default. */
  readonly type?: string;
  /** What kind of answer; `application/json` by default. */
  readonly accept?: string;
  /** All attempts together; 30 s by default. */
  readonly deadlineMs?: number;
  /** Asked before each attempt: how long it may take, in ms. Throws when it may not be made. */
  readonly fence?: Fence;
}

/** Whether this process may write, and for how long it certainly may. */
export type Fence = () => number;

/** Who makes calls; ask for this where nothing is streamed. */
export interface Caller {
  /** See `Connection.call`. */
  call(call: Call): Promise<Answer>;
}

/** Makes its calls, those that write, only while the fence lets them through. */
export function fenced(caller: Caller, fence: Fence): Caller {
  return { call: (call) => caller.call(call.method === 'GET' ? call : { ...call, fence }) };
}

export interface ConnectionOptions {
  readonly cluster: Cluster;
  readonly log: Log;
  readonly random?: () => number;
  /** How long one attempt may take; 10 s by default. */
  readonly attemptMs?: number;
  readonly observer?: RequestObserver | undefined;
}

const userAgent = 'cairn';
const defaultAttemptMs = 10_000;
const defaultDeadlineMs = 30_000;
const firstPauseMs = 100;
const longestPauseMs = 8000;
const mostConnections = 16;
/** TCP's own probes, against peers that are gone without a word. */
const probeMs = 15_000;

/** What the API server says of an object that it has deleted. */
const gone = { kind: 'Status', status: 'Success' } as const;

/** Connections to an API server that are kept and used again; bounded in number, size and time. */
export class Connection implements Caller {
  readonly #options: ConnectionOptions;
  readonly #agents: Readonly<Record<'calls' | 'watches', http.Agent>>;
  readonly #random: () => number;
  readonly #closed = new AbortController();
  readonly #running = new Set<AbortController>();
  readonly #refusals = new Refusals();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    const { Agent } = options.cluster.server.protocol === 'http:' ? http : https;
    const proxy = throughProxy(options.cluster.proxy);
    const common = { ...proxy, keepAlive: true, keepAliveMsecs: probeMs };
    this.#agents = {
      calls: new Agent({ ...common, maxSockets: mostConnections }),
      watches: new Agent({ ...proxy, keepAlive: false }),
    };
  }

  /**
   * The answer to a call; throws `StoreError` for any but success. What may be done twice is tried
   * again until the deadline: always after 429, 503 and connections that were not made, else only
   * if the call says the same when it is repeated, which a POST doesn't. After 401 once.
   */
  async call(call: Call): Promise<Answer> {
    const start = performance.now();
    const deadline = start + (call.deadlineMs ?? defaultDeadlineMs);
    const { observer } = this.#options;
    const ended = (code: string | undefined, error?: unknown) => {
      this.#refusals.note(call, error);
      if (code !== undefined) {
        observer?.asked(call.method, code, (performance.now() - start) / 1000);
      }
    };
    let isUncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#attempt(call).catch((error: unknown) => asFailure(error));
      const code = result instanceof Failure ? result.code : String(result.status);
      if (!(result instanceof Failure)) {
        ended(code);
        return result;
      }
      if (isUncertain && result.meansGone(call)) {
        ended(code);
        return { status: 200, retryAfterMs: 0, body: gone };
      }
      isUncertain ||= result.isUncertain;
      const wait = Math.max(result.retryAfterMs, this.#pauseMs(attempt));
      const isLate = performance.now() + wait > deadline;
      const mayRepeat = result.mayRepeat(call, attempt) && !this.#closed.signal.aborted;
      if (isLate || !mayRepeat) {
        ended(code, result.error);
        throw result.error;
      }
      observer?.retried(call.method, code ?? '');
      const fields = { method: call.method, because: result.error.message };
      this.#options.log.debug('asking the API server again', fields);
      await pause(wait, this.#closed.signal);
    }
  }

  /** The body of a successful GET, as it arrives. Throws `StoreError` when there is none. */
  async stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { attemptMs = defaultAttemptMs } = this.#options;
    const late = AbortSignal.timeout(attemptMs * 3);
    let response: IncomingMessage | undefined;
    const giveUp = () => response?.destroy(new Error('no answer in time'));
    try {
      response = await this.#send({ method: 'GET', path }, 'watches', {
        whole: AbortSignal.any([signal, this.#closed.signal]),
        head: late,
      });
      this.#options.observer?.asked('GET', String(response.statusCode));
      if (response.statusCode === 200) return response;
      late.addEventListener('abort', giveUp);
      throw this.#refusal(await answerOf(response));
    } catch (error) {
      if (!response) this.#options.observer?.asked('GET', noAnswer);
      throw asFailure(error).error;
    } finally {
      late.removeEventListener('abort', giveUp);
    }
  }

  /** What this process may not do, in the words of the server. */
  refusals(): readonly string[] {
    return this.#refusals.list();
  }

  /** Ends all calls and watches. */
  close(): void {
    this.#closed.abort();
    for (const attempt of this.#running) attempt.abort();
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #attempt(call: Call): Promise<Answer> {
    const { attemptMs = defaultAttemptMs } = this.#options;
    const allowedMs = Math.min(call.fence?.() ?? attemptMs, attemptMs);
    // a controller for each attempt: signals that live for ever gather what was derived from them
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(), Math.floor(allowedMs));
    this.#running.add(attempt);
    try {
      const answer = await answerOf(await this.#send(call, 'calls', { whole: attempt.signal }));
      if (answer.status < 300) return answer;
      throw this.#refusal(answer);
    } finally {
      clearTimeout(timer);
      this.#running.delete(attempt);
    }
  }

  /** What is over at once costs little: the other end has closed a connection that was kept, say. */
  #pauseMs(attempt: number): number {
    if (attempt === 1) return firstPauseMs * this.#random();
    return backOffMs(attempt - 1, this.#random, longestPauseMs);
  }

  #refusal(answer: Answer): StoreError {
    if (answer.status === 401) this.#options.cluster.refused();
    return asStoreError(answer);
  }

  /** Resolves with the head of the response. `head` bounds the time until then, `whole` all of it. */
  async #send(
    call: Call,
    use: 'calls' | 'watches',
    { whole, head }: { readonly whole: AbortSignal; readonly head?: AbortSignal },
  ): Promise<IncomingMessage> {
    const { cluster } = this.#options;
    const { method, path, body, text: json } = call;
    const { type = 'application/json', accept = 'application/json' } = call;
    const { headers, tls } = await orAborted(cluster.credentials(), head ?? whole);
    const { request } = cluster.server.protocol === 'http:' ? http : https;
    const given = json ?? (body === undefined ? undefined : JSON.stringify(body));
    const text = given === undefined ? undefined : Buffer.from(given);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(
      new URL(cluster.server.pathname.replace(/\/$/, '') + path, cluster.server),
      {
        ...tls,
        method,
        agent: this.#agents[use],
        signal: whole,
        headers: {
          ...headers,
          accept,
          'user-agent': userAgent,
          ...(text && { 'content-type': type, 'content-length': text.length }),
        },
      },
    );
    const giveUp = () => sent.destroy(new Error('no answer in time'));
    head?.addEventListener('abort', giveUp);
    sent.on('socket', (socket) => socket.setKeepAlive(true, probeMs));
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end(text);
    return promise.finally(() => head?.removeEventListener('abort', giveUp));
  }
}

/** Credentials may come from a program that hangs. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new Error('no credentials in time'));
  signal.addEventListener('abort', giveUp);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
