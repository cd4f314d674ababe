import type { ServerResponse } from 'node:http';

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

export function unauthorized(): Reply {
  return refusal(401, 'this is private: send the read token as the password, or as Bearer token', {
    'WWW-Authenticate': 'Basic realm="cairn", charset="UTF-8"',
    Vary: 'Authorization',
  });
}
