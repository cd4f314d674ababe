/** The dates of the Release files that we issue: apt follows them only forwards. */

/** apt refuses a Date that is more than ten seconds ahead of its clock. */
export const mostAheadMs = 4000;

/** The longest that a timer of JavaScript can wait is 24.8 days. */
const longestTimerMs = 20 * 86_400_000;

/**
 * The Date of the next Release files: now, but later than any before by at least a second, since
 * apt takes neither an older Date nor an equal Last-Modified for news.
 */
export function nextDate(last: string | undefined, now: Date): Date {
  const least = last === undefined ? 0 : Date.parse(last) + 1000;
  return new Date(Math.max(Math.floor(now.getTime() / 1000) * 1000, least));
}

/** When Release files are to be issued anew, in milliseconds: half-way to their Valid-Until. */
export function renewAt({ date, validUntil }: { date?: string; validUntil?: string }): number {
  if (!date || !validUntil) return Number.POSITIVE_INFINITY;
  return (Date.parse(date) + Date.parse(validUntil)) / 2;
}

/** Have the reconciler look again at the first of these times. */
export function againAt(
  times: readonly (number | undefined)[],
  now: Date,
): { readonly again?: { readonly ms: number; readonly exact: true } } {
  const next = Math.min(...times.filter((time) => time !== undefined));
  if (!Number.isFinite(next)) return {};
  const ms = Math.min(longestTimerMs, Math.max(1000, next - now.getTime()));
  return { again: { ms, exact: true } };
}
