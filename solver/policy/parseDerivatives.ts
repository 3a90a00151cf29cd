// Reads the hedge of options and the leverage of lending accounts. Refuses ratios out of order and
// bands for Greeks that nothing could be traded against.

import { type At, readId, readOneOf, refuse } from '../market/reader.ts';
import { DEFAULT_HEDGE, DEFAULT_LEVERAGE } from './defaults.ts';
import type { HedgeBandModel, HedgePolicy } from './hedging/types.ts';
import { checkLeverage } from './leverage/check.ts';
import type { LeveragePolicy, SaleCost } from './leverage/types.ts';
import {
  items,
  knownAsset,
  orNull,
  type Problems,
  type Range,
  readBps,
  readDuration,
  readNumber,
  Section,
} from './parseFields.ts';

const INSTRUMENTS_MAX = 256;
const HEDGE_FIELDS = [
  'underlying',
  'netDelta',
  'band',
  'gammaBand',
  'vegaBand',
  'instruments',
  'costBps',
  'fixedUsd',
  'check',
];
/**
 * The cheapest at equal error first (docs/hedging.md); it is the default. The aversion has none: it is
 * per dollar, and goes with the size of the book.
 */
const BAND_MODELS = [
  'discrete',
  'whalleyWilmott',
  'zakamouline',
  'twoBand',
  'leland',
  'fixed',
] as const;

export function readHedge(at: At, assets: readonly string[], problems: Problems): HedgePolicy {
  const section = new Section(at, HEDGE_FIELDS, problems);
  const greek: Range = { min: 0, max: 1e12, unit: "of the book's units", example: '10 (or null)' };
  const [first = ''] = assets;
  const policy: HedgePolicy = {
    underlying: section.required(
      'underlying',
      (field) => knownAsset(field, assets),
      first,
      `"${first}"`,
    ),
    netDelta: section.optional(
      'netDelta',
      (field) => readNumber(field, { min: -1e12, max: 1e12, unit: 'units', example: '0' }),
      DEFAULT_HEDGE.netDelta,
    ),
    band: section.required(
      'band',
      (field) => readHedgeBand(field, problems),
      { kind: 'fixed', width: 1 },
      '{"aversion":"0.001"}',
    ),
    gammaBand: section.optional(
      'gammaBand',
      orNull((field) => readNumber(field, greek), null),
      DEFAULT_HEDGE.gammaBand,
    ),
    vegaBand: section.optional(
      'vegaBand',
      orNull((field) => readNumber(field, greek), null),
      DEFAULT_HEDGE.vegaBand,
    ),
    instruments: section.optional('instruments', readInstruments, []),
    proportional: section.optional(
      'costBps',
      (field) => readBps(field, { min: 0, max: 5_000, unit: 'bps', example: '30' }),
      DEFAULT_HEDGE.proportional,
    ),
    ...section.optional<{ fixedUsd?: number }>(
      'fixedUsd',
      (field) => ({
        fixedUsd: readNumber(field, { min: 0, max: 1e6, unit: 'dollars', example: '1' }),
      }),
      {},
    ),
    ...section.optional<{ checkSeconds?: number }>(
      'check',
      (field) => ({ checkSeconds: readDuration(field) }),
      {},
    ),
  };
  for (const key of ['gammaBand', 'vegaBand'] as const) {
    if (policy[key] === null || policy.instruments.length > 0) continue;
    const why = 'cannot be held without options to trade; name them in "instruments"';
    problems.note(section.field(key).pointer, why);
  }
  return policy;
}

function readInstruments(at: At): readonly string[] {
  const names = items(at, INSTRUMENTS_MAX).map(readId);
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) refuse(at, `"${names[twice]}" is listed twice; keep one`);
  return names;
}

function readHedgeBand(at: At, problems: Problems): HedgeBandModel {
  const section = new Section(at, ['model', 'aversion', 'every', 'width'], problems);
  const kind = section.has('model')
    ? readOneOf(section.field('model'), BAND_MODELS)
    : BAND_MODELS[0];
  const needs = kind === 'leland' ? 'every' : kind === 'fixed' ? 'width' : 'aversion';
  for (const key of ['aversion', 'every', 'width']) {
    if (key !== needs && section.has(key)) {
      refuse(section.field(key), `means nothing to ${kind}, which takes "${needs}"; leave it out`);
    }
  }
  const place = section.field(needs);
  if (!section.has(needs)) refuse(place, `${kind} needs "${needs}"; write it`);
  if (kind === 'leland') return { kind, everySeconds: readDuration(place, 60) };
  if (kind === 'fixed') {
    const units = { min: 0, above: true, max: 1e12, unit: 'units', example: '0.05' };
    return { kind, width: readNumber(place, units) };
  }
  const aversion = { min: 0, above: true, max: 1e9, unit: 'risk aversion', example: '1' };
  return { kind, aversion: readNumber(place, aversion) };
}

