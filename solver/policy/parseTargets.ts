// Reads what the portfolio should look like: targets, universe, chains and their floors and caps,
// risk budget, volatility target, prior. Refuses weights that do not sum to 1 exactly (in integers),
// floors above caps or above what the targets leave, a volatility target without cash to fall back
// on, and a prior covariance that no portfolio could have.

import { type Fixed36, formatFixed36, ONE36 } from '../market/decimal.ts';
import { type At, readId, refuse } from '../market/reader.ts';
import { type ChainId, chainId } from '../types/ids.ts';
import { familyOf, PRIOR_VOLATILITY, priorCorrelation, SAFE_VOLATILITY } from './defaults.ts';
import {
  assetName,
  items,
  knownAsset,
  members,
  numberOf,
  type Problems,
  quoted,
  readNumber,
  readWeight,
  Section,
  sumOf,
} from './parseFields.ts';
import { notPositiveSemidefinite } from './psd.ts';
import type { ChainLimit, Policy, Prior } from './types.ts';

export const ASSETS_MAX = 64;
export const CHAINS_MAX = 32;
export const CHAIN_LIMITS_MAX = 256;

export interface Targets {
  readonly assets: readonly string[];
  /** Exact, parallel to assets. */
  readonly exact: readonly Fixed36[];
}

export function readTargets(at: At): Targets {
  const entries = members(at, ASSETS_MAX);
  if (entries.length === 0) refuse(at, 'names no asset; write {"BTC":"0.6","CASH":"0.4"}');
  const seen = new Map<string, string>();
  for (const [name, place] of entries) {
    assetName(place, name);
    const twin = seen.get(name.toUpperCase());
    if (twin !== undefined) refuse(place, `"${twin}" and "${name}" differ in case alone; keep one`);
    seen.set(name.toUpperCase(), name);
  }
  const exact = entries.map(([, place]) => readWeight(place));
  refuseUnlessOne(at, exact);
  return { assets: entries.map(([name]) => name), exact };
}

function refuseUnlessOne(at: At, weights: readonly Fixed36[]): void {
  const sum = sumOf(weights);
  if (sum === ONE36) return;
  const off = (sum > ONE36 ? sum - ONE36 : ONE36 - sum) as Fixed36;
  const remedy = sum > ONE36 ? 'take off' : 'add';
  refuse(at, `weights sum to ${formatFixed36(sum)}, not 1; ${remedy} ${formatFixed36(off)}`);
}

/** Asset → the network's asset id; where nothing is said an asset's id is its own name. */
export function readUniverse(at: At, assets: readonly string[]): readonly string[] {
  const named = new Map<string, string>();
  for (const [name, place] of members(at)) {
    knownAsset({ value: name, pointer: place.pointer }, assets);
    named.set(name, readId(place));
  }
  const universe = assets.map((asset) => named.get(asset) ?? asset);
  const twice = universe.findIndex((id, index) => universe.indexOf(id) !== index);
  if (twice >= 0) {
    const [id = '', asset = ''] = [universe[twice], assets[twice]];
    const first = assets[universe.indexOf(id)];
    refuse(
      at,
      `"${first}" and "${asset}" are both ${quoted(id)}; add their weights up as one asset`,
    );
  }
  return universe;
}

export function readChains(at: At): readonly ChainId[] {
  const chains = items(at, CHAINS_MAX).map(readChain);
  if (chains.length === 0) refuse(at, 'lists no chain; leave it out or write null for all chains');
  const twice = chains.findIndex((chain, index) => chains.indexOf(chain) !== index);
  if (twice >= 0) refuse(at, `chain ${chains[twice]} is listed twice; keep one`);
  return chains;
}

function readChain(at: At): ChainId {
  return chainId(readNumber(at, { min: 1, max: 2 ** 53 - 1, unit: 'chain id', example: '8453' }));
}

interface ExactLimit {
  readonly pointer: string;
  readonly chain: ChainId;
  readonly asset: string | null;
  readonly floor: Fixed36;
  readonly cap: Fixed36;
}

const ZERO = 0n as Fixed36;

export function readChainLimits(
  at: At,
  targets: Targets,
  chains: readonly ChainId[] | null,
  fixedTargets: boolean,
  problems: Problems,
): readonly ChainLimit[] {
  const limits: ExactLimit[] = [];
  for (const place of items(at, CHAIN_LIMITS_MAX)) {
    const limit = problems.take(() => readChainLimit(place, targets, chains, problems), null);
    if (limit === null) continue;
    const twin = limits.some(({ chain, asset }) => chain === limit.chain && asset === limit.asset);
    if (twin) problems.note(place.pointer, 'this chain and asset have a limit already; keep one');
    else limits.push(limit);
  }
  problems.take(() => refuseContradictions(at, limits, targets, chains, fixedTargets), undefined);
  return limits.map(({ chain, asset, floor, cap }) => ({
    chain,
    asset,
    floor: numberOf(floor),
    cap: numberOf(cap),
  }));
}

