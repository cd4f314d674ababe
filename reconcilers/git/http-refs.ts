import { request, type Dispatcher } from 'undici';
import { agentOf } from '../fetch/dispatcher.ts';
import { authorizationOf } from './access.ts';
import { packetLine, packetsOf } from './packet-lines.ts';
import { addRef, type Refs, type Remote } from './refs.ts';

/** A repository that says nothing for so long is left to git, which has more patience. */
const silenceMs = 10_000;
const askMs = 30_000;
/** Longer than the usual pause between two looks. */
const keepAliveMs = 30_000;
const mostBytes = 64 * 2 ** 20;
/** Of private authorities: each has its own connections. */
const mostAuthorities = 100;

/**
 * Asks git servers for refs as git does, in version 2 of its protocol, but without a process for each question: that is what
 * following a thousand repositories costs.
 */
export class HttpRefs {
  /** By the certificates of the authority that a Secret names. */
  readonly #agents = new Map<string, Dispatcher>();

  /**
   * The refs of a repository, or undefined when it takes git to ask: it is not on http, the server wants something else, speaks
   * another version, or fails. Whatever there is to say of that, git says.
   */
  async list({ url, secret }: Remote, signal: AbortSignal): Promise<Refs | undefined> {
    const base = baseOf(url);
    const authorization = secret && authorizationOf(secret);
    if (base === undefined || (secret && authorization === undefined)) return undefined;
    const headers = {
      'git-protocol': 'version=2',
      'user-agent': 'git/cairn',
      ...(authorization === undefined ? {} : { authorization }),
    };
    const ask = {
      headers,
      dispatcher: this.#agentOf(secret?.['ca.crt'] ?? ''),
      signal: AbortSignal.any([signal, AbortSignal.timeout(askMs)]),
    };
    try {
      const service = await serviceAt(base, ask);
      return service && (await refsOf(service, ask));
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #agentOf(ca: string): Dispatcher {
    const known = this.#agents.get(ca);
    if (known) return known;
    const [oldest] = this.#agents.size >= mostAuthorities ? this.#agents : [];
    if (oldest) {
      this.#agents.delete(oldest[0]);
      void oldest[1].close();
    }
    const tls = ca === '' ? {} : { ca };
    const agent = agentOf({
      ...{ connect: { timeout: silenceMs, ...tls }, requestTls: tls },
      ...{ headersTimeout: silenceMs, bodyTimeout: silenceMs, keepAliveTimeout: keepAliveMs },
    });
    this.#agents.set(ca, agent);
    return agent;
  }
}

/** Not where credentials are in the URL: git knows when to send them. */
function baseOf(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const { username, password, search, hash } = new URL(url);
  return username + password + search + hash === '' ? url.replace(/\/+$/, '') : undefined;
}

interface Ask {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

interface Service {
  /** Without a slash at the end. */
  readonly base: string;
  /** How it names objects. */
  readonly format: string;
}

const discovery = '/info/refs?service=git-upload-pack';

/** Undefined of a server that does not list refs in version 2: gitprotocol-http(5), gitprotocol-v2(5). */
async function serviceAt(asked: string, ask: Ask): Promise<Service | undefined> {
  const first = await request(`${asked}${discovery}`, ask);
  const base = movedTo(asked, first);
  if (base === undefined) return advertisedBy(first, asked);
  await first.body.dump();
  return advertisedBy(await request(`${base}${discovery}`, ask), base);
}

/** Elsewhere on the same server: GitLab's answer to a URL without .git. Credentials go nowhere else. */
function movedTo(
  asked: string,
  { statusCode, headers: { location } }: Dispatcher.ResponseData,
): string | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || typeof location !== 'string')
    return undefined;
  const moved = URL.parse(location, `${asked}/info/`);
  if (moved?.origin !== new URL(asked).origin || !moved.href.endsWith(discovery)) return undefined;
  return moved.href.slice(0, -discovery.length);
}

async function advertisedBy(
  answer: Dispatcher.ResponseData,
  base: string,
): Promise<Service | undefined> {
  const lines = await linesOf(answer, 'advertisement');
  const first = lines.findIndex((line) => line === 'version 2');
  // Some say before what service it is.
  if (first < 0 || first > 1) return undefined;
  if (!lines.some((line) => /^ls-refs(=|$)/.test(line))) return undefined;
  const format = lines.find((line) => line.startsWith('object-format='));
  return { base, format: format?.slice('object-format='.length) ?? 'sha1' };
}

async function refsOf({ base, format }: Service, ask: Ask): Promise<Refs> {
  const wanted = ['HEAD', 'refs/heads/', 'refs/tags/'].map((prefix) => `ref-prefix ${prefix}`);
  const body = [
    packetLine('command=ls-refs'),
    ...(format === 'sha1' ? [] : [packetLine(`object-format=${format}`)]),
    '0001',
    ...['peel', ...wanted].map(packetLine),
    '0000',
  ];
  const headers = {
    ...ask.headers,
    'content-type': 'application/x-git-upload-pack-request',
    accept: 'application/x-git-upload-pack-result',
  };
  const options = { ...ask, method: 'POST', headers, body: body.join('') } as const;
  const refs = new Map<string, string>();
  for (const line of await linesOf(await request(`${base}/git-upload-pack`, options), 'result')) {
    const [object = '', ref = '', ...attributes] = line.split(' ');
    const peeled = attributes.find((attribute) => attribute.startsWith('peeled:'));
    if (isWanted(ref)) addRef(refs, ref, peeled?.slice('peeled:'.length) ?? object);
  }
  return refs;
}

/** A prefix is a wish: servers may tell more. */
function isWanted(ref: string): boolean {
  return ref === 'HEAD' || ref.startsWith('refs/heads/') || ref.startsWith('refs/tags/');
}

/** The lines of an answer that is whole. Throws on any other. */
async function linesOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  what: string,
): Promise<readonly string[]> {
  const type = `application/x-git-upload-pack-${what}`;
  if (statusCode !== 200 || headers['content-type'] !== type) {
    body.on('error', () => {}).destroy();
    throw new Error('it takes git');
  }
  const lines: string[] = [];
  let isWhole = false;
  for await (const packet of packetsOf(bounded(body))) {
    isWhole = packet === 'flush';
    if (typeof packet === 'string') continue;
    const line = packet.toString('utf8').replace(/\n$/, '');
    if (line.startsWith('ERR ')) throw new Error(line);
    lines.push(line);
  }
  if (!isWhole) throw new Error('the answer is not whole');
  return lines;
}

async function* bounded(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error('too much');
    yield chunk;
  }
}
