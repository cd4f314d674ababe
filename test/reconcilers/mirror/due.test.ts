import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSchedule, dueAt, nextTime, type Attempts } from '../../../reconcilers/mirror/due.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const end = Date.parse('2026-08-01T12:00:00Z');

const never: Attempts = { endedAt: undefined, succeeded: false, failures: 0 };
const good: Attempts = { endedAt: end, succeeded: true, failures: 0 };
const bad = (failures: number): Attempts => ({ endedAt: end, succeeded: false, failures });

const timeZone = 'UTC';

const intervals: readonly [string, { interval?: string }, Attempts, number][] = [
  ['is due at once after a start', {}, never, 0],
  ['is due at once after a start, whatever the interval', { interval: '7d' }, never, 0],
  ['is due after an hour unless told otherwise', {}, good, end + hour],
  ['is due after the interval', { interval: '10m' }, good, end + 10 * minute],
  ['is not due more often than each second', { interval: '1ms' }, good, end + second],
  ['tries again soon after a failure', {}, bad(1), end + 2 * second],
  ['waits twice as long after the next', {}, bad(2), end + 4 * second],
  ['and so on', {}, bad(6), end + 64 * second],
  ['but never longer than a quarter of an hour', {}, bad(30), end + 15 * minute],
  ['however often it failed', {}, bad(1e9), end + 15 * minute],
  ['nor longer than the interval', { interval: '30s' }, bad(9), end + 30 * second],
  ['nor more often than each second', { interval: '1ms' }, bad(9), end + second],
];

for (const [what, spec, attempts, expected] of intervals) {
  test(`a mirror with an interval ${what}`, () => {
    assert.equal(dueAt({ timeZone, ...spec }, attempts, { complete: true }), expected);
  });
}

const nightly = { schedule: '0 3 * * *', timeZone };
const schedules: readonly [string, Attempts, Parameters<typeof dueAt>[2], string][] = [
  ['waits for the next time', good, { complete: true }, '2026-08-02T03:00:00Z'],
  [
    'knows after a restart that it has done its last one',
    never,
    { complete: true, lastScheduledAt: '2026-08-01T03:00:02Z' },
    '2026-08-02T03:00:00Z',
  ],
  [
    'catches up on what it missed while it was down',
    never,
    { complete: true, lastScheduledAt: '2026-07-20T03:00:01Z' },
    '2026-07-21T03:00:00Z',
  ],
  ['does not wait for its first state', never, { complete: false }, '1970-01-01T00:00:00Z'],
  [
    'does not wait when the spec wants another state',
    good,
    { complete: false, lastScheduledAt: '2026-08-01T03:00:00Z' },
    '1970-01-01T00:00:00Z',
  ],
  ['tries again soon after a failure', bad(1), { complete: true }, '2026-08-01T12:00:02Z'],
  ['tries again after each failure', bad(20), { complete: true }, '2026-08-01T12:15:00Z'],
  [
    'counts from a refresh that a person asked for',
    good,
    { complete: true, lastScheduledAt: '2026-07-31T03:00:00Z' },
    '2026-08-02T03:00:00Z',
  ],
];

for (const [what, attempts, known, expected] of schedules) {
  test(`a mirror with a schedule ${what}`, () => {
    assert.equal(
      new Date(dueAt(nightly, attempts, known)).toISOString(),
      new Date(expected).toISOString(),
    );
  });
}

const times: readonly [schedule: string, zone: string, after: string, next: string][] = [
  ['0 3 * * *', 'Europe/Berlin', '2026-01-10T12:00:00Z', '2026-01-11T02:00:00Z'],
  ['0 3 * * *', 'Europe/Berlin', '2026-07-10T12:00:00Z', '2026-07-11T01:00:00Z'],
  ['0 3 * * *', 'America/New_York', '2026-07-10T12:00:00Z', '2026-07-11T07:00:00Z'],
  ['0 3 * * *', 'Asia/Kolkata', '2026-07-10T12:00:00Z', '2026-07-10T21:30:00Z'],
  ['*/15 * * * *', 'UTC', '2026-07-10T12:00:00Z', '2026-07-10T12:15:00Z'],
  ['30 4 * * 1', 'UTC', '2026-07-10T12:00:00Z', '2026-07-13T04:30:00Z'],
  ['0 0 29 2 *', 'UTC', '2026-07-10T12:00:00Z', '2028-02-29T00:00:00Z'],
  // Berlin's clocks skip from 2 to 3 on 2026-03-29 and repeat that hour on 2026-10-25.
  ['0 12 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T10:00:00Z'],
  ['0 12 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T11:00:00Z'],
  ['0 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-29T01:00:00Z'],
];

for (const [schedule, zone, after, next] of times) {
  test(`"${schedule}" in ${zone} comes after ${after} at ${next}`, () => {
    assert.equal(nextTime(schedule, zone, Date.parse(after)), Date.parse(next));
  });
}

for (const [what, from] of [
  ['are set forward', '2026-03-28T00:00:00Z'],
  ['are set back', '2026-10-24T00:00:00Z'],
] as const) {
  for (const schedule of ['30 2 * * *', '0 2 * * *', '0 3 * * *', '59 1 * * *', '5,35 * * * *']) {
    test(`"${schedule}" neither stops nor runs wild on the day when clocks ${what}`, () => {
      const longest = schedule.includes(',') ? hour : 26 * hour;
      const until = Date.parse(from) + 72 * hour;
      let runs = 0;
      for (let now = Date.parse(from); now < until; runs += 1) {
        const next = nextTime(schedule, 'Europe/Berlin', now);
        assert.ok(next > now, `${new Date(next).toISOString()} is not later`);
        assert.ok(next - now <= longest, `${new Date(now).toISOString()} waits too long`);
        now = next;
      }
      assert.ok(runs <= (schedule.includes(',') ? 148 : 5), `${runs} runs in three days`);
    });
  }
}

test('a schedule that is none is the fault of the spec', () => {
  for (const [schedule, zone] of [
    ['every night', 'UTC'],
    ['0 3 * * *', 'Europe/Atlantis'],
    ['99 3 * * *', 'UTC'],
  ] as const) {
    assert.throws(() => checkSchedule({ schedule, timeZone: zone }), {
      reason: 'SpecInvalid',
      message: /spec\.schedule/,
    });
  }
  checkSchedule({ timeZone: 'UTC' });
});
