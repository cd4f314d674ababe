import type { ServerResponse } from 'node:http';
import { CairnError } from '../../crds/reasons.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const plain = 'text/plain; charset=utf-8';

/** Answers with a text that is made for this request; gives the bytes of the body sent. */
export function reply(res: ServerResponse, { status, type, body, headers = {} }: Reply): number {
  const content = Buffer.from(body);
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': content.length,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  res.end(content);
  return res.req.method === 'HEAD' ? 0 : content.length;
}

/** A refusal in one sentence. */
export function refusal(
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, type: plain, body: `${reason}\n`, headers };
}

/** What a client is told when the depot's bucket can't be reached: apt tries again. */
export function unavailable(failure: unknown): Reply | undefined {
  if (!(failure instanceof CairnError) || failure.reason !== 'DepotUnavailable') return undefined;
  const headers = { 'Retry-After': '10' };
  return refusal(503, 'the storage behind this server can not be reached; try again', headers);
}

export function unauthorized(): Reply {
  return refusal(401, 'this is private: send the read token as the password, or as Bearer token', {
    'WWW-Authenticate': 'Basic realm="cairn", charset="UTF-8"',
    Vary: 'Authorization',
  });
}
