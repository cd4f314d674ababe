import { validateCronExpression } from 'cron';
import type { Rule } from './kind.ts';

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** A field of cron: `*`, numbers, ranges or names, each with a step if need be, in a list. */
const field = (number: string, names: readonly string[] = []) => {
  const ranges = [number, ...(names.length > 0 ? [names.join('|')] : [])].map(
    (one) => `(${one})(-(${one}))?`,
  );
  const item = `(\\*|${ranges.join('|')})(/[1-9][0-9]?)?`;
  return `${item}(,${item})*`;
};

/** Five of them, in lower case: what is meant by it is left to `ranges`. */
const cron = `^${[
  field('[0-5]?[0-9]'),
  field('[01]?[0-9]|2[0-3]'),
  field('0?[1-9]|[12][0-9]|3[01]'),
  field('0?[1-9]|1[0-2]', months),
  field('0?[0-7]', days),
].join(' +')}$`;

/** Names as they are capitalized: not every system finds `europe/berlin`. */
const zone =
  '^(UTC|GMT|Etc/(UTC|GMT([+-][0-9]+)?)|' +
  '(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)' +
  '(/(DumontDUrville|McMurdo|[A-Z][a-z]+([_-]([A-Z][a-z]{2,}|of|es|au))*)){1,2})$';

const order = `'${[...months, ...days].join(' ')}'`;
const schedule = 'self.schedule.lowerAscii()';
const scheduleMessage = 'expected five fields of cron, such as "0 3 * * *"';
const zoneMessage = 'expected an IANA time zone such as UTC or Europe/Berlin';

/** What the functions below say, for the API server: ranges lead upwards, and the zone is known. */
export const scheduleRules: readonly Rule[] = [
  {
    rule:
      `!has(self.schedule) || ${schedule}.matches(r'${cron}') && ` +
      `${schedule}.findAll('[0-9]+-[0-9]+').all(r, int(r.split('-')[0]) <= int(r.split('-')[1])) && ` +
      `${schedule}.findAll('[a-z]+-[a-z]+').all(r, ${order}.indexOf(r.split('-')[0]) <= ${order}.indexOf(r.split('-')[1]))`,
    message: scheduleMessage,
    fieldPath: '.schedule',
  },
  {
    rule:
      `!has(self.schedule) || self.timeZone.matches('${zone}') && ` +
      `timestamp('2000-01-01T00:00:00Z').getHours(self.timeZone) >= 0`,
    message: zoneMessage,
    fieldPath: '.timeZone',
  },
];

/** What is wrong with a cron expression of five fields, if anything. */
export function scheduleProblem(text: string): string | undefined {
  const isCron = new RegExp(cron).test(text.toLowerCase()) && validateCronExpression(text).valid;
  return isCron ? undefined : `${scheduleMessage}; found "${text}"`;
}

/** What is wrong with a time zone, if anything. */
export function timeZoneProblem(name: string): string | undefined {
  return isTimeZone(name) ? undefined : `${zoneMessage}; found "${name}"`;
}

function isTimeZone(name: string): boolean {
  if (!new RegExp(zone).test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
