// Random problems of every strange sort, as fast-check arbitraries that shrink to small files: dust
// pools, islands, zero liquidity, equal prices, fees of nearly everything, tokens of 10^0 … 10^30 base
// units a dollar, orders of 1e-9 … 100 times the depth, hardly any work, copies of one venue. Makes
// files (types/problem.ts), so that what fails can be read, kept and run by `trimtab solve`.

import fc from 'fast-check';
import { MAX_TICK, MIN_TICK, sqrtRatioAtTick } from '../../solver/market/exact/tickMath.ts';
import type { Objective, Problem, ProblemVenue } from '../../solver/types/problem.ts';
import { decimal, units } from '../engine/generate.ts';

/** What is strange about a problem; misses are counted by it. */
export const CATEGORIES = [
  'plain',
  'dust',
  'islands',
  'zeroLiquidity',
  'equalPrices',
  'hugeFees',
  'littleWork',
  'muchWork',
  'copies',
  'bareNodes',
  'fixedCosts',
  'offMarket',
  'capped',
  'pools',
] as const;
export type Category = (typeof CATEGORIES)[number];

export const OBJECTIVES = ['swap', 'rebalance', 'risk', 'batch'] as const;
export type ObjectiveKind = (typeof OBJECTIVES)[number];

interface Token {
  /** log10 of base units per dollar × 2. */
  readonly halfDigits: number;
  readonly decimals: number;
  /** Worth as much as the first token, where its decimals allow. */
  readonly twin: boolean;
}

interface VenueSketch {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
  /** log10 of dollars × 4. */
  readonly depth: number;
  /** −100 … 100: of the fee, or of e, by category. */
  readonly skew: number;
  readonly fee: number;
  readonly shape: number;
  readonly cost: number;
}

interface Sketch {
  readonly category: Category;
  readonly objective: ObjectiveKind;
  readonly tokens: readonly Token[];
  readonly venues: readonly VenueSketch[];
  /** log10 of order over depth × 4. */
  readonly size: number;
  readonly sell: number;
  readonly buy: number;
  readonly parts: readonly number[];
  readonly groups: number;
}

const FEES = [100, 500, 3000, 10_000, 0, 30] as const;
const HUGE_FEES = [999_999, 999_000, 900_000, 500_000] as const;
const MAX_UINT112 = 2n ** 112n - 1n;
const MAX_UINT128 = 2n ** 128n - 1n;
const ONE = 10n ** 18n;
/** Base units a pool may hold without being clamped to a price that is not the market's. */
const POOL_MAX = 2 ** 111;
/** |log price| beyond which no tick holds it. */
const PRICE_MAX = 80;
/** v2 and v3 pools refuse what would lift a balance beyond 2^112 or 2^128. */
const ORDER_MAX = 2 ** 108;
/** Balance of every token of a stable pool, in the pool's own units. */
const POOL_UNITS = 10n ** 24n;

const sketches = (objectives: readonly ObjectiveKind[]): fc.Arbitrary<Sketch> =>
  fc.record({
    category: fc.constantFrom(...CATEGORIES),
    objective: fc.constantFrom(...objectives),
    tokens: fc.array(
      fc.record({
        halfDigits: fc.integer({ min: 0, max: 60 }),
        decimals: fc.integer({ min: 0, max: 24 }),
        twin: fc.boolean(),
      }),
      { minLength: 2, maxLength: 10 },
    ),
    venues: fc.array(
      fc.record({
        kind: fc.nat(11),
        from: fc.nat(9),
        to: fc.nat(9),
        depth: fc.integer({ min: 12, max: 36 }),
        skew: fc.integer({ min: -100, max: 100 }),
        fee: fc.nat(5),
        shape: fc.nat(1000),
        cost: fc.nat(100),
      }),
      { minLength: 0, maxLength: 24 },
    ),
    size: fc.integer({ min: -36, max: 8 }),
    sell: fc.nat(9),
    buy: fc.nat(9),
    parts: fc.array(fc.nat(9), { minLength: 10, maxLength: 10 }),
    groups: fc.nat(3),
  });

export interface StrangeProblem {
  readonly category: Category;
  readonly objective: ObjectiveKind;
  readonly problem: Problem;
  /** Dollars per base unit of the coarsest token: the rounding no plan can avoid, per leg. */
  readonly grain: number;
}

