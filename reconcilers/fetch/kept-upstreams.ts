import type { Upstream } from './upstream.ts';

interface Kept {
  readonly upstream: Upstream;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

const keepMs = 30_000;

/** Upstreams that stay open for a while after use, so that the next file needs no new connection. */
export class KeptUpstreams {
  readonly #kept = new Map<string, Kept>();

  /** Runs `work` with the upstream of this key; `make` makes it where there is none. */
  async use<T>(
    key: string,
    make: () => Upstream,
    work: (upstream: Upstream) => Promise<T>,
  ): Promise<T> {
    const kept = this.#kept.get(key) ?? { upstream: make(), users: 0, idle: undefined };
    this.#kept.set(key, kept);
    kept.users += 1;
    clearTimeout(kept.idle);
    try {
      return await work(kept.upstream);
    } finally {
      kept.users -= 1;
      if (kept.users === 0) kept.idle = this.#closeLater(key, kept);
    }
  }

  #closeLater(key: string, kept: Kept): NodeJS.Timeout {
    const close = () => {
      this.#kept.delete(key);
      void kept.upstream.close();
    };
    return setTimeout(close, keepMs).unref();
  }
}
