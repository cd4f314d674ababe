import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, type Offered } from '../../../reconcilers/mirror/accept.ts';
import { suite } from '../../controller/http/objects.ts';

const now = new Date('2026-08-01T12:00:00Z');
const at = (time: string) => new Date(`2026-${time}Z`);

interface Case {
  readonly what: string;
  readonly offered: Offered;
  readonly held?: string;
  readonly checkValidUntil?: boolean;
}

const accepted: readonly Case[] = [
  { what: 'one of today', offered: { date: at('08-01T06:00:00') } },
  { what: 'an old one that never expires', offered: { date: at('01-01T00:00:00') } },
  {
    what: 'one that is still valid',
    offered: { date: at('07-30T00:00:00'), validUntil: at('08-01T12:00:00') },
  },
  {
    what: 'an expired one of an archive that is frozen on purpose',
    offered: { date: at('01-01T00:00:00'), validUntil: at('01-08T00:00:00') },
    checkValidUntil: false,
  },
  {
    what: 'one from a clock that is a little ahead',
    offered: { date: at('08-01T12:04:59') },
  },
  { what: 'a newer one', offered: { date: at('08-01T06:00:00') }, held: '2026-07-31T06:00:00Z' },
  {
    what: 'another one of the same second',
    offered: { date: at('08-01T06:00:00') },
    held: '2026-08-01T06:00:00Z',
  },
];

for (const { what, offered, held, checkValidUntil = true } of accepted) {
  test(`takes ${what}`, () => {
    const before = held === undefined ? undefined : suite('stable', { date: held });
    accept('stable', offered, before, { now, checkValidUntil });
  });
}

const refused: readonly (Case & { reason: string; message: RegExp })[] = [
  {
    what: 'an expired one',
    offered: { date: at('07-20T00:00:00'), validUntil: at('07-27T00:00:00') },
    reason: 'ReleaseExpired',
    message: /stable was valid until 2026-07-27.*checkValidUntil: false/,
  },
  {
    what: 'one from the future',
    offered: { date: at('08-01T12:05:01') },
    reason: 'ReleaseInvalid',
    message: /stable is dated 2026-08-01T12:05:01.*future/,
  },
  {
    what: 'one from the future, also of an archive that is frozen on purpose',
    offered: { date: at('09-01T00:00:00') },
    checkValidUntil: false,
    reason: 'ReleaseInvalid',
    message: /future/,
  },
  {
    what: 'one that is older than the one held',
    offered: { date: at('07-31T23:59:59') },
    held: '2026-08-01T00:00:00Z',
    reason: 'ReleaseWentBack',
    message: /stable dated 2026-07-31T23:59:59.*older.*2026-08-01T00:00:00Z/,
  },
  {
    what: 'one that is older, although it does not expire',
    offered: { date: at('07-31T00:00:00'), validUntil: at('12-31T00:00:00') },
    held: '2026-08-01T00:00:00Z',
    checkValidUntil: false,
    reason: 'ReleaseWentBack',
    message: /replayed/,
  },
];

for (const { what, offered, held, checkValidUntil = true, reason, message } of refused) {
  test(`refuses ${what}`, () => {
    const before = held === undefined ? undefined : suite('stable', { date: held });
    assert.throws(() => accept('stable', offered, before, { now, checkValidUntil }), {
      reason,
      message,
    });
  });
}
