/** Between a client and a Kubernetes API server: what goes wrong on the way. */
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import type { Scope } from './temp.ts';

export interface ApiProxyOptions {
  /** The API server, and the certificates to trust it by. */
  readonly url: string;
  readonly ca: string;
}

/** What becomes of a request; without any of these it is passed on. */
export interface ApiFault {
  /** The first so many that match; one by default. */
  readonly times?: number;
  /** Answers this by itself. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Passes the request on, and resets the connection instead of answering. */
  readonly loseAnswer?: boolean;
  /** Says nothing at all. */
  readonly silent?: boolean;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  /** Of `performance.now()`. */
  readonly at: number;
  /** What the server, or a fault, has answered by now. */
  status?: number;
}

type Match = (request: SeenRequest) => boolean;

/** Plain HTTP here, TLS behind. */
export class ApiProxy {
  readonly requests: SeenRequest[] = [];
  readonly #options: ApiProxyOptions;
  readonly #agent: https.Agent;
  readonly #sockets = new Set<Socket>();
  readonly #flowing = new Set<Flow>();
  #server: http.Server | undefined;
  #port = 0;
  #faults: { match: Match; fault: ApiFault; left: number }[] = [];

  constructor(options: ApiProxyOptions) {
    this.#options = options;
    this.#agent = new https.Agent({ ca: options.ca, keepAlive: true });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Accepts connections, at the same port as before. */
  async open(): Promise<void> {
    const server = http.createServer((req, res) => this.#serve(req, res));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.on('error', reject);
    server.listen(this.#port, '127.0.0.1', resolve);
    await promise;
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Resets all connections, and refuses new ones. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#server) this.#server.close(() => resolve());
    else resolve();
    this.#server = undefined;
    this.cut();
    await promise;
    this.#agent.destroy();
  }

  fault(match: Match, fault: ApiFault): void {
    this.#faults.unshift({ match, fault, left: fault.times ?? 1 });
  }

  /** Resets all connections, in the middle of whatever they carry. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** What flows now stands still, and nobody is told: as when a cable is pulled. */
  freeze(): void {
    for (const { from, to } of this.#flowing) {
      from.unpipe(to);
      from.pause();
    }
  }

  #serve(req: http.IncomingMessage, res: http.ServerResponse): void {
    const { method = '', url: where = '', headers } = req;
    const { authorization = '' } = headers;
    const seen: SeenRequest = { method, path: where, authorization, at: performance.now() };
    this.requests.push(seen);
    const fault = this.#take(seen);
    if (fault?.silent) return;
    if (fault?.status !== undefined) {
      seen.status = fault.status;
      res.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      res.end(`${JSON.stringify(fault.body ?? {})}\n`);
      return;
    }
    this.#pass(req, res, { seen, loseAnswer: fault?.loseAnswer ?? false });
  }

  #pass(
    req: http.IncomingMessage,
    res: http.ServerResponse,
    { seen, loseAnswer }: { readonly seen: SeenRequest; readonly loseAnswer: boolean },
  ): void {
    const { method, url: where = '', headers } = req;
    const passed = https.request(new URL(where, this.#options.url), {
      method,
      headers: { ...headers, host: new URL(this.#options.url).host },
      agent: this.#agent,
    });
    passed.on('error', () => res.socket?.resetAndDestroy());
    passed.on('response', (answer) => {
      if (answer.statusCode !== undefined) seen.status = answer.statusCode;
      if (loseAnswer) {
        answer.resume().on('end', () => res.socket?.resetAndDestroy());
        return;
      }
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      res.flushHeaders();
      const flow = { from: answer, to: res };
      this.#flowing.add(flow);
      answer.on('error', () => res.socket?.resetAndDestroy());
      answer.pipe(res);
      answer.on('close', () => this.#flowing.delete(flow));
    });
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  }

  #take(request: SeenRequest): ApiFault | undefined {
    const rule = this.#faults.find(({ match, left }) => left > 0 && match(request));
    if (rule) rule.left -= 1;
    return rule?.fault;
  }
}

interface Flow {
  readonly from: http.IncomingMessage;
  readonly to: http.ServerResponse;
}

/** Writes a kubeconfig like that of the server itself, which leads through the proxy. */
export function kubeconfigThrough(proxy: ApiProxy, kubeconfig: string, folder: string): string {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Record<string, unknown>;
  const cluster = { server: proxy.url, 'insecure-skip-tls-verify': true };
  const file = path.join(folder, 'kubeconfig');
  const text = JSON.stringify({ ...config, clusters: [{ name: 'test', cluster }] });
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** A proxy that ends with the scope. */
export async function startApiProxy(scope: Scope, options: ApiProxyOptions): Promise<ApiProxy> {
  const proxy = new ApiProxy(options);
  await proxy.open();
  scope.after(() => proxy.close());
  return proxy;
}