/** Problems with any of `objectives`. */
export function strangeProblems(
  objectives: readonly ObjectiveKind[] = OBJECTIVES,
): fc.Arbitrary<StrangeProblem> {
  return sketches(objectives).map((raw) => {
    const sketch = { ...raw, tokens: tokensOf(raw) };
    return {
      category: sketch.category,
      objective: sketch.objective,
      problem: problemOf(sketch),
      grain: Math.max(...sketch.tokens.map(worthOf)),
    };
  });
}

/** Coarse tokens round prices apart, which is arbitrage: only where that is the point. */
function tokensOf({ category, tokens }: Sketch): readonly Token[] {
  const finest = category === 'dust' || category === 'offMarket' ? 0 : 16;
  const first = at(tokens, 0);
  const base = Math.max(first.halfDigits, finest);
  return tokens.map((token) => {
    const twin = base + 2 * (token.decimals - first.decimals);
    const equal = token.twin && twin >= finest && twin <= 60;
    return { ...token, halfDigits: equal ? twin : Math.max(token.halfDigits, finest) };
  });
}

/** Dollars per base unit. */
const worthOf = ({ halfDigits }: Token): number => 10 ** (-halfDigits / 2);
/** Dollars per whole token. */
const wholeOf = (token: Token): number => worthOf(token) * 10 ** token.decimals;
const nodeId = (k: number): string => `1:T${k}`;

function problemOf(sketch: Sketch): Problem {
  const { category, tokens } = sketch;
  const venues = sketch.venues.flatMap((venue, e) => venuesOf(sketch, venue, e));
  const bare = category === 'bareNodes' ? 3 : 0;
  const nodes = [...tokens, ...tokens.slice(0, bare)].map((token, k) => ({
    id: nodeId(k),
    asset: `T${k}`,
    chain: 1,
    decimals: token.decimals,
    price: decimal(worthOf(token) * 10 ** token.decimals),
  }));
  const groups = groupsOf(sketch, venues);
  return {
    version: 1,
    nodes,
    venues,
    ...(groups.length > 0 ? { groups } : {}),
    objective: objectiveOf(sketch),
    settings: {
      ...(category === 'littleWork' ? { workMax: 1 + (sketch.sell % 5) * 5 } : {}),
      ...(category === 'muchWork' ? { workMax: 50_000, gapBps: '0' } : {}),
      ...(category === 'capped' ? { venueInputCap: '1.05' } : {}),
    },
  };
}

function groupsOf({ category, groups }: Sketch, venues: readonly ProblemVenue[]) {
  if (category !== 'fixedCosts' || venues.length === 0) return [];
  return Array.from({ length: groups }, (_, g) => ({
    id: `g${g}`,
    fixedCost: `${g + 1}.5`,
    venues: venues.filter((_, e) => e % (g + 1) === 0).map(({ id }) => id),
  }));
}

/** One venue, or several copies of it. */
function venuesOf(sketch: Sketch, venue: VenueSketch, e: number): readonly ProblemVenue[] {
  const { tokens, category } = sketch;
  const count = tokens.length;
  // Islands: venues join only nodes of one parity.
  const step = category === 'islands' && count > 2 ? 2 : 1;
  const a = venue.from % count;
  const b = (a + step * (1 + (venue.to % Math.max(1, Math.ceil(count / step) - 1)))) % count;
  if (a === b) return [];
  const copies = category === 'copies' ? 1 + (venue.shape % 3) : 1;
  return Array.from({ length: copies }, (_, copy) => ({
    ...bodyOf(sketch, venue, a, b),
    id: `v${e}${copy === 0 ? '' : `.${copy}`}`,
    fixedCost: category === 'fixedCosts' ? `${venue.cost / 10}` : '0',
  }));
}

type Body<V = ProblemVenue> = V extends ProblemVenue ? Omit<V, 'id' | 'fixedCost'> : never;

