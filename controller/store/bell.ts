/** Rouses all who wait for something to happen; the next one who waits waits for the next time. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    for (const rouse of this.#waiting) rouse();
  }

  /** Resolves when it rings next, or when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    signal.addEventListener('abort', resolve as () => void);
    await promise;
    signal.removeEventListener('abort', resolve as () => void);
    this.#waiting.delete(resolve);
  }
}
