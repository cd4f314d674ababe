import { CairnError } from '../crds/reasons.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const form =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{1,2}):(\d{2}):(\d{2}) (?:UTC|GMT|Z|\+0000)$/;

/**
 * A Date or Valid-Until of a Release file: RFC 1123 in UTC, as apt demands. Like apt it takes days
 * and hours of one digit, and does without the weekday. Throws `ReleaseInvalid`.
 */
export function parseReleaseDate(field: string, text: string): Date {
  const [, day, month = '', year, hours, minutes, seconds] =
    form.exec(text.trim().replace(/ {2,}/g, ' ')) ?? [];
  const date = new Date(
    Date.UTC(
      Number(year),
      months.indexOf(month),
      Number(day),
      Number(hours),
      Number(minutes),
      Number(seconds),
    ),
  );
  // Date.UTC rolls 31 February and an unknown month over; both show in the parts.
  const kept =
    date.getUTCDate() === Number(day) &&
    months[date.getUTCMonth()] === month &&
    date.getUTCHours() === Number(hours) &&
    date.getUTCMinutes() === Number(minutes);
  if (kept) return date;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new CairnError(
    'ReleaseInvalid',
    `${field} ${shown} is not a date like "Sat, 21 Nov 2026 06:52:05 UTC"`,
  );
}

/** `Sat, 21 Nov 2026 06:52:05 UTC`: whole seconds, as apt reads it. */
export function formatReleaseDate(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC');
}
