/**
 * A token bucket: `take(bytes)` says how many milliseconds to wait so that the sum of all takes
 * stays under `bytesPerSecond`. A tenth of a second's worth may pass at once.
 */
export function paceOf(
  bytesPerSecond: number,
  clock: () => number = () => performance.now(),
): (bytes: number) => number {
  const burst = bytesPerSecond / 10;
  let tokens = burst;
  let last = clock();
  return (bytes) => {
    const now = clock();
    tokens = Math.min(burst, tokens + ((now - last) / 1000) * bytesPerSecond) - bytes;
    last = now;
    return tokens >= 0 ? 0 : Math.ceil((-tokens / bytesPerSecond) * 1000);
  };
}
