import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Build } from '../../crds/build.ts';

/** What a replica sends along when it asks another one on somebody's behalf: see `voucherFor`. */
export const voucherHeader = 'x-cairn-replica';

/**
 * What shows that a replica asks, which has looked at the rights of its client: the HMAC-SHA256 (RFC 2104) of the Build whose
 * log it may be given, in base64url. Tokens of clients are not handed on: who may write a Lease could have them sent anywhere.
 */
export function voucherFor({ metadata }: Build, secret: string): string {
  const { namespace, name, uid } = metadata;
  const text = ['cairn build log 1', namespace, name, uid].join('\n');
  return createHmac('sha256', secret).update(text).digest('base64url');
}

export function isVoucherFor(given: string, build: Build, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(voucherFor(build, secret))];
  return a.length === b.length && timingSafeEqual(a, b);
}
