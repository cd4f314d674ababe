/** Between a client and an S3 server: what goes wrong on the way, and a log of what was asked. */
import http from 'node:http';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { FaultList, matches, type Fault, type PathPattern } from './faults.ts';
import type { Scope } from './temp.ts';

type AnswerFault =
  'delayMs' | 'truncateAt' | 'resetAfterBytes' | 'stallAfterBytes' | 'corrupt' | 'status';

/** What becomes of a request or its answer; without any of these both are passed on. */
export interface S3Fault extends Pick<Fault, 'times' | 'skip' | 'headers' | AnswerFault> {
  /** The `<Code>` to go with `status`, such as `SlowDown`: the server never sees the request. */
  readonly code?: string;
  /** Takes the whole request, passes none of it on, and resets the connection. */
  readonly loseRequest?: boolean;
  /** Passes the request on, and resets the connection instead of answering. */
  readonly loseAnswer?: boolean;
  /** Flips one bit in the middle of the request's body. */
  readonly corruptRequest?: boolean;
}

export interface SeenS3Request {
  readonly method: string;
  /** As it came, with the query. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  /** What the server, or a fault, has answered by now. */
  status?: number;
}

/** The host that a request was signed for is passed on as it came: signatures stay valid. */
export class S3Proxy {
  readonly requests: SeenS3Request[] = [];
  readonly #faults = new FaultList<S3Fault>();
  readonly #target: { readonly endpoint: string };
  readonly #server = http.createServer((request, response) => {
    this.#serve(request, response).catch(() => response.socket?.resetAndDestroy());
  });

  constructor(target: { readonly endpoint: string }) {
    this.#target = target;
  }

  /** Without a slash at the end. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /**
   * Which requests: a pattern of `METHOD /path?query`, as `/^GET .*\/blobs\//`. Returns a function
   * that takes the fault away. The newest fault for a request wins.
   */
  fault(pattern: PathPattern, fault: S3Fault): () => void {
    return this.#faults.add(pattern, fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  requestsFor(pattern: PathPattern): SeenS3Request[] {
    return this.requests.filter(({ method, url }) => matches(pattern, `${method} ${url}`));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const seen: SeenS3Request = { method, url, headers };
    this.requests.push(seen);
    const fault = this.#faults.take(`${method} ${url}`);
    const body = await buffer(request);
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault.loseRequest) return void response.socket?.resetAndDestroy();
    if (fault.status !== undefined) {
      seen.status = fault.status;
      return refuse(fault, fault.status, response);
    }
    const answer = await this.#pass(seen, fault.corruptRequest ? withFlippedBit(body) : body);
    seen.status = answer.statusCode ?? 0;
    if (fault.loseAnswer) {
      await buffer(answer);
      return void response.socket?.resetAndDestroy();
    }
    await give(answer, fault, response);
  }

  async #pass({ method, url, headers }: SeenS3Request, body: Buffer): Promise<Answer> {
    // a connection of its own: none is left over from before a restart of the server
    const options = { method, headers: { ...headers, connection: 'close' }, agent: false };
    const passed = http.request(new URL(url, this.#target.endpoint), options).end(body);
    const [answer] = (await once(passed, 'response')) as [Answer];
    return answer;
  }
}

type Answer = http.IncomingMessage;

function refuse(
  { code, headers }: Partial<S3Fault>,
  status: number,
  to: http.ServerResponse,
): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  to.writeHead(status, { 'content-type': 'application/xml', ...headers });
  to.end(code === undefined ? '' : text);
}

async function give(
  answer: Answer,
  fault: Partial<S3Fault>,
  to: http.ServerResponse,
): Promise<void> {
  const { truncateAt, resetAfterBytes, stallAfterBytes, corrupt = false } = fault;
  const { connection: _ours, ...headers } = { ...answer.headers, ...fault.headers };
  const status = answer.statusCode ?? 502;
  const whole = await buffer(answer);
  const body = (corrupt ? withFlippedBit(whole) : whole).subarray(0, truncateAt);
  if (truncateAt !== undefined) headers['content-length'] = String(body.length);
  to.writeHead(status, headers);
  to.flushHeaders();
  const part = body.subarray(0, resetAfterBytes ?? stallAfterBytes);
  await new Promise((resolve) => to.write(part, resolve));
  if (stallAfterBytes !== undefined) return;
  if (resetAfterBytes !== undefined) to.socket?.resetAndDestroy();
  else to.end();
}

function withFlippedBit(body: Buffer): Buffer {
  const flipped = Buffer.from(body);
  const middle = flipped.length >> 1;
  if (flipped.length > 0) flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
  return flipped;
}

/** A proxy that ends with the scope. */
export async function startS3Proxy(
  scope: Scope,
  server: { readonly endpoint: string },
): Promise<S3Proxy> {
  const proxy = new S3Proxy(server);
  await proxy.open();
  scope.after(() => proxy.close());
  return proxy;
}