function readChainLimit(
  at: At,
  targets: Targets,
  chains: readonly ChainId[] | null,
  problems: Problems,
): ExactLimit {
  const limit = new Section(at, ['chain', 'asset', 'target', 'floor', 'cap'], problems);
  const chain = readChain(limit.field('chain'));
  if (chains !== null && !chains.includes(chain)) {
    refuse(limit.field('chain'), `chain ${chain} is not in /chains (${chains.join(', ')}); add it`);
  }
  const asset = limit.has('asset') ? knownAsset(limit.field('asset'), targets.assets) : null;
  if (limit.has('target')) {
    if (limit.has('floor') || limit.has('cap')) {
      refuse(at, 'has a target beside a floor or cap; a target is both: leave the others out');
    }
    const target = readWeight(limit.field('target'));
    return { pointer: at.pointer, chain, asset, floor: target, cap: target };
  }
  if (!limit.has('floor') && !limit.has('cap')) {
    refuse(at, 'limits nothing; write a floor, a cap or a target, such as "floor": "0.1"');
  }
  const floor = limit.has('floor') ? readWeight(limit.field('floor')) : ZERO;
  const cap = limit.has('cap') ? readWeight(limit.field('cap')) : ONE36;
  if (floor > cap) {
    const texts = `floor ${formatFixed36(floor)} is above cap ${formatFixed36(cap)}`;
    refuse(limit.field('floor'), `${texts}; lower the floor or raise the cap`);
  }
  return { pointer: at.pointer, chain, asset, floor, cap };
}

function refuseContradictions(
  at: At,
  limits: readonly ExactLimit[],
  { assets, exact }: Targets,
  chains: readonly ChainId[] | null,
  fixedTargets: boolean,
): void {
  const floorsOf = (of: readonly ExactLimit[]) => sumOf(of.map(({ floor }) => floor));
  const whole = limits.filter(({ asset }) => asset === null);
  const floors = floorsOf(whole);
  if (floors > ONE36) {
    refuse(at, `floors of all chains sum to ${formatFixed36(floors)}, above 1; lower them`);
  }
  const capped = chains?.map((chain) => whole.find((limit) => limit.chain === chain)?.cap);
  if (capped?.every((cap) => cap !== undefined) && sumOf(capped as Fixed36[]) < ONE36) {
    const caps = formatFixed36(sumOf(capped as Fixed36[]));
    refuse(at, `caps of all chains sum to ${caps}, below 1; raise one or add a chain`);
  }
  for (const [index, asset] of assets.entries()) {
    const own = floorsOf(limits.filter((limit) => limit.asset === asset));
    const most = fixedTargets ? (exact[index] ?? ZERO) : ONE36;
    if (own > most) {
      const texts = `floors of ${asset} sum to ${formatFixed36(own)}`;
      refuse(at, `${texts}, above its ${formatFixed36(most)}; lower them or raise its target`);
    }
  }
  for (const { chain, cap, pointer } of whole) {
    const own = floorsOf(limits.filter((limit) => limit.chain === chain && limit.asset !== null));
    if (own > cap) {
      const texts = `assets' floors on chain ${chain} sum to ${formatFixed36(own)}`;
      refuse({ pointer }, `${texts}, above its cap ${formatFixed36(cap)}; lower them or raise it`);
    }
  }
}

/** Parallel to assets; sums to 1 over risky assets. */
export function readRiskBudget(at: At, assets: readonly string[], prior: Prior): readonly number[] {
  const budget = new Map<string, Fixed36>();
  for (const [name, place] of members(at)) {
    const asset = knownAsset({ value: name, pointer: place.pointer }, assets);
    if (!isRisky(assets.indexOf(asset), prior)) {
      refuse(place, `${asset} bears no risk to share out; leave it out, its target stays`);
    }
    budget.set(asset, readWeight(place));
  }
  refuseUnlessOne(at, [...budget.values()]);
  return assets.map((asset) => numberOf(budget.get(asset) ?? ZERO));
}

const isRisky = (index: number, prior: Prior): boolean =>
  (prior.volatilities[index] ?? 0) > SAFE_VOLATILITY;

export function readVolatilityTarget(
  at: At,
  assets: readonly string[],
  prior: Prior,
  problems: Problems,
): Policy['volatilityTarget'] {
  const section = new Section(at, ['annual', 'cap', 'cash'], problems);
  const unit = 'per √year';
  const annual = section.required(
    'annual',
    (field) => readNumber(field, { min: 0.001, max: 5, unit, example: '"0.2"' }),
    0.2,
    '"0.2"',
  );
  const cap = section.optional(
    'cap',
    (field) => readNumber(field, { min: 0, above: true, max: 1, unit: 'of worth', example: '"1"' }),
    1,
  );
  const safe = assets.filter((_, index) => !isRisky(index, prior));
  if (section.has('cash')) {
    const cash = knownAsset(section.field('cash'), assets);
    if (!safe.includes(cash)) {
      const known = safe.length === 0 ? 'add one to targets' : `take one of ${safe.join(', ')}`;
      refuse(section.field('cash'), `${cash} is risky, no cash; ${known}`);
    }
    return { annual, cap, cash };
  }
  const [cash] = safe;
  if (cash === undefined || safe.length > 1) {
    const which = cash === undefined ? 'add CASH to targets' : `name one of ${safe.join(', ')}`;
    refuse(section.field('cash'), `a volatility target needs cash to go to; ${which}`);
  }
  return { annual, cap, cash };
}

