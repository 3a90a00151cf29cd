// Reads how far the portfolio may drift and when it is looked at: objective, bands, schedule,
// blackouts. Refuses bands wider than the weight they watch, cron lines that never come, and time
// zones nobody keeps.

import { type At, pointed, readOneOf, readString, refuse } from '../market/reader.ts';
import { DEFAULT_LANDING, DEFAULT_TIME_ZONE, DEFAULT_TRACKING_ERROR } from './defaults.ts';
import {
  items,
  knownAsset,
  members,
  numberOf,
  type Problems,
  quoted,
  readBps,
  readDuration,
  readNumber,
  readWeight,
  Section,
} from './parseFields.ts';
import type { Targets } from './parseTargets.ts';
import { parseCron, refuseNever } from './schedule/cron.ts';
import { isTimeZone } from './schedule/localTime.ts';
import { type Blackout, neverOpen, type Schedule } from './schedule/schedule.ts';
import type { Objective } from './types.ts';

const BLACKOUTS_MAX = 32;
/** Slots closer than this would pile up behind one settlement. */
const EVERY_MIN_SECONDS = 60;

export const DEFAULT_OBJECTIVE: Objective = {
  kind: 'trackingError',
  annual: DEFAULT_TRACKING_ERROR,
};

const OBJECTIVES = ['trackingErrorBps', 'aversion', 'bands', 'calendar'] as const;

export function readObjective(
  at: At,
  targets: Targets,
  fixedTargets: boolean,
  problems: Problems,
): Objective {
  const section = new Section(at, OBJECTIVES, problems);
  const said = OBJECTIVES.filter((key) => section.has(key));
  const [kind] = said;
  if (kind === undefined || said.length > 1) {
    const got = said.length === 0 ? 'none' : said.join(' and ');
    refuse(at, `must hold one of ${OBJECTIVES.join(', ')}; got ${got}`);
  }
  const place = section.field(kind);
  if (kind === 'trackingErrorBps') {
    const range = { min: 1, max: 5_000, unit: 'bps a year', example: '200' };
    return { kind: 'trackingError', annual: readBps(place, range) };
  }
  if (kind === 'aversion') {
    const range = { min: 1e-6, max: 1e9, unit: 'per year', example: '4' };
    return { kind: 'aversion', perYear: readNumber(place, range) };
  }
  if (kind === 'bands') return readBands(place, targets, fixedTargets, problems);
  if (place.value !== true) refuse(place, 'must be true; leave it out to trade on drift too');
  return { kind: 'calendar' };
}

function readBands(
  at: At,
  { assets, exact }: Targets,
  fixedTargets: boolean,
  problems: Problems,
): Objective {
  const section = new Section(at, ['width', 'measure', 'landing'], problems);
  const measure = section.optional(
    'measure',
    (field) => readOneOf(field, ['absolute', 'relative']),
    'absolute' as const,
  );
  const place = section.field('width');
  if (!section.has('width')) refuse(place, 'missing field "width"; write it, such as "0.05"');
  const widthOf = (field: At): number => {
    const width = numberOf(readWeight(field));
    if (width === 0) refuse(field, 'a band of width 0 trades at every look; write such as "0.05"');
    return width;
  };
  const widths =
    typeof place.value === 'string'
      ? assets.map(() => widthOf(place))
      : readWidthOfEach(place, assets, widthOf);
  for (const [index, width] of widths.entries()) {
    // Targets that come from a forecast have no weight to compare with yet.
    const weight = fixedTargets ? numberOf(exact[index] ?? (0n as never)) : Number.NaN;
    const asset = assets[index] ?? '';
    if (measure === 'relative' && (weight === 0 || width >= 1)) {
      const why = weight === 0 ? 'around a target of 0 is empty' : 'of 1 or more is never left';
      refuse(place, `${asset}: a relative band ${why}; use an absolute one, such as "0.05"`);
    }
    if (measure === 'absolute' && weight > 0 && width >= weight) {
      const texts = `${asset}: a band of ${width} is as wide as its target ${weight}`;
      refuse(place, `${texts}, so a fall to nothing is inside; narrow it or give it its own width`);
    }
  }
  const landing = section.optional('landing', readLanding, DEFAULT_LANDING);
  return { kind: 'bands', measure, widths, landing };
}

