// Reads when a price may be believed and what stops the policy.

import { type At, readOneOf } from '../market/reader.ts';
import {
  DEFAULT_BREAKERS,
  DEFAULT_DEPEG_FLOOR,
  DEFAULT_ORACLES,
  hasDefaultFloor,
} from './defaults.ts';
import type { BreakerPolicy } from './guards/breakers.ts';
import type { OraclePolicy } from './guards/oracle.ts';
import {
  knownAsset,
  members,
  orNull,
  type Problems,
  readDuration,
  readDurationOrZero,
  readNumber,
  readWhole,
  Section,
} from './parseFields.ts';

const ON_FAILURE = ['halt', 'reduceOnly'] as const;
const HOUR = 3_600;

const ORACLE_FIELDS = [
  'quorum',
  'maxAge',
  'maxDeviationBps',
  'maxTwapGapBps',
  'depegFloors',
  'onFailure',
];

export function readOracles(
  at: At,
  assets: readonly string[],
  byDefault: OraclePolicy,
  problems: Problems,
): OraclePolicy {
  const section = new Section(at, ORACLE_FIELDS, problems);
  const bps = { min: 1, max: 5_000, unit: 'bps', example: '100' };
  return {
    quorum: section.optional(
      'quorum',
      (field) => readWhole(field, { min: 1, max: 16, unit: 'sources', example: '2' }),
      byDefault.quorum,
    ),
    maxAgeSeconds: section.optional(
      'maxAge',
      (field) => readDuration(field, 1, 7 * 24 * HOUR),
      byDefault.maxAgeSeconds,
    ),
    maxDeviationBps: section.optional(
      'maxDeviationBps',
      (field) => readNumber(field, bps),
      byDefault.maxDeviationBps,
    ),
    maxTwapGapBps: section.optional(
      'maxTwapGapBps',
      orNull((field) => readNumber(field, { ...bps, example: '500 (or null)' }), null),
      byDefault.maxTwapGapBps,
    ),
    depegFloors: section.optional(
      'depegFloors',
      (field) => readFloors(field, assets),
      byDefault.depegFloors,
    ),
    onFailure: section.optional(
      'onFailure',
      (field) => readOneOf(field, ON_FAILURE),
      byDefault.onFailure,
    ),
  };
}

/** What is said replaces the default of that asset alone. */
function readFloors(at: At, assets: readonly string[]): Readonly<Record<string, number>> {
  const floors = new Map(Object.entries(depegFloorsOf(assets)));
  const range = { min: 0, max: 1e9, unit: 'dollars', example: '"0.98" ("0" for none)' };
  for (const [name, place] of members(at)) {
    floors.set(
      knownAsset({ value: name, pointer: place.pointer }, assets),
      readNumber(place, range),
    );
  }
  return Object.fromEntries(floors);
}

export const defaultOracles = (assets: readonly string[]): OraclePolicy => ({
  ...DEFAULT_ORACLES,
  depegFloors: depegFloorsOf(assets),
});

const depegFloorsOf = (assets: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(assets.filter(hasDefaultFloor).map((asset) => [asset, DEFAULT_DEPEG_FLOOR]));

const BREAKER_FIELDS = [
  'drawdown',
  'maxMovePerHour',
  'maxConsecutiveFailures',
  'maxMessagingOutage',
  'resumeAfter',
  'onTrip',
];

export function readBreakers(at: At, byDefault: BreakerPolicy, problems: Problems): BreakerPolicy {
  const section = new Section(at, BREAKER_FIELDS, problems);
  const move = { min: 0, above: true, max: 1, unit: 'fraction', example: '"0.2" (or null)' };
  return {
    drawdown: section.optional(
      'drawdown',
      orNull((field) => readDrawdown(field, problems), null),
      byDefault.drawdown,
    ),
    maxMovePerHour: section.optional(
      'maxMovePerHour',
      orNull((field) => readNumber(field, move), null),
      byDefault.maxMovePerHour,
    ),
    maxConsecutiveFailures: section.optional(
      'maxConsecutiveFailures',
      (field) => readWhole(field, { min: 1, max: 1_000, unit: 'failures', example: '3' }),
      byDefault.maxConsecutiveFailures,
    ),
    maxMessagingOutageSeconds: section.optional(
      'maxMessagingOutage',
      orNull((field) => readDuration(field, 60), null),
      byDefault.maxMessagingOutageSeconds,
    ),
    resumeAfterSeconds: section.optional(
      'resumeAfter',
      orNull(readDurationOrZero, null),
      byDefault.resumeAfterSeconds,
    ),
    onTrip: section.optional('onTrip', (field) => readOneOf(field, ON_FAILURE), byDefault.onTrip),
  };
}

function readDrawdown(at: At, problems: Problems): NonNullable<BreakerPolicy['drawdown']> {
  const section = new Section(at, ['window', 'max'], problems);
  const { windowSeconds = 0, max = 0 } = DEFAULT_BREAKERS.drawdown ?? {};
  const fraction = { min: 0, above: true, max: 1, unit: 'of the peak', example: '"0.25"' };
  return {
    windowSeconds: section.optional('window', (field) => readDuration(field, HOUR), windowSeconds),
    max: section.optional('max', (field) => readNumber(field, fraction), max),
  };
}