/** What is believed of the assets when the document says nothing. */
export function defaultPrior(assets: readonly string[]): Prior {
  const volatilities = assets.map((asset) => PRIOR_VOLATILITY[familyOf(asset)]);
  const correlations = assets.map((a) => assets.map((b) => (a === b ? 1 : priorCorrelation(a, b))));
  return priorOf(volatilities, correlations);
}

function priorOf(
  volatilities: readonly number[],
  correlations: readonly (readonly number[])[],
): Prior {
  const n = volatilities.length;
  const covariance = new Float64Array(n * n);
  for (const [i, one] of volatilities.entries()) {
    for (let j = 0; j <= i; j++) {
      // Once for both places: symmetric to the last bit.
      const entry = (correlations[i]?.[j] ?? 0) * one * (volatilities[j] ?? 0);
      covariance[i * n + j] = entry;
      covariance[j * n + i] = entry;
    }
  }
  return { volatilities, covariance };
}

export function readPrior(at: At, assets: readonly string[], problems: Problems): Prior {
  const section = new Section(at, ['volatilities', 'correlations', 'covariance'], problems);
  if (section.has('covariance')) {
    if (section.has('volatilities') || section.has('correlations')) {
      refuse(at, 'has a covariance beside volatilities or correlations; keep one of the two forms');
    }
    return readCovariance(section.field('covariance'), assets);
  }
  const byDefault = defaultPrior(assets).volatilities;
  const said = new Map<string, number>();
  if (section.has('volatilities')) {
    for (const [name, place] of members(section.field('volatilities'))) {
      const range = { min: 0, max: 20, unit: 'per √year', example: '"0.65"' };
      const asset = knownAsset({ value: name, pointer: place.pointer }, assets);
      said.set(asset, readNumber(place, range));
    }
  }
  const volatilities = assets.map((asset, i) => said.get(asset) ?? byDefault[i] ?? 0);
  const correlations = assets.map((a) => assets.map((b) => (a === b ? 1 : priorCorrelation(a, b))));
  if (section.has('correlations')) {
    const place = section.field('correlations');
    readCorrelations(place, assets, correlations);
    const bad = notPositiveSemidefinite(Float64Array.from(correlations.flat()), assets.length);
    if (bad !== null) refuse(place, `no returns can correlate so: ${bad}`);
  }
  return priorOf(volatilities, correlations);
}

function readCorrelations(at: At, assets: readonly string[], into: number[][]): void {
  const seen = new Set<string>();
  for (const [pair, place] of members(at, ASSETS_MAX * ASSETS_MAX)) {
    const [one = '', other = '', ...more] = pair.split('/');
    if (more.length > 0 || other === '') {
      refuse(place, `${quoted(pair)} is no pair of assets; write it as "BTC/ETH"`);
    }
    const name = (value: string) => knownAsset({ value, pointer: place.pointer }, assets);
    const [i, j] = [assets.indexOf(name(one)), assets.indexOf(name(other))];
    const key = i < j ? `${i}/${j}` : `${j}/${i}`;
    if (i === j) refuse(place, 'an asset correlates 1 with itself; leave it out');
    if (seen.has(key)) refuse(place, `${quoted(pair)} is given both ways round; keep one`);
    seen.add(key);
    const value = readNumber(place, { min: -1, max: 1, unit: 'correlation', example: '"0.8"' });
    for (const [row, column] of [
      [i, j],
      [j, i],
    ] as const) {
      const line = into[row];
      if (line !== undefined) line[column] = value;
    }
  }
}

function readCovariance(at: At, assets: readonly string[]): Prior {
  const n = assets.length;
  const rows = items(at, ASSETS_MAX).map((row) => items(row, ASSETS_MAX));
  if (rows.length !== n || rows.some((row) => row.length !== n)) {
    refuse(at, `must be ${n} rows of ${n} numbers, in the order ${assets.join(', ')}`);
  }
  const range = { min: -400, max: 400, unit: 'per year', example: '"0.4225"' };
  const matrix = Float64Array.from(
    rows.flatMap((row) => row.map((cell) => readNumber(cell, range))),
  );
  const bad = notPositiveSemidefinite(matrix, n);
  if (bad !== null) refuse(at, `no returns can vary so: ${bad}`);
  return {
    volatilities: assets.map((_, i) => Math.sqrt(matrix[i * n + i] ?? 0)),
    covariance: matrix,
  };
}
