/** An HTTP proxy as Squid is set up: forwards http, tunnels to 443 alone, may want a password. */
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Scope } from '../../world/temp.ts';
import { serve } from './fetch-world.ts';

export interface ForwardProxy {
  readonly url: string;
  /** What it was asked for: `GET http://…`. */
  readonly asked: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
}

export async function forwardProxy(
  scope: Scope,
  { password, stalls = false }: { password?: string; stalls?: boolean } = {},
): Promise<ForwardProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const wanted = password && `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET', url = '', headers } = request;
    asked.push(`${method} ${url}`);
    const { 'proxy-authorization': given, ...others } = headers;
    authorizations.push(given);
    if (stalls) return;
    if (wanted && given !== wanted) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end('who are you?');
      return;
    }
    const passOn = forward(url, { method, headers: others }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passOn.on('error', () => response.writeHead(502).end());
    passOn.end();
  };
  return { url: await serve(scope, listener), asked, authorizations };
}
