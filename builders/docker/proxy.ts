import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Dispatcher } from 'undici';
import { ReachRules, type Reach } from './addresses.ts';
import { insideUri, withSlash, type DeclaredArchive } from './archives.ts';
import { messageOf } from './engine.ts';
import { ask, RedirectRefused, staysInside, type AskOptions } from './follow.ts';
import { idleMs, tunnel } from './tunnel.ts';

/** The only way out of a container: HTTP, to what was declared. */
export interface BuildProxy {
  /** Serves one connection. */
  accept(connection: Duplex): void;
  close(): void;
  /** Aborted by `close`. */
  readonly closed: AbortSignal;
}

export interface ProxyOptions {
  readonly archives: readonly DeclaredArchive[];
  /** Given instead of what the archive has by now; undefined: there is no such file. */
  readonly pinned?: ReadonlyMap<string, Buffer | undefined>;
  /** The rest of the world as well, but for these rules. */
  readonly reach?: Reach | undefined;
  readonly dispatcher?: Dispatcher | undefined;
}

const forwarded = [
  'range',
  'if-range',
  'if-modified-since',
  'if-none-match',
  'accept',
  'user-agent',
];
const returned = [
  ...[
    'content-type',
    'content-length',
    'content-encoding',
    'last-modified',
    'etag',
    'content-range',
  ],
  'accept-ranges',
];

/** A proxy that listens nowhere: it is handed its connections. */
export function createProxy(options: ProxyOptions): BuildProxy {
  const rules = options.reach && new ReachRules(options.reach);
  const stop = new AbortController();
  const server = createServer({ maxHeaderSize: 16 << 10, requestTimeout: idleMs });
  server.on('request', (asked, answer) => {
    serve(asked, answer, options, rules, stop.signal).catch((error: unknown) => {
      if (answer.headersSent) answer.destroy();
      else refuse(answer, error instanceof RedirectRefused ? 403 : 502, messageOf(error));
    });
  });
  server.on('connect', (asked, client: Duplex, head: Buffer) => {
    void tunnel(asked, client, head, rules, stop.signal);
  });
  return {
    accept: (connection) => void server.emit('connection', connection),
    close: () => stop.abort(),
    closed: stop.signal,
  };
}

async function serve(
  asked: IncomingMessage,
  answer: ServerResponse,
  options: ProxyOptions,
  rules: ReachRules | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (asked.method !== 'GET' && asked.method !== 'HEAD')
    return refuse(answer, 405, 'only GET and HEAD');
  const url = URL.parse(asked.url ?? '');
  if (url?.protocol !== 'http:') return refuse(answer, 400, 'a proxy is asked for whole URLs');
  url.hash = '';
  // what one server takes for a folder is a part of a name for another
  if (/%(2f|5c|00|2e)/i.test(url.pathname))
    return refuse(answer, 400, 'no encoded slashes or dots');
  const archive = options.archives.find((one) => url.href.startsWith(insideUri(one)));
  if (archive === undefined) return await serveOther(url, asked, answer, rules, signal);
  if (options.pinned?.has(url.href)) return sendPinned(answer, options.pinned.get(url.href));
  const target = `${withSlash(archive.uri)}${url.href.slice(insideUri(archive).length)}`;
  await relay(target, asked, answer, {
    signal,
    dispatcher: options.dispatcher,
    headers: archive.headers,
    mayFollow: staysInside(archive),
  });
}

function sendPinned(answer: ServerResponse, content: Buffer | undefined): void {
  if (content === undefined) return refuse(answer, 404, 'the archive has no such file');
  answer.writeHead(200, { 'content-length': content.length }).end(content);
}

/** What is no archive: only with network `Full`, and only at public addresses. */
async function serveOther(
  url: URL,
  asked: IncomingMessage,
  answer: ServerResponse,
  rules: ReachRules | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (rules === undefined) return refuse(answer, 403, `${url.host} is no archive of this build`);
  const port = Number(url.port || 80);
  const [address] = await rules.addressesOf(url.hostname, port);
  if (address === undefined) return refuse(answer, 403, `${url.host} is not open to builds`);
  const pinned = new URL(url);
  pinned.hostname = address.family === 6 ? `[${address.address}]` : address.address;
  await relay(pinned.href, asked, answer, { signal, headers: { host: url.host } });
}

async function relay(
  target: string,
  asked: IncomingMessage,
  answer: ServerResponse,
  options: AskOptions,
): Promise<void> {
  const got = await ask(target, {
    ...options,
    method: asked.method === 'HEAD' ? 'HEAD' : 'GET',
    headers: { ...pick(asked.headers, forwarded), ...options.headers },
  });
  const headers = pick(got.headers, options.mayFollow ? returned : [...returned, 'location']);
  answer.writeHead(got.statusCode, headers);
  await pipeline(got.body, answer);
}

function pick(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string | string[]> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Refusals are read by people, in the log of the build. */
function refuse(answer: ServerResponse, status: number, message: string): void {
  const text = `cairn: ${message}\n`;
  answer.writeHead(status, {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(text),
  });
  answer.end(text);
}
