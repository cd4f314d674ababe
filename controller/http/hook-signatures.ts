import { createHash, createHmac, timingSafeEqual, type Hmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a call claims to be signed with; it is told the body, and then whether that holds. */
export interface Claim {
  update(chunk: Buffer): void;
  holds(): boolean;
}

/** A signature in a header, and what is signed before the body. */
interface Signature {
  readonly prefix: string;
  readonly value: Buffer;
  /** Whether the token is the key itself, or its Base64. */
  readonly key: 'text' | 'base64';
}

/** `sha256=` and hex: GitHub, Gitea and Forgejo; Bitbucket; and what anybody can make with openssl. */
const withAlgorithm = ['x-hub-signature-256', 'x-hub-signature', 'x-signature'] as const;
/** Hex alone: Gitea, Forgejo, Gogs. */
const plainHex = ['x-gitea-signature', 'x-forgejo-signature', 'x-gogs-signature'] as const;
/** Of one header of Standard Webhooks. */
const mostSignatures = 4;
const base64Prefix = 'whsec_';

/**
 * What the headers of a call claim; undefined when they claim nothing. One signature that holds is
 * enough: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, the same of
 * Gitea and Bitbucket, `X-Gitlab-Token`, and https://www.standardwebhooks.com for the signing tokens of GitLab.
 */
export function claimOf(
  headers: IncomingHttpHeaders,
  tokens: readonly string[],
): Claim | undefined {
  const signatures = [...hexSignatures(headers), ...standardSignatures(headers)];
  const bare = textOf(headers, 'x-gitlab-token');
  if (signatures.length === 0 && bare === undefined) return undefined;
  const checks = signatures.flatMap((signature) =>
    tokens.flatMap((token) => {
      const hmac = hmacOf(token, signature);
      return hmac ? [{ hmac, value: signature.value }] : [];
    }),
  );
  return {
    update: (chunk) => {
      for (const { hmac } of checks) hmac.update(chunk);
    },
    holds() {
      const isToken = tokens.map((token) => bare !== undefined && isSame(token, bare));
      const isSigned = checks.map(({ hmac, value }) => timingSafeEqual(hmac.digest(), value));
      return [...isToken, ...isSigned].includes(true);
    },
  };
}

function hexSignatures(headers: IncomingHttpHeaders): readonly Signature[] {
  const found = [
    ...withAlgorithm.map((name) => /^sha256=([0-9a-f]{64})$/i.exec(textOf(headers, name) ?? '')),
    ...plainHex.map((name) => /^([0-9a-f]{64})$/i.exec(textOf(headers, name) ?? '')),
  ].flatMap((match) => match?.[1]?.toLowerCase() ?? []);
  return [...new Set(found)].map((hex) => ({
    ...{ prefix: '', value: Buffer.from(hex, 'hex'), key: 'text' },
  }));
}

/** `webhook-signature: v1,<Base64> v1,…` of `<webhook-id>.<webhook-timestamp>.<body>`. */
function standardSignatures(headers: IncomingHttpHeaders): readonly Signature[] {
  const [id, time, list] = ['id', 'timestamp', 'signature'].map((one) =>
    textOf(headers, `webhook-${one}`),
  );
  if (id === undefined || time === undefined || list === undefined) return [];
  return list
    .split(' ')
    .flatMap((one) => /^v1,([A-Za-z0-9+/]{43}=)$/.exec(one)?.[1] ?? [])
    .slice(0, mostSignatures)
    .map((value) => ({
      ...{ prefix: `${id}.${time}.`, value: Buffer.from(value, 'base64'), key: 'base64' },
    }));
}

function hmacOf(token: string, { prefix, key }: Signature): Hmac | undefined {
  if (key === 'text') return createHmac('sha256', token).update(prefix);
  if (!token.startsWith(base64Prefix)) return undefined;
  const bytes = Buffer.from(token.slice(base64Prefix.length), 'base64');
  // What is no Base64 would be a key that everybody has.
  return bytes.length < 16 ? undefined : createHmac('sha256', bytes).update(prefix);
}

/** In a time that does not depend on where they differ. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** A header that was sent once. */
function textOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}
