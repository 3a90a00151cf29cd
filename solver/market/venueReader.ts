// Reads one venue of the problem format. Owns the ranges each kind allows, which are those of the
// contracts, and, for concentrated pools, the walk that turns initialised ticks into ranges of
// constant liquidity.

import { assert, present } from '../types/assert.ts';
import {
  MAX_SQRT_RATIO,
  MAX_TICK,
  MIN_SQRT_RATIO,
  MIN_TICK,
  sqrtRatioAtTick,
} from './exact/tickMath.ts';
import type {
  LiquidityRange,
  ParsedBridge,
  ParsedConcentrated,
  ParsedConstantProduct,
  ParsedNode,
  ParsedOrder,
  ParsedStable,
  ParsedVenue,
  ParsedWeighted,
} from './parsedProblem.ts';
import {
  type At,
  type ObjectAt,
  readAmount,
  readArray,
  readDecimal,
  readId,
  readInteger,
  readObject,
  readPair,
  readSigned,
  readString,
  refuse,
} from './reader.ts';

export const TICKS_MAX = 100_000;
const FEE_PIPS_MAX = 999_999;
const PIPS = 1_000_000n;
const MAX_UINT112 = 2n ** 112n - 1n;
const MAX_UINT128 = 2n ** 128n - 1n;
const MAX_UINT144 = 2n ** 144n - 1n;
const ONE = 10n ** 18n;
const TICK_SPACING_MAX = 16_383;
const WEIGHTED_NODES_MAX = 8;
const WEIGHT_MIN = ONE / 100n;
const STABLE_NODES_MAX = 5;
const AMPLIFICATION_MAX = 5000n;
const AMPLIFICATION_PRECISION_MAX = 1_000_000n;
const COMMON = ['id', 'kind', 'nodes', 'fixedCost'] as const;

export function readVenue(
  at: At,
  index: number,
  nodes: readonly ParsedNode[],
  nodeIndex: ReadonlyMap<string, number>,
): ParsedVenue {
  const kind = readKind(at);
  const venue = readObject(at, [...COMMON, ...KEYS[kind]], OPTIONAL_KEYS[kind]);
  const common = {
    index,
    id: readId(venue.field('id')),
    fixedCost: readDecimal(venue.field('fixedCost')),
  };
  if (kind === 'weighted') return { ...common, kind, ...readWeighted(venue, nodeIndex) };
  if (kind === 'stable') return { ...common, kind, ...readStable(venue, nodeIndex) };
  const base = { ...common, nodes: readNodePair(venue.field('nodes'), nodeIndex) };
  switch (kind) {
    case 'constantProduct':
      return { ...base, kind, ...readConstantProduct(venue) };
    case 'concentrated':
      return { ...base, kind, ...readConcentrated(venue) };
    case 'order':
      return { ...base, kind, ...readOrder(venue) };
    case 'bridge':
      return { ...base, kind, ...readBridge(venue, base.nodes, nodes) };
  }
}

const KEYS = {
  constantProduct: ['reserves', 'feePips'],
  weighted: ['balances', 'weights', 'scalingFactors', 'swapFee'],
  stable: ['balances', 'amplification', 'amplificationPrecision', 'scalingFactors', 'swapFee'],
  concentrated: ['sqrtPriceX96', 'tick', 'liquidity', 'feePips', 'ticks'],
  order: ['amountIn', 'amountOut'],
  bridge: ['feePips', 'fixedFee', 'capacity'],
} as const;
type Kind = keyof typeof KEYS;
const OPTIONAL_KEYS: Readonly<Record<Kind, readonly string[]>> = {
  constantProduct: [],
  weighted: ['mathVersion'],
  stable: [],
  concentrated: ['tickSpacing'],
  order: [],
  bridge: [],
};
type Own<Venue> = Omit<Venue, 'index' | 'id' | 'nodes' | 'fixedCost' | 'kind'>;
type OwnAndNodes<Venue> = Omit<Venue, 'index' | 'id' | 'fixedCost' | 'kind'>;

function readKind(at: At): Kind {
  const { value } = at;
  const kind: unknown =
    typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  const place = { value: kind, pointer: `${at.pointer}/kind` };
  const text = readString(place);
  if (!Object.hasOwn(KEYS, text)) {
    const known = Object.keys(KEYS).join(', ');
    refuse(place, `must be one of ${known}, got ${JSON.stringify(text.slice(0, 80))}`);
  }
  return text as Kind;
}

function readNodePair(at: At, nodeIndex: ReadonlyMap<string, number>): readonly [number, number] {
  const [first, second] = readPair(at);
  const pair = [readNodeId(first, nodeIndex), readNodeId(second, nodeIndex)] as const;
  if (pair[0] === pair[1]) refuse(second, 'the two nodes of a venue must differ');
  return pair;
}