function bodyOf(sketch: Sketch, venue: VenueSketch, a: number, b: number): Body {
  const { category } = sketch;
  const [from, to] = [sketch.tokens[a], sketch.tokens[b]];
  if (from === undefined || to === undefined) throw new Error('no such token');
  const nodes = [nodeId(a), nodeId(b)] as const;
  const feePips =
    category === 'hugeFees'
      ? pick(HUGE_FEES, venue.fee)
      : category === 'equalPrices'
        ? 0
        : pick(FEES, venue.fee);
  // On the market, prices differ by less than the fee, so that no loop earns.
  const spread =
    category === 'offMarket' ? 1 : category === 'equalPrices' ? 0 : (0.45 * feePips) / 1e6;
  const price = (worthOf(from) / worthOf(to)) * Math.exp((venue.skew / 100) * spread);
  const dollars =
    category === 'dust' && venue.shape % 2 === 0
      ? 0
      : Math.min(10 ** (venue.depth / 4), POOL_MAX * Math.min(worthOf(from), worthOf(to)));
  const [fromUnits, toUnits] = [dollars / worthOf(from), (dollars / worthOf(from)) * price];
  switch (venue.kind) {
    case 0:
    case 1:
    case 2:
      if (Math.abs(Math.log(price)) > PRICE_MAX) break;
      return concentrated(sketch, venue, nodes, price, fromUnits, feePips);
    case 3:
    case 4: {
      const rate = price * (1 - 0.0001 - (venue.shape % 100) / 1e4);
      const amountIn = units(fromUnits);
      return {
        kind: 'order',
        nodes,
        amountIn: `${amountIn}`,
        amountOut: `${units(Number(amountIn) * rate)}`,
      };
    }
    case 5:
      // Bridges keep the number of whole tokens: between others they are a gift or a loss.
      if (category !== 'offMarket' && Math.abs(Math.log(wholeOf(from) / wholeOf(to))) > 1e-9) break;
      return bridge(venue, nodes, to, toUnits, feePips);
    case 6:
      if (category !== 'pools') break;
      return weighted(venue, nodes, fromUnits, toUnits, feePips);
    case 7:
      if (category !== 'pools') break;
      return stable(venue, nodes, fromUnits, toUnits, feePips);
  }
  return {
    kind: 'constantProduct',
    nodes,
    reserves: [
      `${atMost(units(fromUnits), MAX_UINT112)}`,
      `${atMost(units(toUnits), MAX_UINT112)}`,
    ],
    feePips,
  };
}

function concentrated(
  { category }: Sketch,
  venue: VenueSketch,
  nodes: readonly [string, string],
  price: number,
  fromUnits: number,
  feePips: number,
): Body {
  const wide = 1 + (venue.shape % 50) * 60;
  const raw = Math.floor(Math.log(price) / Math.log(1.0001));
  const tick = Math.max(MIN_TICK + wide, Math.min(MAX_TICK - wide - 1, raw));
  const low = sqrtRatioAtTick(tick);
  const exact = units(Math.sqrt(price) * 2 ** 96);
  const sqrtPrice = raw === tick && low < exact && exact < sqrtRatioAtTick(tick + 1) ? exact : low;
  const root = 1.0001 ** (tick / 2);
  const empty = category === 'zeroLiquidity' && venue.shape % 3 > 0;
  const amount = empty ? 0n : atMost(units(fromUnits * root), MAX_UINT128 / 2n);
  const ticks: (readonly [number, string])[] = [];
  if (amount > 0n) ticks.push([tick - wide, `${amount}`], [tick + wide, `${-amount}`]);
  // Liquidity that lies only away from the price.
  else if (venue.shape % 3 === 2) ticks.push([tick + 1, '1000000'], [tick + wide + 1, '-1000000']);
  return {
    kind: 'concentrated',
    nodes,
    sqrtPriceX96: `${sqrtPrice}`,
    tick,
    liquidity: `${amount}`,
    feePips,
    tickSpacing: 1,
    ticks,
  };
}

function bridge(
  venue: VenueSketch,
  nodes: readonly [string, string],
  to: Token,
  toUnits: number,
  feePips: number,
): Body {
  const fixedFee = venue.shape % 2 === 0 ? 0n : units((venue.shape % 100) / 100 / worthOf(to));
  return { kind: 'bridge', nodes, feePips, fixedFee: `${fixedFee}`, capacity: `${units(toUnits)}` };
}

function weighted(
  venue: VenueSketch,
  nodes: readonly [string, string],
  fromUnits: number,
  toUnits: number,
  feePips: number,
): Body {
  const weight = BigInt(1 + (venue.shape % 99)) * (ONE / 100n);
  const share = Number(weight) / 1e18;
  return {
    kind: 'weighted',
    nodes,
    balances: [
      `${atMost(units(fromUnits * share), MAX_UINT112)}`,
      `${atMost(units(toUnits * (1 - share)), MAX_UINT112)}`,
    ],
    weights: [`${weight}`, `${ONE - weight}`],
    scalingFactors: [`${ONE}`, `${ONE}`],
    swapFee: `${BigInt(feePips) * 10n ** 12n}`,
  };
}

