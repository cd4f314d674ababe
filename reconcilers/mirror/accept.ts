import type { MirroredSuite } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';

/** The dates of a Release that upstream offers. */
export interface Offered {
  readonly date: Date;
  readonly validUntil?: Date | undefined;
}

/** apt allows ten seconds; mirrors' clocks get a little more. */
const mostAheadMs = 5 * 60_000;

/**
 * Refuses a Release that an attacker, or a mirror gone wrong, would like us to take: expired, older
 * than what is held, or from the future. Pure, so that the rules are tested without a network.
 *
 * Source: the checks of apt's `debReleaseIndex` and `VerifyVendor`; unlike apt, an older Release
 * is an error here and not a silent "no change".
 */
export function accept(
  suite: string,
  offered: Offered,
  held: MirroredSuite | undefined,
  { now, checkValidUntil }: { now: Date; checkValidUntil: boolean },
): void {
  const { date, validUntil } = offered;
  if (checkValidUntil && validUntil && validUntil < now) {
    throw new CairnError(
      'ReleaseExpired',
      `the Release of ${suite} was valid until ${validUntil.toISOString()} only ` +
        '(checkValidUntil: false accepts it, for archives that are frozen on purpose)',
    );
  }
  if (date.getTime() > now.getTime() + mostAheadMs) {
    throw new CairnError(
      'ReleaseInvalid',
      `the Release of ${suite} is dated ${date.toISOString()}, which is in the future`,
    );
  }
  if (held && date < new Date(held.date)) {
    throw new CairnError(
      'ReleaseWentBack',
      `upstream offers a Release of ${suite} dated ${date.toISOString()}, older than the one ` +
        `held, ${held.date}: a replayed or outdated copy`,
    );
  }
}