const LEVERAGE_FIELDS = [
  'target',
  'min',
  'max',
  'recenteringSpeed',
  'interval',
  'emergency',
  'emergencyCooldown',
  'maxChunkUsd',
  'healthFloor',
  'account',
  'worstMove',
  'cost',
  'chunkPause',
];

export function readLeverage(at: At, problems: Problems): LeveragePolicy {
  const section = new Section(at, LEVERAGE_FIELDS, problems);
  const target = readNumber(section.field('target'), ratioRange('2'));
  const byDefault = DEFAULT_LEVERAGE;
  const ratio = (key: string, otherwise: number) =>
    section.optional(key, (field) => readNumber(field, ratioRange(String(otherwise))), otherwise);
  const fraction: Range = { min: 0, above: true, max: 1, unit: 'fraction', example: '"0.05"' };
  const policy: LeveragePolicy = {
    target,
    min: ratio('min', Math.max(1, target * byDefault.minOfTarget)),
    max: ratio('max', target * byDefault.maxOfTarget),
    emergency: ratio('emergency', target * byDefault.emergencyOfTarget),
    recenteringSpeed: section.optional(
      'recenteringSpeed',
      (field) => readNumber(field, fraction),
      byDefault.recenteringSpeed,
    ),
    intervalSeconds: section.optional(
      'interval',
      (field) => readDuration(field, 60),
      byDefault.intervalSeconds,
    ),
    emergencyCooldownSeconds: section.optional(
      'emergencyCooldown',
      (field) => readDuration(field),
      byDefault.emergencyCooldownSeconds,
    ),
    maxChunkUsd: section.optional(
      'maxChunkUsd',
      (field) =>
        readNumber(field, { min: 0, above: true, max: 1e12, unit: 'dollars', example: '100000' }),
      byDefault.maxChunkUsd,
    ),
    healthFloor: section.optional(
      'healthFloor',
      (field) =>
        readNumber(field, { min: 1, above: true, max: 100, unit: 'health', example: '1.25' }),
      byDefault.healthFloor,
    ),
    ...section.optional<{ account?: string }>(
      'account',
      (field) => ({ account: readId(field) }),
      {},
    ),
    ...section.optional<{ worstMove?: number }>(
      'worstMove',
      (field) => ({ worstMove: readNumber(field, fraction) }),
      {},
    ),
    ...section.optional<{ cost?: SaleCost }>(
      'cost',
      (field) => ({ cost: readSaleCost(field, problems) }),
      {},
    ),
    ...section.optional<{ chunkSeconds?: number }>(
      'chunkPause',
      (field) => ({ chunkSeconds: readDuration(field) }),
      {},
    ),
  };
  refuseDisorder(section, policy);
  checkLeverage(policy, at.pointer);
  return policy;
}

/** What selling collateral costs; a document says it in bps. */
function readSaleCost(at: At, problems: Problems): SaleCost {
  const section = new Section(
    at,
    ['proportionalBps', 'impactBpsPerMillion', 'flashFeeBps'],
    problems,
  );
  const bps: Range = { min: 0, max: 5_000, unit: 'bps', example: '30' };
  const fraction = (field: At) => readBps(field, bps);
  return {
    proportional: section.optional('proportionalBps', fraction, DEFAULT_HEDGE.proportional),
    impactPerUsd: section.optional('impactBpsPerMillion', fraction, 0) / 1e6,
    flashFee: section.optional('flashFeeBps', orNull(fraction, null), null),
  };
}

const ratioRange = (example: string): Range => ({
  min: 1,
  max: 100,
  unit: 'exposure over equity',
  example,
});

function refuseDisorder(section: Section, policy: LeveragePolicy): void {
  const order = ['min', 'target', 'max', 'emergency'] as const;
  for (const [index, higher] of order.entries()) {
    const lower = order[index - 1];
    if (lower === undefined) continue;
    const equalIsFine = higher !== 'emergency';
    if (policy[lower] < policy[higher] || (equalIsFine && policy[lower] === policy[higher])) {
      continue;
    }
    const place = section.field(section.has(higher) ? higher : lower);
    const texts = `${lower} ${policy[lower]} is not below ${higher} ${policy[higher]}`;
    refuse(place, `${texts}; the order is min ≤ target ≤ max < emergency`);
  }
}
