import type { IncomingMessage } from 'node:http';
import { group } from '../../../crds/object.ts';
import type { Access } from '../access.ts';
import { schemeOf } from '../base-url.ts';
import { mayDo, type Action, type Role } from '../roles.ts';
import { ApiFailure } from './status.ts';

export interface WriteRules {
  readonly access: Access;
  /** Whether the server can be reached from this machine alone. */
  readonly listensLocally: () => boolean;
  /** Given when a proxy stands before the server: then loopback peers are anybody. */
  readonly externalUrl: string | undefined;
}

/** Who asks: the holder of a role's token, somebody at this machine, or anybody. */
export interface Caller {
  readonly role: Role | undefined;
  /** As `kubectl auth whoami` shows it. */
  readonly name: string;
}

/**
 * Who a request comes from. On a laptop, whoever is at this machine may edit without a token. Throws
 * 401 for a token that is none of ours.
 */
export function callerOf(req: IncomingMessage, rules: WriteRules): Caller {
  const { authorization } = req.headers;
  if (authorization === undefined) {
    const isHere = isLocal(req, rules);
    return isHere
      ? { role: 'editor', name: 'system:local' }
      : { role: undefined, name: 'system:anonymous' };
  }
  const role = rules.access.roleOf(authorization);
  if (role !== undefined) return { role, name: role };
  if (rules.access.mayRead(authorization)) return { role: undefined, name: 'reader' };
  throw new ApiFailure(401, 'this is no token of this server');
}

/**
 * Throws 401 or 403 unless the request may do what it is about to: by the role of its token, or, on
 * a laptop, from this machine without one.
 */
export function checkMayDo(req: IncomingMessage, rules: WriteRules, action: Action): void {
  const caller = callerOf(req, rules);
  if (mayDo(caller.role, action)) return;
  if (req.headers.authorization !== undefined) throw forbidden(caller, action);
  if (caller.role !== undefined) throw new ApiFailure(401, 'this needs the admin token');
  const obstacle = strangeness(req, rules) ?? '';
  throw new ApiFailure(401, `writing needs a token here: ${obstacle}`);
}

/** 403 in the words of Kubernetes; `why` adds what it was about. */
export function forbidden({ name: user }: Caller, action: Action, why = ''): ApiFailure {
  const { verb, plural, namespace, name, subresource } = action;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const what = name === undefined ? `${plural}.${group}` : `${plural}.${group} "${name}"`;
  const message =
    `${what} is forbidden: User "${user}" cannot ${verb} resource "${resource}" in API group ` +
    `"${group}" in the namespace "${namespace}"${why === '' ? '' : `: ${why}`}`;
  const details = { group, kind: plural, ...(name !== undefined && { name }) };
  return new ApiFailure(403, message, { details });
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
  const ours = `${schemeOf(req.socket)}://${host}`;
  if (origin !== undefined && origin !== ours) return 'the Origin is another site';
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
