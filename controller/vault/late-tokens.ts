import { check, type Check } from '../health.ts';
import type { Log } from '../log.ts';
import { backOffMs, pause } from '../store/kubernetes/pace.ts';
import type { Tokens } from '../tokens.ts';

/** Tokens that somebody else keeps, who may be away. */
export interface LateTokens {
  /** Empty ones, until they are known. */
  tokens(): Tokens;
  /** Why they are not known, for probes. */
  check(): Check;
  close(): Promise<void>;
}

/** Opens nothing. */
const none: Tokens = { read: '', viewer: '', promoter: '', editor: '', admin: '' };

/** Asks for tokens until it gets them; every failure that is new is logged. */
export function lateTokens(ask: () => Promise<Tokens>, log: Log): LateTokens {
  const stop = new AbortController();
  let tokens: Tokens | undefined;
  let because = 'the tokens are not known yet';
  const asking = keepAsking();
  return {
    tokens: () => tokens ?? none,
    check: () => check('tokens', tokens ? [] : [because]),
    async close() {
      stop.abort();
      await asking;
    },
  };

  async function keepAsking(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted; failures += 1) {
      if (failures > 0) await pause(backOffMs(failures, Math.random), stop.signal);
      if (stop.signal.aborted) return;
      try {
        tokens = await ask();
        return;
      } catch (error) {
        const told = error instanceof Error ? error.message : String(error);
        if (told !== because && !stop.signal.aborted)
          log.warn('no token is known', { because: told });
        because = told;
      }
    }
  }
}