/** Scaling factors bring both balances to the same number of the pool's own units. */
function stable(
  venue: VenueSketch,
  nodes: readonly [string, string],
  fromUnits: number,
  toUnits: number,
  feePips: number,
): Body {
  const balances = [atMost(units(fromUnits), MAX_UINT112), atMost(units(toUnits), MAX_UINT112)];
  const factors = balances.map((balance) => atMost((POOL_UNITS * ONE) / balance, 2n ** 144n - 1n));
  return {
    kind: 'stable',
    nodes,
    balances: balances.map(String),
    amplification: `${BigInt(1 + venue.shape) * 1000n}`,
    amplificationPrecision: '1000',
    scalingFactors: factors.map(String),
    swapFee: `${BigInt(feePips) * 10n ** 12n}`,
  };
}

function objectiveOf(sketch: Sketch): Objective {
  const { tokens, objective } = sketch;
  const count = tokens.length;
  const sell = sketch.sell % count;
  const buy = (sell + 1 + (sketch.buy % (count - 1))) % count;
  const depths = sketch.venues.map(({ depth }) => 10 ** (depth / 4));
  const wanted = (depths.length > 0 ? Math.max(...depths) : 1e6) * 10 ** (sketch.size / 4);
  const most = ORDER_MAX * Math.min(...tokens.map(worthOf));
  const order = sketch.category === 'offMarket' ? wanted : Math.min(wanted, most);
  const amountAt = (k: number, dollars: number) => `${units(dollars / worthOf(at(tokens, k)))}`;
  if (objective === 'swap') {
    return {
      kind: 'swap',
      sell: { node: nodeId(sell), amount: amountAt(sell, order) },
      buy: nodeId(buy),
    };
  }
  if (objective === 'batch') return batchOf(sketch, order);
  const targetCount = Math.min(count, 1 + (sketch.groups % 4));
  const targets = Array.from({ length: targetCount }, (_, g) => ({
    nodes: tokens
      .map((_, k) => k)
      .filter((k) => (k < targetCount ? k === g : (sketch.parts[k] ?? 0) % (targetCount + 1) === g))
      .map(nodeId),
    weight: weightOf(g, targetCount),
  }));
  const holdings = Object.fromEntries(
    tokens.map((_, k) => {
      const part = k === 0 ? 1 : (sketch.parts[k] ?? 0) / 10;
      return [nodeId(k), part > 0 ? amountAt(k, order * part) : '0'];
    }),
  );
  if (objective === 'rebalance') return { kind: 'rebalance', holdings, targets };
  const covariance = targets.map((_, i) => targets.map((_, j) => (i === j ? '0.25' : '0.1')));
  return { kind: 'rebalance', holdings, targets, risk: { aversion: '3', covariance } };
}

/** Limits up to 2 % around the market, so that some orders can be filled and some cannot. */
function batchOf(sketch: Sketch, order: number): Objective {
  const count = sketch.tokens.length;
  const orders = sketch.parts.slice(0, 1 + sketch.groups * 2).map((part, k) => {
    const sell = (sketch.sell + part) % count;
    const buy = (sell + 1 + ((sketch.buy + k) % (count - 1))) % count;
    const [from, to] = [at(sketch.tokens, sell), at(sketch.tokens, buy)];
    const dollars = order * (0.1 + part / 10);
    const amount = units(dollars / worthOf(from));
    const limit = 0.98 + part / 250;
    return {
      id: `o${k}`,
      sell: { node: nodeId(sell), amount: `${amount}` },
      buy: nodeId(buy),
      minOut: `${units((Number(amount) * worthOf(from) * limit) / worthOf(to))}`,
      partial: k % 2 === 0,
    };
  });
  return { kind: 'batch', orders };
}

/** Exact decimals that sum to 1: halves, the last one twice. */
function weightOf(g: number, count: number): string {
  return ['1', '0.5', '0.25', '0.125'][g + 1 === count ? g : g + 1] ?? '0.125';
}

function at<T>(items: readonly T[], k: number): T {
  const item = items[k];
  if (item === undefined) throw new Error(`nothing at ${k}`);
  return item;
}
const pick = <T>(items: readonly T[], k: number): T => at(items, k % items.length);
const atMost = (value: bigint, max: bigint): bigint => (value < max ? value : max);