function readWidthOfEach(
  at: At,
  assets: readonly string[],
  widthOf: (at: At) => number,
): readonly number[] {
  const widths = new Map<string, number>();
  for (const [name, place] of members(at)) {
    widths.set(knownAsset({ value: name, pointer: place.pointer }, assets), widthOf(place));
  }
  return assets.map((asset) => {
    const width = widths.get(asset);
    if (width === undefined) refuse(at, `has no width for ${asset}; add it, such as "0.05"`);
    return width;
  });
}

const LANDINGS: Readonly<Record<string, number>> = { target: 0, half: 0.5, edge: 1 };

function readLanding(at: At): number {
  const named = typeof at.value === 'string' && Object.hasOwn(LANDINGS, at.value);
  if (named) return LANDINGS[readString(at)] ?? DEFAULT_LANDING;
  const range = { min: 0, max: 1, unit: '(or target, half, edge)', example: '0.5' };
  return readNumber(at, range);
}

export function readSchedule(at: At, problems: Problems): Schedule {
  const section = new Section(at, ['every', 'cron', 'timeZone', 'blackouts'], problems);
  const timeZone = section.optional('timeZone', readTimeZone, DEFAULT_TIME_ZONE);
  const blackouts = section.optional(
    'blackouts',
    (field) => items(field, BLACKOUTS_MAX).map((item) => readBlackout(item, problems)),
    [],
  );
  if (blackouts.length > 0 && neverOpen(blackouts)) {
    refuse(section.field('blackouts'), 'cover the whole week, so nothing is ever done; open some');
  }
  if (section.has('every') === section.has('cron')) {
    const got = section.has('every') ? 'both; keep one' : 'neither';
    refuse(at, `must hold "every" (such as "7d") or "cron" (such as "0 9 * * 1"); got ${got}`);
  }
  if (section.has('every')) {
    const seconds = readDuration(section.field('every'), EVERY_MIN_SECONDS);
    return { trigger: { kind: 'every', seconds }, timeZone, blackouts };
  }
  const place = section.field('cron');
  const line = readString(place);
  pointed(place, () => refuseNever(parseCron(line)));
  return { trigger: { kind: 'cron', line }, timeZone, blackouts };
}

function readTimeZone(at: At): string {
  const name = readString(at);
  if (isTimeZone(name)) return name;
  refuse(at, `no time zone ${quoted(name)}; write an IANA name such as "Europe/Berlin" or "UTC"`);
}

const CLOCK = /^([01][0-9]|2[0-4]):([0-5][0-9])$/;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const DAY_MINUTES = 1_440;

function readBlackout(at: At, problems: Problems): Blackout {
  const section = new Section(at, ['from', 'until', 'days'], problems);
  const minute = (key: 'from' | 'until'): number => {
    const place = section.field(key);
    const match = CLOCK.exec(typeof place.value === 'string' ? place.value : '');
    const minutes = match === null ? Number.NaN : Number(match[1]) * 60 + Number(match[2]);
    if (!(minutes <= DAY_MINUTES)) refuse(place, 'must be a local time such as "22:30"');
    return minutes;
  };
  const [fromMinute, untilMinute] = [minute('from'), minute('until')];
  if (fromMinute === untilMinute || fromMinute === DAY_MINUTES) {
    refuse(at, 'is empty; for a whole day write "from": "00:00", "until": "24:00"');
  }
  if (!section.has('days')) return { fromMinute, untilMinute, days: null };
  const place = section.field('days');
  const days = items(place, 7).map((item): number => DAYS.indexOf(readOneOf(item, DAYS)));
  if (days.length === 0) refuse(place, 'lists no day; leave it out for every day');
  return { fromMinute, untilMinute, days: [...new Set(days)].sort((a, b) => a - b) };
}