function readNodeList(
  at: At,
  max: number,
  nodeIndex: ReadonlyMap<string, number>,
): readonly number[] {
  const seen = new Set<number>();
  for (const item of readArray(at, 2, max)) {
    const node = readNodeId(item, nodeIndex);
    if (seen.has(node)) {
      refuse(item, 'a pool lists each node once; leave its own share token out', 'duplicateId');
    }
    seen.add(node);
  }
  return [...seen];
}

/** A node id that must exist, as its index. */
export function readNodeId(at: At, nodeIndex: ReadonlyMap<string, number>): number {
  // Most ids are known, and those have been read as ids once.
  const known = typeof at.value === 'string' ? nodeIndex.get(at.value) : undefined;
  if (known !== undefined) return known;
  const id = readId(at);
  const index = nodeIndex.get(id);
  if (index === undefined) {
    refuse(at, `no node has the id ${JSON.stringify(id)}; add it to /nodes`, 'unknownId');
  }
  return index;
}

function readConstantProduct(venue: ObjectAt): Own<ParsedConstantProduct> {
  const [first, second] = readPair(venue.field('reserves'));
  return {
    reserves: [readAmount(first, 1n, MAX_UINT112), readAmount(second, 1n, MAX_UINT112)],
    feePips: readInteger(venue.field('feePips'), 0, FEE_PIPS_MAX),
  };
}

/** One integer per node. */
function readPerNode(at: At, nodes: readonly number[], min: bigint, max: bigint): bigint[] {
  return readArray(at, nodes.length, nodes.length).map((item) => readAmount(item, min, max));
}

function readBalances(venue: ObjectAt, nodes: readonly number[]) {
  return {
    balances: readPerNode(venue.field('balances'), nodes, 1n, MAX_UINT112),
    // With balances below 2^112 no upscaled balance overflows 256 bits.
    scalingFactors: readPerNode(venue.field('scalingFactors'), nodes, 1n, MAX_UINT144),
    swapFee: readAmount(venue.field('swapFee'), 0n, ONE - 1n),
  };
}

function readWeighted(
  venue: ObjectAt,
  nodeIndex: ReadonlyMap<string, number>,
): OwnAndNodes<ParsedWeighted> {
  const nodes = readNodeList(venue.field('nodes'), WEIGHTED_NODES_MAX, nodeIndex);
  const weights = readPerNode(venue.field('weights'), nodes, WEIGHT_MIN, ONE);
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (sum !== ONE) {
    refuse(
      venue.field('weights'),
      `must sum to exactly ${ONE}, got ${sum}; read them with getNormalizedWeights()`,
    );
  }
  const version = venue.has('mathVersion') ? readInteger(venue.field('mathVersion'), 1, 2) : 2;
  return { nodes, weights, mathVersion: version === 1 ? 1 : 2, ...readBalances(venue, nodes) };
}

function readStable(
  venue: ObjectAt,
  nodeIndex: ReadonlyMap<string, number>,
): OwnAndNodes<ParsedStable> {
  const nodes = readNodeList(venue.field('nodes'), STABLE_NODES_MAX, nodeIndex);
  const precision = readAmount(
    venue.field('amplificationPrecision'),
    1n,
    AMPLIFICATION_PRECISION_MAX,
  );
  return {
    nodes,
    amplification: readAmount(
      venue.field('amplification'),
      precision,
      AMPLIFICATION_MAX * precision,
    ),
    amplificationPrecision: precision,
    ...readBalances(venue, nodes),
  };
}

function readOrder(venue: ObjectAt): Own<ParsedOrder> {
  return {
    amountIn: readAmount(venue.field('amountIn'), 1n),
    amountOut: readAmount(venue.field('amountOut'), 1n),
  };
}

function readBridge(
  venue: ObjectAt,
  pair: readonly [number, number],
  nodes: readonly ParsedNode[],
): Own<ParsedBridge> {
  const feePips = readInteger(venue.field('feePips'), 0, FEE_PIPS_MAX);
  const from = present(nodes[pair[0]], 'bridge source').decimals;
  const to = present(nodes[pair[1]], 'bridge destination').decimals;
  return {
    feePips,
    numerator: 10n ** BigInt(Math.max(0, to - from)) * (PIPS - BigInt(feePips)),
    denominator: 10n ** BigInt(Math.max(0, from - to)) * PIPS,
    fixedFee: readAmount(venue.field('fixedFee')),
    capacity: readAmount(venue.field('capacity')),
  };
}

