// Clocks: cron's grammar, wall clocks over daylight saving, intervals, blackouts. Expected moments are
// given as ISO instants with their offsets, so that nothing of ours computes them.

import { describe, expect, test } from 'vitest';
import { civilOf, dayOf, daysInMonth, weekdayOf } from '../../solver/policy/schedule/calendar.ts';
import { parseCron, refuseNever } from '../../solver/policy/schedule/cron.ts';
import { isTimeZone, offsetAt, utcOf } from '../../solver/policy/schedule/localTime.ts';
import {
  afterBlackout,
  type Blackout,
  inBlackout,
  neverOpen,
  nextAt,
  type Schedule,
  slotAt,
} from '../../solver/policy/schedule/schedule.ts';
import { InvalidInput } from '../../solver/types/errors.ts';

const at = (iso: string): number => Date.parse(iso) / 1000;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const cron = (line: string, timeZone = 'UTC', blackouts: readonly Blackout[] = []): Schedule => ({
  trigger: { kind: 'cron', line },
  timeZone,
  blackouts,
});
const every = (seconds: number): Schedule => ({
  trigger: { kind: 'every', seconds },
  timeZone: 'UTC',
  blackouts: [],
});

/** Slots in (from, until]. */
function slots(schedule: Schedule, from: string, until: string): number[] {
  const found: number[] = [];
  const last = at(until);
  for (let now = nextAt(schedule, at(from)); now <= last; now = nextAt(schedule, now)) {
    found.push(now);
  }
  return found;
}

describe('calendar', () => {
  test('property: days and dates are each other’s inverse, and Date agrees', () => {
    for (let day = -800_000; day < 800_000; day += 1_013) {
      const civil = civilOf(day);
      expect(dayOf(civil)).toBe(day);
      const date = new Date(day * 86_400_000);
      expect([civil.year, civil.month, civil.day, weekdayOf(day)]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay(),
      ]);
    }
    expect(daysInMonth({ year: 2000, month: 2, day: 1 })).toBe(29);
    expect(daysInMonth({ year: 2100, month: 2, day: 1 })).toBe(28);
  });
});

describe('parseCron', () => {
  test('default', () => {
    const line = parseCron('*/20 9-17/4 1,15 jan,JUL mon-fri');
    expect(line.minutes).toEqual([0, 20, 40]);
    expect(line.hours).toEqual([9, 13, 17]);
    expect(line.months.flatMap((on, month) => (on ? [month] : []))).toEqual([1, 7]);
    expect(line.weekdays).toEqual([false, true, true, true, true, true, false]);
    expect(line.bothDays).toBe(false);
    expect(parseCron('0 0 * * 7').weekdays[0]).toBe(true);
    expect(parseCron('@weekly').weekdays).toEqual(parseCron('0 0 * * sun').weekdays);
  });

  test.each([
    ['', /five fields/],
    ['* * * *', /got 4/],
    ['0 0 0 * * *', /seconds are not known/],
    ['60 * * * *', /minute must be from 0 to 59/],
    ['* 24 * * *', /hour must be from 0 to 23/],
    ['* * 0 * *', /day of month must be from 1/],
    ['* * * 13 *', /month must be from 1 to 12/],
    ['* * * * 8', /day of week must be from 0 to 7/],
    ['5/15 * * * *', /write 5-59\/15/],
    ['*/0 * * * *', /step must be from 1/],
    ['*/5/5 * * * *', /more than one step/],
    ['* * * * fri-mon', /runs backwards; write two parts/],
    ['1-2-3 * * * *', /is no range/],
    ['a * * * *', /is not a number/],
    ['* * * foo *', /jan, feb/],
    ['1,,2 * * * *', /is not a number/],
    ['-1 * * * *', /is not a number/],
    ['@reboot', /known: @yearly/],
    ['constructor', /got 1/],
    ['__proto__', /got 1/],
    ['0 0 31 4 *', /never comes/],
    ['0 0 30 2 *', /never comes/],
    ['0 0 31 feb,apr,jun,sep,nov *', /never comes/],
    ['x'.repeat(300), /at most 256/],
  ])('error: %j', (line, why) => {
    const read = () => refuseNever(parseCron(line));
    expect(read).toThrow(InvalidInput);
    expect(read).toThrow(why);
  });

  test('behavior: 29 February comes, and with a weekday beside it a line may come all the same', () => {
    refuseNever(parseCron('0 0 29 2 *'));
    refuseNever(parseCron('0 0 30 2 mon')); // either day field may match
  });
});

