// Wall clocks: UTC seconds ↔ local seconds of an IANA time zone, from the platform's own tables
// (Intl). A local second is what the wall clock shows, counted as if it were UTC. Owns the two
// choices of daylight saving time: a wall time that does not exist stands for the moment the clock
// was put forward, one that occurs twice for its first occurrence.

import { assert } from '../../types/assert.ts';
import { DAY } from './calendar.ts';

/** About 270 years of days; past it the memory is cleared. */
const REMEMBERED_DAYS_MAX = 100_000;

interface ZoneDay {
  /** Offset at the day's first second, and at its last. */
  readonly first: number;
  readonly last: number;
  /** First second with the offset `last`. */
  readonly shiftAt: number;
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly days: Map<number, ZoneDay>;
}

// Memories of pure functions: the same zone and second give the same offset.
const zones = new Map<string, Zone>();

export function isTimeZone(name: string): boolean {
  // Intl takes offsets such as "+02:00" too, and any case; a policy names a place or UTC.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const zone: Zone = { format, days: new Map() };
  zones.set(name, zone);
  return zone;
}

/** Local minus UTC, seconds, asked of the platform: some 5 µs, hence the memory by day. */
function askOffset(zone: Zone, at: number): number {
  const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of zone.format.formatToParts(at * 1000)) {
    if (type in parts) parts[type as keyof typeof parts] = Number(value);
  }
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - at;
}

function dayIn(zone: Zone, day: number): ZoneDay {
  const known = zone.days.get(day);
  if (known !== undefined) return known;
  const [start, end] = [day * DAY, day * DAY + DAY - 1];
  const [first, last] = [askOffset(zone, start), askOffset(zone, end)];
  // No zone has changed its offset twice within one UTC day since 1970.
  let [before, shiftAt] = [start, first === last ? start : end];
  while (first !== last && shiftAt - before > 1) {
    const middle = Math.floor((before + shiftAt) / 2);
    if (askOffset(zone, middle) === first) before = middle;
    else shiftAt = middle;
  }
  if (zone.days.size >= REMEMBERED_DAYS_MAX) zone.days.clear();
  const found = { first, last, shiftAt };
  zone.days.set(day, found);
  return found;
}

/** Local minus UTC in seconds at UTC second `at`. */
export function offsetAt(timeZone: string, at: number): number {
  if (timeZone === 'UTC') return 0;
  const { first, last, shiftAt } = dayIn(zoneOf(timeZone), Math.floor(at / DAY));
  return at < shiftAt ? first : last;
}

export const localOf = (timeZone: string, at: number): number => at + offsetAt(timeZone, at);

/**
 * The UTC second a wall clock shows `local` at: the first where it does so twice, the moment of the
 * shift where it never does. Never falls as `local` grows.
 */
export function utcOf(timeZone: string, local: number): number {
  if (timeZone === 'UTC') return local;
  // Offsets lie within −12 h and +14 h: a day before and after are on either side of the answer.
  const earlier = offsetAt(timeZone, local - DAY);
  const later = offsetAt(timeZone, local + DAY);
  if (offsetAt(timeZone, local - earlier) === earlier) return local - earlier;
  if (offsetAt(timeZone, local - later) === later) return local - later;
  return shiftBetween(timeZone, local - DAY, local + DAY);
}

/** The first second after the one change of offset within (from, to]. */
function shiftBetween(timeZone: string, from: number, to: number): number {
  const first = offsetAt(timeZone, from);
  let [before, after] = [from, to];
  assert(offsetAt(timeZone, to) !== first, 'a wall time is missing only where clocks shift');
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(timeZone, middle) === first) before = middle;
    else after = middle;
  }
  return after;
}
