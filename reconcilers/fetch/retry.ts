import { setTimeout as sleep } from 'node:timers/promises';
import { CairnError } from '../../crds/reasons.ts';

/** Worth another try after a while: the network, a busy server, a proxy that had an old copy. */
export class TransientError extends CairnError {
  /** What the server asked for in Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: 'UpstreamUnreachable' | 'UpstreamRefused' | 'HashMismatch' | 'TooLarge',
    message: string,
    options: ErrorOptions & { retryAfterMs?: number | undefined } = {},
  ) {
    super(reason, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

const firstDelayMs = 400;
const longestDelayMs = 30_000;
/** A server may ask for patience, but not for ever. */
const longestRetryAfterMs = 120_000;

/**
 * Runs `work` until it succeeds, at most `1 + retries` times; only transient errors are tried
 * again, after a delay that doubles and is half random.
 */
export async function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  { retries, signal }: { retries: number; signal: AbortSignal },
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError) || attempt >= allowed(error, retries)) throw error;
      const backoff = Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
      const asked = Math.min(longestRetryAfterMs, error.retryAfterMs ?? 0);
      await sleep(Math.max(asked, backoff * (0.5 + Math.random() / 2)), undefined, { signal });
    }
  }
}

/** Wrong bytes are asked for once more, past the caches; after that they are what upstream has. */
function allowed(error: TransientError, retries: number): number {
  return error.reason === 'HashMismatch' ? Math.min(1, retries) : retries;
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date (RFC 9110 §10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (!header) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
