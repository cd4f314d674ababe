import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role } from './roles.ts';

/** Tells who may read private content and who may write, by the Authorization header. */
export interface Access {
  /** The holder of any token: that of archives, or of a role. */
  mayRead(authorization: string | undefined): boolean;
  /** The role that a token stands for; undefined for the read token, and for none of ours. */
  roleOf(authorization: string | undefined): Role | undefined;
}

/** The tokens of roles beside the admin's. */
export type RoleTokens = Readonly<Record<Exclude<Role, 'admin'>, string>>;

/**
 * Tokens are compared by their digests, in constant time. An empty token matches nothing. They are
 * looked at for each request: those of a cluster are not known at once.
 */
export function createAccess(tokens: {
  readonly readToken: string;
  readonly adminToken: string;
  readonly roleTokens?: RoleTokens;
}): Access {
  const isReader = matcher(() => tokens.readToken);
  const byRole: readonly (readonly [Role, (token: string) => boolean])[] = [
    ['admin', matcher(() => tokens.adminToken)],
    ['editor', matcher(() => tokens.roleTokens?.editor)],
    ['promoter', matcher(() => tokens.roleTokens?.promoter)],
    ['viewer', matcher(() => tokens.roleTokens?.viewer)],
  ];
  function roleOf(authorization: string | undefined): Role | undefined {
    const token = tokenOf(authorization);
    if (token === undefined) return undefined;
    return byRole.find(([, isHolder]) => isHolder(token))?.[0];
  }
  return {
    roleOf,
    mayRead(authorization) {
      const token = tokenOf(authorization);
      return token !== undefined && (isReader(token) || roleOf(authorization) !== undefined);
    },
  };
}

function matcher(secretNow: () => string | undefined): (token: string) => boolean {
  return (token) => {
    const secret = secretNow() ?? '';
    return secret !== '' && timingSafeEqual(digest(token), digest(secret));
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The token of `Bearer <token>`, or the password of `Basic` (any user): what apt can send. */
function tokenOf(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  if (value === undefined) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? undefined : pair.slice(colon + 1);
}
