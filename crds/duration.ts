const unitInMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a Duration that its schema has accepted. */
export function durationMs(duration: string): number {
  let total = 0;
  for (const [, number, unit] of duration.matchAll(/([0-9.]+)(ms|s|m|h|d)/g)) {
    total += Number(number) * (unitInMs[unit ?? ''] ?? 0);
  }
  return total;
}
