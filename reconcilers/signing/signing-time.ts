import type { SigningKey } from '../../apt/openpgp.ts';

const backdatedMs = 15_000;

/**
 * When a signature says that it was made. apt 3 (sqv) takes none that is from the future, and our
 * Date may be ahead by some seconds, as may our clock: apt allows ten of them for the Date itself.
 */
export function signingTime(keys: readonly SigningKey[], date: Date): Date {
  const made = keys.map(({ key }) => key.getCreationTime().getTime());
  return new Date(Math.max(date.getTime() - backdatedMs, ...made));
}
