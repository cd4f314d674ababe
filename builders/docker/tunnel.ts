import type { IncomingMessage } from 'node:http';
import { connect as connectTo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReachRules } from './addresses.ts';

/** How long nothing may come from a server. */
export const idleMs = 120_000;

/** CONNECT: a connection of which nothing more is known; so never with network `Archives`. */
export async function tunnel(
  asked: IncomingMessage,
  client: Duplex,
  head: Buffer,
  rules: ReachRules | undefined,
  signal: AbortSignal,
): Promise<void> {
  client.on('error', () => client.destroy());
  const [, host = '', port = ''] =
    /^(\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(asked.url ?? '') ?? [];
  const addresses = rules ? await rules.addressesOf(host, Number(port)).catch(() => []) : [];
  const [address] = addresses;
  if (address === undefined) {
    client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    return;
  }
  const server = connectTo({
    host: address.address,
    port: Number(port),
    signal,
    allowHalfOpen: true,
  });
  server.setTimeout(idleMs, () => server.destroy());
  server.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) server.write(head);
    join(client, server);
  });
  server.once('error', () => {
    client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
}

function join(client: Duplex, server: Socket): void {
  pipeline(client, server).catch(() => server.destroy());
  pipeline(server, client).catch(() => client.destroy());
}