describe('slots of a year', () => {
  const year = ['2024-12-31T23:59:59Z', '2025-12-31T23:59:59Z'] as const;
  test.each([
    ['@hourly', 'UTC', 8_760],
    ['@daily', 'UTC', 365],
    ['0 9 * * *', 'Europe/Berlin', 365],
    ['30 2 * * *', 'Europe/Berlin', 365],
    ['30 1 * * *', 'America/New_York', 365],
    ['0 2 * * *', 'Australia/Lord_Howe', 365],
    ['0 9 * * mon', 'America/New_York', 52],
    ['0 9 31 * *', 'UTC', 7],
    ['0 0 29 2 *', 'UTC', 0],
    ['0 0 1 * *', 'Asia/Kathmandu', 12],
    ['0 12 13 * fri', 'UTC', 12 + 52 - 1], // either: twelve 13ths, 52 Fridays, one of them both
    ['0 12 */2 * fri', 'UTC', 27], // both: Fridays on odd days
    ['*/15 9-16 * * 1-5', 'America/New_York', 261 * 8 * 4],
    // 24 hours a day but one fewer when clocks go forward and none more when they go back.
    ['0 * * * *', 'Europe/Berlin', 8_759],
  ])('behavior: %s in %s', (line, zone, count) => {
    const found = slots(cron(line, zone), ...year);
    expect(found).toHaveLength(count);
    expect(new Set(found).size).toBe(count);
  });

  test('behavior: every 7 days counts from the anchor', () => {
    const weekly = every(7 * 86_400);
    const anchor = at('2025-01-01T10:00:00Z');
    let count = 0;
    let now = nextAt(weekly, anchor, anchor);
    for (; now <= anchor + 365 * 86_400; now = nextAt(weekly, now, anchor)) {
      count++;
      expect((now - anchor) % (7 * 86_400)).toBe(0);
    }
    expect(count).toBe(52);
    expect(slotAt(weekly, anchor, anchor)).toBeNull();
    expect(slotAt(weekly, anchor + 7 * 86_400 - 1, anchor)).toBeNull();
    expect(slotAt(weekly, anchor + 7 * 86_400, anchor)).toBe(anchor + 7 * 86_400);
    expect(nextAt(weekly, anchor - 5, anchor)).toBe(anchor + 7 * 86_400);
  });

  test('behavior: 29 February, over the century without one', () => {
    const leap = cron('0 0 29 2 *');
    expect(iso(nextAt(leap, at('2025-01-01T00:00:00Z')))).toBe('2028-02-29T00:00:00.000Z');
    expect(iso(nextAt(leap, at('2096-03-01T00:00:00Z')))).toBe('2104-02-29T00:00:00.000Z');
    expect(iso(slotAt(leap, at('2103-01-01T00:00:00Z')) ?? 0)).toBe('2096-02-29T00:00:00.000Z');
  });
});

describe('daylight saving', () => {
  test('behavior: a time that does not exist fires once, at the shift', () => {
    // Berlin, 30 March 2025: 02:00 becomes 03:00 at 01:00 UTC.
    const found = slots(
      cron('30 2 * * *', 'Europe/Berlin'),
      '2025-03-29T00:00:00Z',
      '2025-03-31T12:00:00Z',
    );
    expect(found.map(iso)).toEqual([
      '2025-03-29T01:30:00.000Z',
      '2025-03-30T01:00:00.000Z',
      '2025-03-31T00:30:00.000Z',
    ]);
    const quarters = slots(
      cron('*/15 2 * * *', 'Europe/Berlin'),
      '2025-03-29T12:00:00Z',
      '2025-03-30T12:00:00Z',
    );
    expect(quarters.map(iso)).toEqual(['2025-03-30T01:00:00.000Z']);
  });

  test('behavior: a time that comes twice fires at its first', () => {
    // New York, 2 November 2025: 02:00 EDT becomes 01:00 EST at 06:00 UTC.
    const line = cron('30 1 * * *', 'America/New_York');
    const found = slots(line, '2025-11-01T12:00:00Z', '2025-11-03T12:00:00Z');
    expect(found.map(iso)).toEqual(['2025-11-02T05:30:00.000Z', '2025-11-03T06:30:00.000Z']);
    const second = at('2025-11-02T06:45:00Z'); // 01:45 for the second time
    expect(iso(slotAt(line, second) ?? 0)).toBe('2025-11-02T05:30:00.000Z');
    expect(iso(nextAt(line, second))).toBe('2025-11-03T06:30:00.000Z');
  });

  test('behavior: a day that a zone skipped', () => {
    // Apia went from 29 to 31 December 2011 at 10:00 UTC on the 30th.
    const found = slots(
      cron('0 9 * * *', 'Pacific/Apia'),
      '2011-12-29T00:00:00Z',
      '2011-12-31T23:00:00Z',
    );
    expect(found.map(iso)).toEqual([
      '2011-12-29T19:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-30T19:00:00.000Z',
      '2011-12-31T19:00:00.000Z',
    ]);
  });

  test('property: offsets are the platform’s, and utcOf never falls', () => {
    for (const zone of [
      'Europe/London',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'America/St_Johns',
    ]) {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        timeZoneName: 'longOffset',
      });
      let before = 0;
      for (
        let now = at('2023-01-01T00:00:00Z');
        now < at('2025-01-01T00:00:00Z');
        now += 41 * 3_600 + 11
      ) {
        const [, sign = '', hours = '0', minutes = '0'] =
          /GMT(?:([+-])(\d+):(\d+))?$/.exec(format.format(now * 1000)) ?? [];
        const told = (Number(hours) * 60 + Number(minutes)) * 60 * (sign === '-' ? -1 : 1);
        expect(offsetAt(zone, now) - told).toBe(0);
        const back = utcOf(zone, now);
        expect(back).toBeGreaterThanOrEqual(before);
        before = back;
      }
    }
  });

  test('property: slotAt and nextAt enclose every moment', () => {
    for (const [line, zone] of [
      ['*/7 1-3 * * *', 'Europe/Berlin'],
      ['30 1 * * 0', 'America/New_York'],
      ['0 0 29 2 *', 'UTC'],
    ] as const) {
      const schedule = cron(line, zone);
      for (let now = at('2025-03-29T20:00:00Z'); now < at('2025-11-03T00:00:00Z'); now += 21_607) {
        const [last, next] = [slotAt(schedule, now) ?? 0, nextAt(schedule, now)];
        expect(last).toBeLessThanOrEqual(now);
        expect(next).toBeGreaterThan(now);
        expect(nextAt(schedule, last)).toBe(next);
        expect(slotAt(schedule, next)).toBe(next);
        expect(slotAt(schedule, next - 1)).toBe(last);
      }
    }
  });

  test('error: zones nobody keeps', () => {
    for (const name of ['', 'Mars/Olympus', '+02:00', '../etc', 'UTC; drop']) {
      expect(isTimeZone(name)).toBe(false);
    }
    expect(isTimeZone('America/Argentina/Buenos_Aires')).toBe(true);
  });
});

