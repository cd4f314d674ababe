import { StoreError } from '../../../crds/store.ts';
import type { Call } from './connection.ts';

const mostKept = 64;
/** Longer than the longest pause between two attempts; then nobody tries that any more. */
const keptMs = 20 * 60_000;

/** What the API server does not let this process do, by verb and resource, until it does. */
export class Refusals {
  readonly #refused = new Map<string, { readonly message: string; readonly at: number }>();

  /** A call has ended, with this error or well. */
  note(call: Call, error?: unknown): void {
    const key = keyOf(call);
    this.#refused.delete(key);
    if (!(error instanceof StoreError) || error.reason !== 'Forbidden') return;
    this.#refused.set(key, { message: error.message, at: performance.now() });
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > mostKept && oldest !== undefined) this.#refused.delete(oldest);
  }

  /** In the words of the server, which name verb and resource. */
  list(): readonly string[] {
    const since = performance.now() - keptMs;
    const recent = [...this.#refused.values()].filter(({ at }) => at > since);
    return recent.map(({ message }) => message);
  }
}

const objectPath =
  /^(?<api>\/api\/v1|\/apis\/[^/]+\/[^/]+)(?<within>\/namespaces\/[^/]+)?\/(?<plural>[^/?]+)(?:\/(?<name>[^/?]+))?(?<part>\/[^/?]+)?/;

/** A call without the name that it is about. */
function keyOf({ method, path }: Call): string {
  const { api, within, plural, name, part } = objectPath.exec(path)?.groups ?? {};
  return [method, api, within, plural, name === undefined ? '' : '*', part].join(' ');
}
