const firstMs = 750;
const longestMs = 15 * 60_000;

/**
 * How long to wait after so many failures in a row: 750 ms, doubling to 15 minutes, of which
 * `random` (0 to 1) leaves between a half and all, so that many failing at once don't return at once.
 */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(firstMs * 2 ** Math.min(failures - 1, 32), longestMs);
  return full * (0.5 + random / 2);
}

/**
 * A period with up to 10 % more, for things that are looked at regularly. Never less: who comes before
 * anything is due comes for nothing, and has to come again.
 */
export function jittered(ms: number, random: number): number {
  return ms * (1 + random / 10);
}