describe('blackouts', () => {
  const night: Blackout = { fromMinute: 22 * 60, untilMinute: 6 * 60 + 30, days: null };
  const friday: Blackout = { ...night, days: [5] };

  test('behavior: over midnight, by the day it begins on', () => {
    const berlin = cron('@daily', 'Europe/Berlin', [friday]);
    // 2025-06-20 is a Friday; Berlin is UTC+2.
    expect(inBlackout(berlin, at('2025-06-20T21:59:59+02:00'))).toBe(false);
    expect(inBlackout(berlin, at('2025-06-20T22:00:00+02:00'))).toBe(true);
    expect(inBlackout(berlin, at('2025-06-21T06:29:59+02:00'))).toBe(true);
    expect(inBlackout(berlin, at('2025-06-21T06:30:00+02:00'))).toBe(false);
    expect(inBlackout(berlin, at('2025-06-20T03:00:00+02:00'))).toBe(false); // Thursday's night
    expect(iso(afterBlackout(berlin, at('2025-06-20T23:00:00+02:00')))).toBe(
      '2025-06-21T04:30:00.000Z',
    );
  });

  test('behavior: windows that touch end together, and the night of a shift is shorter', () => {
    const morning: Blackout = { fromMinute: 390, untilMinute: 480, days: null };
    const both = cron('@daily', 'Europe/Berlin', [night, morning]);
    expect(iso(afterBlackout(both, at('2025-03-29T22:30:00+01:00')))).toBe(
      '2025-03-30T06:00:00.000Z',
    );
    expect(afterBlackout(both, at('2025-03-29T12:00:00+01:00'))).toBe(
      at('2025-03-29T12:00:00+01:00'),
    );
  });

  test('property: the answer is outside, and every minute before is inside', () => {
    const schedule = cron('@daily', 'America/New_York', [
      night,
      { fromMinute: 600, untilMinute: 660, days: [0, 6] },
    ]);
    for (let now = at('2025-10-30T00:00:00Z'); now < at('2025-11-06T00:00:00Z'); now += 10_021) {
      const end = afterBlackout(schedule, now);
      expect(inBlackout(schedule, end)).toBe(false);
      for (let inside = now; inside < end; inside += 60)
        expect(inBlackout(schedule, inside)).toBe(true);
    }
  });

  test('error: all week', () => {
    expect(neverOpen([{ fromMinute: 0, untilMinute: 1_440, days: null }])).toBe(true);
    expect(neverOpen([night, { fromMinute: 390, untilMinute: 1_320, days: null }])).toBe(true);
    expect(neverOpen([night, { fromMinute: 391, untilMinute: 1_320, days: null }])).toBe(false);
  });
});