function readConcentrated(venue: ObjectAt): Own<ParsedConcentrated> {
  const sqrtPriceX96 = readAmount(venue.field('sqrtPriceX96'), MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1n);
  const tick = readInteger(venue.field('tick'), MIN_TICK, MAX_TICK - 1);
  // A swap that stops exactly on an initialised tick going down leaves tick one below its price.
  if (sqrtPriceX96 < sqrtRatioAtTick(tick) || sqrtPriceX96 > sqrtRatioAtTick(tick + 1)) {
    refuse(venue.field('tick'), 'tick does not hold sqrtPriceX96; read both in one call');
  }
  const feePips = readInteger(venue.field('feePips'), 0, FEE_PIPS_MAX);
  const liquidity = readAmount(venue.field('liquidity'), 0n, MAX_UINT128);
  const ticks = readTicks(venue.field('ticks'));
  const { ranges, rangeIndex } = liquidityRanges(ticks, tick, liquidity, venue);
  const tickSpacing = venue.has('tickSpacing')
    ? readTickSpacing(venue, ticks)
    : spacingOf(feePips, ticks);
  return { sqrtPriceX96, tick, liquidity, feePips, tickSpacing, ticks, ranges, rangeIndex };
}

function readTicks(at: At): ParsedConcentrated['ticks'] {
  let previous = Number.NEGATIVE_INFINITY;
  return readArray(at, 0, TICKS_MAX).map((item) => {
    const [first, second] = readPair(item);
    const tick = readInteger(first, MIN_TICK, MAX_TICK);
    if (tick <= previous) refuse(first, `ticks must ascend strictly; ${tick} follows ${previous}`);
    previous = tick;
    return { tick, liquidityNet: readSigned(second, MAX_UINT128) };
  });
}

/**
 * Ranges of constant liquidity between consecutive ticks. Strict bookkeeping: running liquidity is
 * never negative, equals the pool's `liquidity` at its tick, and ends at 0, because nothing lies
 * beyond the list. Whoever lists a window of a deeper pool closes its ends with the difference.
 */
function liquidityRanges(
  ticks: ParsedConcentrated['ticks'],
  tick: number,
  liquidity: bigint,
  venue: ObjectAt,
): { readonly ranges: readonly LiquidityRange[]; readonly rangeIndex: number } {
  const last = ticks.at(-1);
  // The last listed tick at or below the current one starts the current range.
  const rangeIndex =
    last === undefined || tick >= last.tick ? -1 : ticks.findLastIndex((t) => t.tick <= tick);
  if (rangeIndex < 0 && liquidity > 0n) {
    refuse(venue.field('liquidity'), 'must be 0: the current tick lies outside the list of ticks');
  }
  const below = ticks.filter((t) => t.tick <= tick).reduce((sum, t) => sum + t.liquidityNet, 0n);
  if (below !== liquidity) {
    refuse(
      venue.field('liquidity'),
      `is ${liquidity}, but liquidityNet of the ticks at or below tick ${tick} sums to ${below}; ` +
        'list every initialised tick, or close the ends of a window with the missing liquidity',
    );
  }
  const ranges: LiquidityRange[] = [];
  let running = 0n;
  ticks.forEach((current, i) => {
    running += current.liquidityNet;
    const place = { pointer: `${venue.field('ticks').pointer}/${i}/1` };
    if (running < 0n) refuse(place, `running liquidity falls below zero here: ${running}`);
    const next = ticks[i + 1];
    if (next === undefined) {
      if (running !== 0n) {
        refuse(place, `liquidityNet of all ticks must sum to 0, but ${running} remains`);
      }
      return;
    }
    if (running > MAX_UINT128) refuse(place, 'running liquidity exceeds 2^128 − 1');
    ranges.push({
      tickLower: current.tick,
      tickUpper: next.tick,
      sqrtLowerX96: sqrtRatioAtTick(current.tick),
      sqrtUpperX96: sqrtRatioAtTick(next.tick),
      liquidity: running,
    });
  });
  assert(rangeIndex < ranges.length, 'the current range is one of the ranges');
  return { ranges, rangeIndex };
}

function readTickSpacing(venue: ObjectAt, ticks: ParsedConcentrated['ticks']): number {
  const spacing = readInteger(venue.field('tickSpacing'), 1, TICK_SPACING_MAX);
  const odd = ticks.findIndex(({ tick }) => tick % spacing !== 0);
  if (odd >= 0) {
    const pointer = `${venue.field('ticks').pointer}/${odd}/0`;
    refuse({ pointer }, `tick ${ticks[odd]?.tick} is not a multiple of tickSpacing ${spacing}`);
  }
  return spacing;
}

/**
 * The spacing of a pool that does not name its own: a swap step of the contract also ends at the
 * boundaries of 256-spacing words and rounds there. Every tier enabled by a Uniswap v3 factory
 * has spacing feePips / 50, except 100 pips, which has 1. A list that breaks the rule has 1.
 */
function spacingOf(feePips: number, ticks: ParsedConcentrated['ticks']): number {
  const spacing = feePips % 50 === 0 && feePips > 100 ? feePips / 50 : 1;
  return spacing <= TICK_SPACING_MAX && ticks.every(({ tick }) => tick % spacing === 0)
    ? spacing
    : 1;
}
