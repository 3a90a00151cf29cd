// When a policy may and must look at the clock: an interval or a cron line in a time zone, less the
// blackout windows. A slot is a moment the time trigger is due at. Intervals are counted in seconds
// from an anchor (when the policy was armed) and know no daylight saving; cron lines and blackouts
// follow the wall clock of the time zone.

import { assert } from '../../types/assert.ts';
import { DAY, weekdayOf } from './calendar.ts';
import { type Cron, matchingDay, parseCron } from './cron.ts';
import { localOf, offsetAt, utcOf } from './localTime.ts';

export interface Blackout {
  /** Minutes after local midnight; `until` ≤ `from` runs over midnight. */
  readonly fromMinute: number;
  readonly untilMinute: number;
  /** Days it begins on, 0 = Sunday; null: every day. */
  readonly days: readonly number[] | null;
}

export interface Schedule {
  readonly trigger:
    | { readonly kind: 'every'; readonly seconds: number }
    | { readonly kind: 'cron'; readonly line: string };
  /** IANA name. */
  readonly timeZone: string;
  readonly blackouts: readonly Blackout[];
}

/** A parsed cron line is remembered: the same text means the same slots. */
const CRONS_MAX = 1_000;
const crons = new Map<string, Cron>();

function cronOf(line: string): Cron {
  const known = crons.get(line);
  if (known !== undefined) return known;
  if (crons.size >= CRONS_MAX) crons.clear();
  const cron = parseCron(line);
  crons.set(line, cron);
  return cron;
}

/** The first slot after `after`, Unix seconds; blackouts are not looked at. */
export function nextAt(schedule: Schedule, after: number, anchor = 0): number {
  const { trigger } = schedule;
  if (trigger.kind === 'every') {
    const passed = Math.floor((after - anchor) / trigger.seconds);
    return anchor + Math.max(1, passed + 1) * trigger.seconds;
  }
  const slot = cronSlot(cronOf(trigger.line), schedule.timeZone, after, 1);
  assert(slot !== null, 'the parser refuses lines that never come');
  return slot;
}

/** The last slot at or before `now`; null: none since the anchor (every) or within 41 years. */
export function slotAt(schedule: Schedule, now: number, anchor = 0): number | null {
  const { trigger } = schedule;
  if (trigger.kind === 'cron') return cronSlot(cronOf(trigger.line), schedule.timeZone, now, -1);
  const passed = Math.floor((now - anchor) / trigger.seconds);
  return passed < 1 ? null : anchor + passed * trigger.seconds;
}

/** Two clocks shifts within so many matching days of one search do not happen. */
const DAYS_TRIED_MAX = 8;

/**
 * Direction 1: the first slot after `at`; −1: the last at or before it. utcOf never falls, so the
 * matching wall times are tried in their order from where the clock stands. The clock's furthest
 * reading of yesterday, now and tomorrow is where going back begins: in an hour that comes
 * twice, slots of its first pass lie ahead on the wall and behind in time.
 */
function cronSlot(cron: Cron, timeZone: string, at: number, direction: 1 | -1): number | null {
  const offsets = [offsetAt(timeZone, at), offsetAt(timeZone, at - DAY)];
  const wall = at + (direction > 0 ? Math.min(...offsets) : Math.max(...offsets));
  const fits = (slot: number) => (direction > 0 ? slot > at : slot <= at);
  let day: number | null = Math.floor(wall / DAY);
  for (let tried = 0; tried < DAYS_TRIED_MAX; tried++) {
    day = matchingDay(cron, day, direction);
    if (day === null) return null;
    const slot = slotOfDay(cron, timeZone, day, direction, wall, fits);
    if (slot !== null) return slot;
    day += direction;
  }
  return null;
}

function slotOfDay(
  cron: Cron,
  timeZone: string,
  day: number,
  direction: 1 | -1,
  wall: number,
  fits: (slot: number) => boolean,
): number | null {
  const { hours, minutes } = cron;
  for (let h = 0; h < hours.length; h++) {
    const hour = hours[direction > 0 ? h : hours.length - 1 - h] ?? 0;
    const hourStart = day * DAY + hour * 3_600;
    // A whole hour that the wall clock has left behind, or not reached, holds nothing.
    if (direction > 0 ? hourStart + 3_600 <= wall : hourStart > wall) continue;
    for (let m = 0; m < minutes.length; m++) {
      const minute = minutes[direction > 0 ? m : minutes.length - 1 - m] ?? 0;
      const slot = utcOf(timeZone, hourStart + minute * 60);
      if (fits(slot)) return slot;
    }
  }
  return null;
}

const WEEK_MINUTES = 7 * 1_440;

/** Whether a wall-clock minute of the week (Sunday 00:00 = 0) lies in the window. */
function covers(blackout: Blackout, weekday: number, minute: number): boolean {
  const { fromMinute, untilMinute, days } = blackout;
  const on = (day: number) => days === null || days.includes(day);
  if (untilMinute > fromMinute) {
    return minute >= fromMinute && minute < untilMinute && on(weekday);
  }
  if (minute >= fromMinute) return on(weekday);
  return minute < untilMinute && on((weekday + 6) % 7);
}

export function inBlackout(schedule: Schedule, now: number): boolean {
  if (schedule.blackouts.length === 0) return false;
  return blackedOut(schedule, localOf(schedule.timeZone, now));
}

function blackedOut({ blackouts }: Schedule, local: number): boolean {
  const day = Math.floor(local / DAY);
  const minute = Math.floor((local - day * DAY) / 60);
  const weekday = weekdayOf(day);
  return blackouts.some((blackout) => covers(blackout, weekday, minute));
}

/**
 * The first moment from `now` on outside every blackout; `now` itself if it is. Windows end on whole
 * wall-clock minutes; clocks that shift meanwhile only bring in the shift's own moment.
 */
export function afterBlackout(schedule: Schedule, now: number): number {
  if (!inBlackout(schedule, now)) return now;
  const { timeZone } = schedule;
  let minute = Math.floor(localOf(timeZone, now) / 60);
  for (let steps = 0; steps <= WEEK_MINUTES; steps++) {
    minute++;
    if (blackedOut(schedule, minute * 60)) continue;
    const end = utcOf(timeZone, minute * 60);
    if (end > now && !inBlackout(schedule, end)) return end;
  }
  return now + WEEK_MINUTES * 60;
}

/** Whether the windows leave no minute of the week free. */
export function neverOpen(blackouts: readonly Blackout[]): boolean {
  for (let minute = 0; minute < WEEK_MINUTES; minute++) {
    const [weekday, ofDay] = [Math.floor(minute / 1_440), minute % 1_440];
    if (!blackouts.some((blackout) => covers(blackout, weekday, ofDay))) return false;
  }
  return true;
}
