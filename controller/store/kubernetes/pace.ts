/** Waits between attempts: 0.8 s, doubled up to 30 s, as client-go's reflector; half of it at random. */
const firstMs = 800;
const longestMs = 30_000;

/** How long to wait after so many failures in a row. */
export function backOffMs(failures: number, random: () => number, longest = longestMs): number {
  const ms = Math.min(firstMs * 2 ** Math.min(failures - 1, 10), longest);
  return ms * (0.5 + random() / 2);
}

/** Resolves after so long, or at once when the signal aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', done);
  return promise;

  function done(): void {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve();
  }
}
