/** An API server of the dialect of Kubernetes: the real one, or Cairn's own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { group, version } from '../../crds/object.ts';

export interface ServerAddress {
  readonly url: string;
  readonly token: string;
  /** The certificates to trust, as PEM. */
  readonly ca?: string;
}

/** How many requests of ours are under way at a time. */
const atOnce = 16;

export class Server {
  readonly #address: ServerAddress;
  readonly #calls: Agent;
  readonly #watches: Agent;

  constructor(address: ServerAddress) {
    this.#address = address;
    const connect = address.ca === undefined ? {} : { ca: address.ca };
    this.#calls = new Agent({ connect, connections: atOnce });
    this.#watches = new Agent({ connect, bodyTimeout: 0 });
  }

  /** The text of a successful answer. A server that is just starting is asked again. */
  async send(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<string> {
    const answer = await this.#request(this.#calls, method, path, body);
    const text = await answer.body.text();
    if (answer.statusCode < 300) return text;
    if (answer.statusCode === 429) {
      await sleep(Number(answer.headers['retry-after'] ?? 1) * 1000);
      return this.send(method, path, body);
    }
    throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
  }

  /** The lines of a watch, until it is aborted. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const { statusCode, body } = await this.#request(this.#watches, 'GET', path, undefined, signal);
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${await body.text()}`);
    let rest = '';
    for await (const text of body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  /** Does something for each item, some at a time. */
  async forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>) {
    const left = items.values();
    const worker = async () => {
      for (const item of left) await work(item);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  async close(): Promise<void> {
    await Promise.all([this.#calls.destroy(), this.#watches.destroy()]);
  }

  #request(
    agent: Agent,
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ) {
    const { url, token } = this.#address;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return agent.request({
      origin: url,
      path,
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }
}

/** The path of a kind's objects, or of one of them. */
export function pathOf(plural: string, name?: string): string {
  const objects = `/apis/${group}/${version}/namespaces/default/${plural}`;
  return name === undefined ? objects : `${objects}/${name}`;
}
