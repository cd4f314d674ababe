/**
 * Places at upstream hosts. Everybody who asks names a limit of his own; nobody gets a place while
 * that many are taken, so a host never sees more connections than the most generous of its mirrors
 * allows, and a strict one waits.
 */
export class HostSlots {
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, Array<{ limit: number; go: () => void }>>();

  /** Waits for a place at a host, then runs the work in it. */
  async use<T>(host: string, limit: number, signal: AbortSignal, work: () => Promise<T>) {
    await this.#take(host, limit, signal);
    try {
      return await work();
    } finally {
      this.#leave(host);
    }
  }

  #take(host: string, limit: number, signal: AbortSignal): Promise<void> | void {
    signal.throwIfAborted();
    const taken = this.#taken.get(host) ?? 0;
    if (taken < limit) {
      this.#taken.set(host, taken + 1);
      return;
    }
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(host) ?? [];
      this.#waiting.set(host, queue);
      const onAbort = () => {
        queue.splice(queue.indexOf(place), 1);
        reject(signal.reason);
      };
      const place = {
        limit,
        go: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      queue.push(place);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #leave(host: string): void {
    const taken = (this.#taken.get(host) ?? 1) - 1;
    const queue = this.#waiting.get(host) ?? [];
    const next = queue.findIndex(({ limit }) => taken < limit);
    const [place] = next < 0 ? [] : queue.splice(next, 1);
    if (place) {
      place.go(); // the place passes on, so the count stays
      return;
    }
    if (taken === 0) this.#taken.delete(host);
    else this.#taken.set(host, taken);
    if (queue.length === 0) this.#waiting.delete(host);
  }
}
