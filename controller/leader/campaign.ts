import { pause } from '../store/kubernetes/pace.ts';
import type { Attempt } from './lease.ts';

export interface CampaignOptions {
  readonly lease: { attempt(): Promise<Attempt>; release(): Promise<void> };
  /** The time that passes, in milliseconds; also what `until` counts in. */
  readonly clock: () => number;
  /** This process leads until then, and longer if it is told so again. */
  readonly renewed: (until: number, epoch: number) => void;
  /** Another one leads, for so long at most unless that is told again. */
  readonly follows: (address: string | undefined, forMs: number) => void;
  /** It leads no more; nothing is renewed afterwards. */
  readonly lost: (because: string) => void;
  /** `isTrouble`: nobody knows who leads, until something else is told. */
  readonly told: (message: string, isTrouble: boolean) => void;
}

/**
 * What a leader may count on after it last sent a renewal that was good. Five seconds are left of
 * the lease then, for what was written just before to arrive.
 */
export const leadMs = 10_000;
const renewEveryMs = 2000;
const againMs = 1000;
/** Others look this often; then a leader that was killed is followed within 15 s and this. */
const lookEveryMs = 1000;

/** Asks for the lease until this process leads, and renews it until the signal aborts or it is lost. */
export async function campaign(options: CampaignOptions, signal: AbortSignal): Promise<void> {
  const { lease, clock, renewed, follows, lost, told } = options;
  let until: number | undefined;
  let last = '';
  while (!signal.aborted) {
    const sentAt = clock();
    const attempt = await lease.attempt();
    if (attempt.is === 'held') {
      until = sentAt + leadMs;
      renewed(until, attempt.epoch);
    } else if (until !== undefined && (attempt.is === 'taken' || clock() >= until)) {
      lost(attempt.is === 'taken' ? `${attempt.by} has it` : attempt.because);
      return;
    } else if (attempt.is === 'taken') follows(attempt.address, attempt.forMs);
    const news = attempt.is === 'taken' ? `${attempt.by} leads` : attempt.is;
    if (news !== last) tellOf(attempt, last);
    last = news;
    await pause(waitMs(attempt), signal);
  }
  if (until !== undefined) await lease.release().catch(() => undefined);

  function tellOf(attempt: Attempt, before: string): void {
    if (attempt.is === 'taken') told(`${attempt.by} leads`, false);
    else if (attempt.is === 'unknown')
      told(`the lease could not be asked for: ${attempt.because}`, true);
    else if (before === 'unknown') told('the lease was asked for, and is held', false);
  }
}

function waitMs(attempt: Attempt): number {
  if (attempt.is === 'held') return renewEveryMs;
  if (attempt.is === 'unknown') return againMs;
  return Math.max(10, Math.min(lookEveryMs, attempt.forMs + 1));
}
