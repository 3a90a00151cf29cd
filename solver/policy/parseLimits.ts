// Reads what a rebalance may cost and which way it may trade. Refuses limits no trade could meet.

import { type At, readBoolean, refuse } from '../market/reader.ts';
import { DEFAULT_COSTS, DEFAULT_LIMITS, SAFE_VOLATILITY } from './defaults.ts';
import {
  items,
  knownAsset,
  orNull,
  type Problems,
  type Range,
  readBps,
  readNumber,
  Section,
} from './parseFields.ts';
import { ASSETS_MAX } from './parseTargets.ts';
import type { CostLimits, Prior, TradeLimits } from './types.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;
const bps = (max: number, example: string, above = false): Range => ({
  min: 0,
  max,
  unit: 'bps',
  example,
  above,
});
const dollars = (example: string): Range => ({ min: 0, max: 1e12, unit: 'dollars', example });

const COST_FIELDS = [
  'maxBps',
  'budgetBps30d',
  'maxSlippageBps',
  'maxGasUsd',
  'minTradeUsd',
  'expectedBps',
  'fixedUsd',
];

export function readCosts(at: At, problems: Problems): CostLimits {
  const costs = new Section(at, COST_FIELDS, problems);
  const byDefault = DEFAULT_COSTS;
  const limits: CostLimits = {
    maxBpsPerSettlement: costs.optional(
      'maxBps',
      (field) => readNumber(field, bps(10_000, '50', true)),
      byDefault.maxBpsPerSettlement,
    ),
    budgetBps30d: costs.optional(
      'budgetBps30d',
      orNull((field) => readNumber(field, bps(10_000, '50 (or null for none)', true)), NO_LIMIT),
      byDefault.budgetBps30d,
    ),
    maxSlippageBps: costs.optional(
      'maxSlippageBps',
      (field) => readNumber(field, bps(5_000, '50')),
      byDefault.maxSlippageBps,
    ),
    maxGasUsd: costs.optional(
      'maxGasUsd',
      orNull((field) => readNumber(field, dollars('50 (or null for none)')), NO_LIMIT),
      byDefault.maxGasUsd,
    ),
    minTradeUsd: costs.optional(
      'minTradeUsd',
      (field) => readNumber(field, dollars('10')),
      byDefault.minTradeUsd,
    ),
    proportional: costs.optional(
      'expectedBps',
      (field) => readBps(field, bps(5_000, '30')),
      byDefault.proportional,
    ),
    fixedUsd: costs.optional(
      'fixedUsd',
      (field) => readNumber(field, dollars('1')),
      byDefault.fixedUsd,
    ),
  };
  if (limits.proportional === 0 && limits.fixedUsd === 0) {
    const place = costs.field(costs.has('expectedBps') ? 'expectedBps' : 'fixedUsd');
    refuse(place, 'trades that cost nothing would never end; give expectedBps or fixedUsd a value');
  }
  if (limits.fixedUsd > limits.maxGasUsd) {
    const texts = `fixedUsd ${limits.fixedUsd} is above maxGasUsd ${limits.maxGasUsd}`;
    refuse(costs.field('fixedUsd'), `${texts}: no settlement could pass; raise maxGasUsd`);
  }
  return limits;
}

export function readLimits(
  at: At,
  assets: readonly string[],
  prior: Prior,
  problems: Problems,
): TradeLimits {
  const section = new Section(at, ['turnover30d', 'buyOnly', 'sellOnly', 'reduceOnly'], problems);
  const turnover = { min: 0, above: true, max: 1_000, unit: 'of worth', example: '2 (or null)' };
  const names = (field: At) => {
    const list = items(field, ASSETS_MAX).map((item) => knownAsset(item, assets));
    const twice = list.findIndex((name, index) => list.indexOf(name) !== index);
    if (twice >= 0) refuse(field, `${list[twice]} is listed twice; keep one`);
    return list;
  };
  const limits: TradeLimits = {
    turnover30d: section.optional(
      'turnover30d',
      orNull((field) => readNumber(field, turnover), NO_LIMIT),
      DEFAULT_LIMITS.turnover30d,
    ),
    buyOnly: section.optional('buyOnly', names, []),
    sellOnly: section.optional('sellOnly', names, []),
    reduceOnly: section.optional('reduceOnly', readBoolean, false),
  };
  const both = limits.buyOnly.find((asset) => limits.sellOnly.includes(asset));
  if (both !== undefined) {
    const where = section.field('sellOnly');
    refuse(where, `${both} is buy-only too and could not be traded at all; take it off one list`);
  }
  for (const key of ['buyOnly', 'sellOnly'] as const) {
    if (limits[key].length < assets.length) continue;
    const side = key === 'buyOnly' ? 'sell' : 'buy';
    refuse(section.field(key), `lists every asset: nothing is left to ${side}; take one off`);
  }
  if (limits.reduceOnly && !prior.volatilities.some((sigma) => sigma <= SAFE_VOLATILITY)) {
    const where = section.field('reduceOnly');
    refuse(where, 'needs an asset without risk to sell into; add CASH to targets');
  }
  return limits;
}
