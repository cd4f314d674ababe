/** Upstreams as the reconcilers use them, and servers that do just what a test says. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Upstream, type UpstreamOptions } from '../../../reconcilers/fetch/upstream.ts';
import { HostSlots } from '../../../reconcilers/fetch/slots.ts';
import type { Scope } from '../../world/temp.ts';

export const signal = new AbortController().signal;

/** Without retries unless asked for: what goes wrong is seen at once. */
export function upstreamAt(
  scope: Scope,
  url: string,
  options: Partial<UpstreamOptions> = {},
): Upstream {
  const upstream = new Upstream({
    url,
    connections: 4,
    stallMs: 2000,
    retries: 0,
    slots: new HostSlots(),
    ...options,
  });
  scope.after(() => upstream.close());
  return upstream;
}

/** A server on a free port of the loopback interface; gives its URL, without a slash at the end. */
export async function serve(scope: Scope, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // listening on TCP
  return `http://127.0.0.1:${port}`;
}

/** The text of a small file. */
export async function textOf(upstream: Upstream, path: string): Promise<string> {
  const page = await upstream.page(path, { maxBytes: 100_000, signal });
  return page.status === 'ok' ? page.body.toString() : page.status;
}

/** What a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}
