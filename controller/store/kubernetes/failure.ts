import { StoreError } from '../../../crds/store.ts';
import { TooLarge } from './answer.ts';
import type { Call } from './connection.ts';
import { noAnswer } from './request-metrics.ts';

/** What fences throw. */
export const misdirected = 421;
const longestRetryAfterMs = 30_000;

/** Why an attempt came to nothing, and what may be done about it. */
export class Failure {
  readonly error: StoreError | TooLarge;
  readonly retryAfterMs: number;
  readonly #status: number;
  readonly #wasSent: boolean;

  constructor(error: StoreError | TooLarge, status: number, retryAfterMs = 0, wasSent = true) {
    this.error = error;
    this.#status = status;
    this.retryAfterMs = Math.min(retryAfterMs, longestRetryAfterMs);
    this.#wasSent = wasSent;
  }

  /** The HTTP status, or `<error>`; undefined when nothing was asked, for the fence is down. */
  get code(): string | undefined {
    if (this.#status === misdirected) return undefined;
    return this.#status === 0 ? noAnswer : String(this.#status);
  }

  /** The server may have done what it was asked for. */
  get isUncertain(): boolean {
    return this.#status === 0 && this.#wasSent;
  }

  /** Of a deletion that was perhaps done by the attempt before. */
  meansGone({ method }: Call): boolean {
    return method === 'DELETE' && this.#status === 404;
  }

  mayRepeat({ method }: Call, attempt: number): boolean {
    if (this.error instanceof TooLarge) return false;
    if (this.#status === 401) return attempt === 1; // credentials are read again
    if (this.#status === 429 || this.#status === 503) return true;
    if (this.#status !== 0) return this.#status >= 500 && method === 'GET';
    return !this.#wasSent || method !== 'POST';
  }
}

/** Connections that were not made: nobody has heard of the call. */
const unsent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** What a thrown value is to whoever may try again. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof TooLarge) return new Failure(thrown, 0);
  if (thrown instanceof StoreError) {
    const { status = 0, retryAfterMs = 0 } = thrown as { status?: number; retryAfterMs?: number };
    return new Failure(thrown, status, retryAfterMs);
  }
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const told = code === 'ABORT_ERR' ? 'no answer in time' : message || code;
  const error = new StoreError('Unavailable', `the API server can't be reached: ${told}`, {
    cause: thrown,
  });
  return new Failure(error, 0, 0, !unsent.has(code));
}
