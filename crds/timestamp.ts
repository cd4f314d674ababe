/** A time in whole seconds as RFC 3339 in UTC, the form of metav1.Time: `2026-11-21T06:50:00Z`. */
export function timestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
