import { StoreError } from '../../../crds/store.ts';
import type { Call } from './connection.ts';
import { ApiError } from './statuses.ts';

const mostKept = 64;
/** Longer than the longest pause between two attempts; then nobody tries that any more. */
const keptMs = 20 * 60_000;

/**
 * What the API server does not let this process do, by verb and resource, until it does; and that it
 * gives no answer at all, until it gives one.
 */
export class Refusals {
  #away: string | undefined;
  readonly #refused = new Map<string, { readonly message: string; readonly at: number }>();

  /** A call has ended, with this error or well. */
  note(call: Call, error?: unknown): void {
    const key = keyOf(call);
    this.#refused.delete(key);
    const isAway = error instanceof StoreError && !(error instanceof ApiError);
    this.#away = isAway ? error.message : undefined;
    if (!(error instanceof StoreError) || error.reason !== 'Forbidden') return;
    this.#refused.set(key, { message: error.message, at: performance.now() });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > mostKept && oldest !== undefined) this.#refused.delete(oldest);
  }

  /** In the words of the server, which name verb and resource, if it has any. */
  list(): readonly string[] {
    const since = performance.now() - keptMs;
    const recent = [...this.#refused.values()].filter(({ at }) => at > since);
    return [...(this.#away === undefined ? [] : [this.#away]), ...recent.map((one) => one.message)];
  }
}

const objectPath =
  /^(?<api>\/api\/v1|\/apis\/[^/]+\/[^/]+)(?<within>\/namespaces\/[^/]+)?\/(?<plural>[^/?]+)(?:\/(?<name>[^/?]+))?(?<part>\/[^/?]+)?/;

/** A call without the name that it is about. */
function keyOf({ method, path }: Call): string {
  const { api, within, plural, name, part } = objectPath.exec(path)?.groups ?? {};
  return [method, api, within, plural, name === undefined ? '' : '*', part].join(' ');
}
