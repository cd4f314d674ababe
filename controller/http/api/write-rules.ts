import type { IncomingMessage } from 'node:http';
import type { Access } from '../access.ts';
import { ApiFailure } from './status.ts';

export interface WriteRules {
  readonly access: Access;
  /** Whether the server can be reached from this machine alone. */
  readonly listensLocally: () => boolean;
  /** Given when a proxy stands before the server: then loopback peers are anybody. */
  readonly externalUrl: string | undefined;
}

/**
 * Throws 401 or 403 unless the request may write: with the admin token, or, on a laptop, from this
 * machine without one.
 */
export function checkMayWrite(req: IncomingMessage, rules: WriteRules): void {
  const { authorization } = req.headers;
  if (rules.access.isAdmin(authorization)) return;
  if (authorization !== undefined) {
    throw new ApiFailure(rules.access.mayRead(authorization) ? 403 : 401, 'not the admin token');
  }
  const obstacle = strangeness(req, rules);
  if (obstacle !== undefined) {
    throw new ApiFailure(401, `writing needs the admin token here: ${obstacle}`);
  }
}

/** Throws 401 or 403 unless the request has the admin token. */
export function checkIsAdmin(req: IncomingMessage, { access }: WriteRules): void {
  const { authorization } = req.headers;
  if (access.isAdmin(authorization)) return;
  const known = access.mayRead(authorization);
  throw new ApiFailure(known ? 403 : 401, 'this needs the admin token');
}

/** Whether the request surely comes from a program of this machine's user, as far as one can tell. */
export function isLocal(req: IncomingMessage, rules: WriteRules): boolean {
  return strangeness(req, rules) === undefined;
}

/**
 * Why a request may come from elsewhere. A browser on this machine speaks for any page that it
 * shows: a Host that isn't ours means DNS rebinding, a foreign Origin or the type of a form means a
 * request forged by a page.
 */
function strangeness(req: IncomingMessage, rules: WriteRules): string | undefined {
  const { headers } = req;
  const { host = '', origin } = headers;
  if (!rules.listensLocally()) return 'the server listens on more than the loopback address';
  if (rules.externalUrl !== undefined) return 'the server has an external URL';
  if (!isLoopback(req.socket.remoteAddress)) return 'the request comes from another machine';
  if (forwarding.some((name) => name in headers)) return 'a proxy has forwarded the request';
  if (!isLoopbackHost(host)) return 'the Host header is not a loopback address';
  if (origin !== undefined && origin !== `http://${host}`) return 'the Origin is another site';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'another site asks';
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== undefined && formTypes.has(type)) return 'a form could have sent this content type';
  return undefined;
}

const forwarding = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

const formTypes: ReadonlySet<string> = new Set([
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
]);

/** Whether an IP address is one of this machine's loopback addresses. */
export function isLoopback(address: string | undefined): boolean {
  return /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/i.test(address ?? '');
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}
