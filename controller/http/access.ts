import { createHash, timingSafeEqual } from 'node:crypto';

/** Tells who may read private content and who may write, by the Authorization header. */
export interface Access {
  mayRead(authorization: string | undefined): boolean;
  isAdmin(authorization: string | undefined): boolean;
}

/** Tokens are compared by their digests, in constant time. An empty token matches nothing. */
export function createAccess(tokens: {
  readonly readToken: string;
  readonly adminToken: string;
}): Access {
  const reader = matcher(tokens.readToken);
  const admin = matcher(tokens.adminToken);
  return {
    mayRead(authorization) {
      const token = tokenOf(authorization);
      return token !== undefined && (reader(token) || admin(token));
    },
    isAdmin(authorization) {
      const token = tokenOf(authorization);
      return token !== undefined && admin(token);
    },
  };
}

function matcher(secret: string): (token: string) => boolean {
  if (secret === '') return () => false;
  const expected = digest(secret);
  return (token) => timingSafeEqual(digest(token), expected);
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
