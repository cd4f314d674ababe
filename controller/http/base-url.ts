import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How this client reaches us, without a trailing slash: the address that the operator gave, else
 * the Host that was asked for. Undefined when that is no plain `host[:port]`. What proxies claim in
 * X-Forwarded-* headers is not believed.
 */
export function baseUrl(
  { headers: { host }, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  externalUrl: string | undefined,
): string | undefined {
  if (externalUrl !== undefined) return externalUrl.replace(/\/+$/, '');
  const valid = /^([a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$/i;
  return host !== undefined && host.length <= 260 && valid.test(host)
    ? `${schemeOf(socket)}://${host}`
    : undefined;
}

/** Whether the connection itself is encrypted; what a proxy did before it is not known. */
export function schemeOf(socket: Socket): 'http' | 'https' {
  return 'encrypted' in socket ? 'https' : 'http';
}
