// Cron lines: five fields (minute hour day-of-month month day-of-week), ranges, steps, lists, names
// and the @ words. Owns the grammar and which local minutes a line means; refuses seconds fields,
// ranges that run backwards and lines that never come, each with how to write it instead. Days
// follow POSIX crontab and Vixie's cron: where neither day field begins with a star, either may
// match; otherwise both must.

import { InvalidInput } from '../../types/errors.ts';
import { type CivilDate, civilOf, dayOf, daysInMonth, weekdayOf } from './calendar.ts';

const LINE_MAX = 256;

export interface Cron {
  readonly line: string;
  /** Ascending. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Index → whether it matches; days of month 1–31, months 1–12, weekdays 0–6 from Sunday. */
  readonly daysOfMonth: readonly boolean[];
  readonly months: readonly boolean[];
  readonly weekdays: readonly boolean[];
  /** Whether a day must match both day fields. */
  readonly bothDays: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Field = { name: 'minute', min: 0, max: 59, names: [] };
const HOUR: Field = { name: 'hour', min: 0, max: 23, names: [] };
const DAY: Field = { name: 'day of month', min: 1, max: 31, names: [] };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS };
/** 7 is Sunday too. */
const WEEKDAY: Field = { name: 'day of week', min: 0, max: 7, names: WEEKDAYS };

const WORDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Throws InvalidInput, without a pointer, naming the field and the remedy. */
export function parseCron(line: string): Cron {
  if (line.length > LINE_MAX) throw wrong(`a cron line has at most ${LINE_MAX} characters`);
  const word = line.trim().toLowerCase();
  if (word.startsWith('@') && !Object.hasOwn(WORDS, word)) {
    throw wrong(`no cron word ${show(line)}; known: ${Object.keys(WORDS).join(', ')}`);
  }
  // "constructor" is a word of every object and none of ours.
  const meant = Object.hasOwn(WORDS, word) ? WORDS[word] : word;
  const fields = (meant ?? word).split(/[ \t]+/);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  if (fields.length !== 5) {
    const why = fields.length === 6 ? ' (seconds are not known)' : '';
    throw wrong(
      `a cron line has five fields: minute hour day month weekday, such as "0 9 * * 1"; ` +
        `got ${fields.length}${why} in ${show(line)}`,
    );
  }
  const weekdays = setOf(weekday, WEEKDAY);
  return {
    line,
    minutes: listOf(setOf(minute, MINUTE)),
    hours: listOf(setOf(hour, HOUR)),
    daysOfMonth: setOf(day, DAY),
    months: setOf(month, MONTH),
    weekdays: weekdays.slice(0, 7).map((on, index) => on || (index === 0 && weekdays[7] === true)),
    bothDays: day.startsWith('*') || weekday.startsWith('*'),
  };
}

function setOf(text: string, field: Field): readonly boolean[] {
  const on = Array.from({ length: field.max + 1 }, () => false);
  for (const part of text.split(',')) {
    const { from, to, step } = rangeOf(part, field);
    for (let value = from; value <= to; value += step) on[value] = true;
  }
  return on;
}

function rangeOf(part: string, field: Field): { from: number; to: number; step: number } {
  const [range = '', stepText, ...more] = part.split('/');
  if (more.length > 0) throw wrong(`${field.name}: more than one step in ${show(part)}`);
  const step = stepText === undefined ? 1 : numberOf(stepText, field);
  if (step < 1 || step > field.max) {
    throw wrong(`${field.name}: a step must be from 1 to ${field.max}, got ${show(part)}`);
  }
  if (range === '*') return { from: field.min, to: field === WEEKDAY ? 6 : field.max, step };
  const [fromText = '', toText, ...rest] = range.split('-');
  const from = bound(fromText, field);
  if (rest.length > 0) throw wrong(`${field.name}: ${show(part)} is no range; write such as 1-5`);
  if (toText === undefined) {
    if (stepText === undefined) return { from, to: from, step };
    const whole = `${from}-${field.max}/${step}`;
    throw wrong(`${field.name}: a step needs a range, got ${show(part)}; write ${whole}`);
  }
  const to = bound(toText, field);
  if (from > to) {
    const texts = `${field.name}: ${show(part)} runs backwards`;
    throw wrong(`${texts}; write two parts, such as ${from}-${field.max},${field.min}-${to}`);
  }
  return { from, to, step };
}

function bound(text: string, field: Field): number {
  const named = field.names.indexOf(text);
  const value = named < 0 ? numberOf(text, field) : named + (field === MONTH ? 1 : 0);
  if (value >= field.min && value <= field.max) return value;
  throw wrong(`${field.name} must be from ${field.min} to ${field.max}, got ${show(text)}`);
}

function numberOf(text: string, field: Field): number {
  if (/^[0-9]{1,2}$/.test(text)) return Number(text);
  const names = field.names.length === 0 ? '' : ` or ${field.names.join(', ')}`;
  throw wrong(`${field.name}: ${show(text)} is not a number${names}; "*" stands for any`);
}

const listOf = (on: readonly boolean[]): readonly number[] =>
  on.flatMap((set, value) => (set ? [value] : []));

export function dayMatches(cron: Cron, { month, day }: CivilDate, weekday: number): boolean {
  if (cron.months[month] !== true) return false;
  const byDay = cron.daysOfMonth[day] === true;
  const byWeekday = cron.weekdays[weekday] === true;
  return cron.bothDays ? byDay && byWeekday : byDay || byWeekday;
}

/** 29 February on a given weekday comes back within 40 years, over a year like 2100 too. */
const SEARCH_DAYS_MAX = 41 * 366;

/**
 * The first matching day from `day` on (direction 1) or back (−1), days since 1970. null: none
 * within 41 years, that is, never.
 */
export function matchingDay(cron: Cron, day: number, direction: 1 | -1): number | null {
  const last = day + direction * SEARCH_DAYS_MAX;
  for (let at = day; direction > 0 ? at <= last : at >= last; ) {
    const civil = civilOf(at);
    if (cron.months[civil.month] !== true) {
      // To the next month's first day, or the last month's last.
      const first = dayOf({ ...civil, day: 1 });
      at = direction > 0 ? first + daysInMonth(civil) : first - 1;
      continue;
    }
    if (dayMatches(cron, civil, weekdayOf(at))) return at;
    at += direction;
  }
  return null;
}

/** Throws InvalidInput for a line such as "0 0 30 2 *". */
export function refuseNever(cron: Cron): void {
  if (matchingDay(cron, 0, 1) !== null) return;
  throw wrong(`${show(cron.line)} never comes: no month it names has that day; mend day or month`);
}

const show = (text: string): string => JSON.stringify(text.slice(0, 80));
const wrong = (message: string): InvalidInput => new InvalidInput(message, { code: 'badCron' });
