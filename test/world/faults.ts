/** What an upstream can be told to get wrong. */

/** Which requests: a path as asked for (`/dists/…`), a pattern of it, or what you decide. */
export type PathPattern = string | RegExp | ((path: string) => boolean);

export interface Fault {
  /** Only so many requests, then all is well again. */
  readonly times?: number;
  /** Let so many requests pass first. */
  readonly skip?: number;
  /** Answer with this status and no file. */
  readonly status?: number;
  /** Headers to add to whatever is answered. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Wait before answering. */
  readonly delayMs?: number;
  /** Wait for this before answering. */
  readonly until?: Promise<unknown>;
  /** Answer with the first so many bytes, as if the file were that short. */
  readonly truncateAt?: number;
  /** Announce the whole file, send so many bytes, and reset the connection. */
  readonly resetAfterBytes?: number;
  /** Announce the whole file, send so many bytes, and go silent. */
  readonly stallAfterBytes?: number;
  /** Flip one bit in the middle of the file. */
  readonly corrupt?: boolean;
  /** Send so many bytes more than the file has. */
  readonly oversize?: number;
  readonly rateBytesPerSecond?: number;
  /** A path or a URL. */
  readonly redirectTo?: string;
  /** Redirect to itself for ever. */
  readonly redirectLoop?: boolean;
  /** Act as a server that can't do ranges. */
  readonly noRange?: boolean;
  /** Give neither Last-Modified nor ETag, and answer conditional requests with the file. */
  readonly noLastModified?: boolean;
  /** Serve the file of another path. */
  readonly swapWith?: string;
  /** Answer 401 unless the request has these credentials. */
  readonly requireBasicAuth?: { readonly user: string; readonly password: string };
}

/** `F` is what can be told to go wrong. */
export class FaultList<F extends Pick<Fault, 'times' | 'skip'> = Fault> {
  #rules: { pattern: PathPattern; fault: F; skip: number; left: number }[] = [];

  /** Returns a function that takes the fault away. The newest fault for a path wins. */
  add(pattern: PathPattern, fault: F): () => void {
    const { skip = 0, times = Infinity } = fault;
    const rule = { pattern, fault, skip, left: times };
    this.#rules.unshift(rule);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault for one request; counts it. */
  take(path: string): Partial<F> {
    const rule = this.#rules.find(({ pattern, left }) => left > 0 && matches(pattern, path));
    if (!rule) return {};
    if (rule.skip > 0) {
      rule.skip -= 1;
      return {};
    }
    rule.left -= 1;
    return rule.fault;
  }
}

export function matches(pattern: PathPattern, path: string): boolean {
  if (typeof pattern === 'string') return pattern === path;
  return pattern instanceof RegExp ? pattern.test(path) : pattern(path);
}
