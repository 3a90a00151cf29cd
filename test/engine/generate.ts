// Seeded random problems for the engine's tests: pools whose prices agree within their fees (so no
// loop of pure arbitrage, which a bound covers and an executable plan cannot take), tokens whose
// base units span 10^0 … 10^30, orders from 1e-9 to 100 times the depth.

import { sqrtRatioAtTick } from '../../solver/market/exact/tickMath.ts';
import type { Problem, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** An integer in [low, high]. */
  integer(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

/** SplitMix32: enough for tests, the same everywhere. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    integer,
    pick: <T>(items: readonly T[]): T => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}

/** A positive float as an integer of base units, at least 1. */
export function units(value: number): bigint {
  if (value < 1) return 1n;
  return value < 2 ** 53 ? BigInt(Math.round(value)) : BigInt(value);
}

/** A positive float as a plain decimal of 36 places, at least 1e-36. */
export function decimal(value: number): string {
  const exponent = Math.floor(Math.log10(value));
  const digits = BigInt(Math.round(value * 10 ** (15 - exponent)));
  const shift = exponent - 15 + 36;
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  const text = (scaled > 0n ? scaled : 1n).toString().padStart(37, '0');
  const fraction = text.slice(-36).replace(/0+$/, '');
  return fraction === '' ? text.slice(0, -36) : `${text.slice(0, -36)}.${fraction}`;
}

export interface Mix {
  readonly nodes: readonly [number, number];
  readonly venuesPerNode: readonly [number, number];
  /** Share of venues that are orders or bridges. */
  readonly linear: number;
  readonly concentrated: number;
  /** Dollars per venue, 0 for none. */
  readonly fixedCost: number;
  /** log10 of order over depth. */
  readonly size: readonly [number, number];
  /** log10 of base units per dollar. */
  readonly unitsPerDollar: readonly [number, number];
}

export const SMOOTH: Mix = {
  nodes: [2, 12],
  venuesPerNode: [1, 5],
  linear: 0,
  concentrated: 0.3,
  fixedCost: 0,
  size: [-9, 2],
  unitsPerDollar: [0, 24],
};

interface Token {
  readonly id: string;
  readonly decimals: number;
  /** Dollars per base unit, the price the pools agree on. */
  readonly worth: number;
}

export interface Generated {
  readonly problem: Problem;
  /** Dollars per base unit of the coarsest token: the rounding no plan can avoid, per leg. */
  readonly grain: number;
}

/** A connected network and a swap or a rebalance over it. */
export function generate(seed: number, mix: Mix, kind: 'swap' | 'rebalance'): Generated {
  const rng = random(seed);
  const count = rng.integer(...mix.nodes);
  const tokens = Array.from({ length: count }, (_, i): Token => {
    const unitsPerDollar = 10 ** rng.between(...mix.unitsPerDollar);
    return { id: `1:T${i}`, decimals: rng.integer(0, 18), worth: 1 / unitsPerDollar };
  });
  const nodes = tokens.map(
    ({ id, decimals, worth }): ProblemNode => ({
      id,
      asset: id.slice(2),
      chain: 1,
      decimals,
      price: decimal(worth * 10 ** decimals),
    }),
  );
  const depth = 10 ** rng.between(5, 8);
  const extra = Math.floor(count * rng.between(...mix.venuesPerNode));
  const venues = Array.from({ length: count - 1 + extra }, (_, e): ProblemVenue => {
    // The first count − 1 venues are a random tree, so that everything is connected.
    const b = e < count - 1 ? e + 1 : rng.integer(0, count - 1);
    const a = e < count - 1 ? rng.integer(0, e) : (b + rng.integer(1, count - 1)) % count;
    const [from, to] = [tokens[a], tokens[b]];
    if (from === undefined || to === undefined) throw new Error('no such token');
    const linear = e >= count - 1 && rng.next() < mix.linear;
    const worth = depth * 10 ** rng.between(-2, 0.5);
    const cost = mix.fixedCost > 0 ? decimal(mix.fixedCost * rng.between(0.2, 2)) : '0';
    const base = { id: `v${e}`, fixedCost: cost };
    if (linear) return { ...base, ...linearVenue(rng, from, to, worth) };
    return { ...base, ...pool(rng, from, to, worth, mix.concentrated) };
  });
  const order = depth * 10 ** rng.between(...mix.size);
  return {
    problem: { version: 1, nodes, venues, objective: objective(rng, tokens, order, kind) },
    grain: Math.max(...tokens.map(({ worth }) => worth)),
  };
}

function objective(
  rng: Random,
  tokens: readonly Token[],
  order: number,
  kind: 'swap' | 'rebalance',
): Problem['objective'] {
  if (kind === 'swap') {
    const sell = rng.integer(0, tokens.length - 1);
    const buy = (sell + rng.integer(1, tokens.length - 1)) % tokens.length;
    const [from, to] = [tokens[sell], tokens[buy]];
    if (from === undefined || to === undefined) throw new Error('no such token');
    const amount = units(order / from.worth).toString();
    return { kind, sell: { node: from.id, amount }, buy: to.id };
  }
  const parts = tokens.map(() => (rng.next() < 0.3 ? 0 : rng.next()));
  const sum = parts.reduce((a, b) => a + b, 0) || 1;
  const holdings = Object.fromEntries(
    tokens.map(({ id, worth }, i) => {
      const part = sum === 1 && i === 0 ? 1 : (parts[i] ?? 0) / sum;
      return [id, (part > 0 ? units((order * part) / worth) : 0n).toString()];
    }),
  );
  // Up to four targets of one or more nodes; the last weight makes the sum exactly 1.
  const groups = Math.min(rng.integer(2, 4), tokens.length);
  const members = tokens.map((_, i) => (i < groups ? i : rng.integer(-1, groups - 1)));
  const weights = Array.from({ length: groups - 1 }, () => rng.integer(5, Math.floor(90 / groups)));
  const last = 100 - weights.reduce((a, b) => a + b, 0);
  const targets = [...weights, last].map((weight, g) => ({
    nodes: tokens.filter((_, i) => members[i] === g).map(({ id }) => id),
    weight: `0.${String(weight).padStart(2, '0')}`,
  }));
  return { kind, holdings, targets };
}

/** A price off the agreed one by less than half the fee, so that no loop earns. */
function offset(rng: Random, feePips: number): number {
  return Math.exp(rng.between(-0.45, 0.45) * (feePips / 1e6));
}

function pool(rng: Random, from: Token, to: Token, worth: number, concentrated: number) {
  const feePips = rng.pick([100, 500, 3000, 10_000]);
  const price = (from.worth / to.worth) * offset(rng, feePips);
  const nodes = [from.id, to.id] as const;
  const tick = Math.floor(Math.log(price) / Math.log(1.0001));
  if (rng.next() < concentrated && Math.abs(tick) < 700_000) {
    return {
      kind: 'concentrated' as const,
      nodes,
      feePips,
      // In-range virtual reserve of token0 is L/√P.
      ...positions(rng, price, feePips, (tick) => (worth / from.worth) * Math.sqrt(1.0001 ** tick)),
    };
  }
  const reserve = worth / from.worth;
  const reserves = [units(reserve).toString(), units(reserve * price).toString()] as const;
  return { kind: 'constantProduct' as const, nodes, reserves, feePips };
}

const SPACING: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };

/**
 * A concentrated pool at `price` of one to six overlapping positions, the first of which holds the
 * price; `unitAt` is the liquidity a typical one has, by the pool's tick.
 */
export function positions(
  rng: Random,
  price: number,
  feePips: number,
  unitAt: (tick: number) => number,
) {
  const spacing = SPACING[feePips] ?? 1;
  const sqrtPrice = units(Math.sqrt(price) * 2 ** 96);
  let tick = Math.floor(Math.log(price) / Math.log(1.0001));
  while (sqrtRatioAtTick(tick) > sqrtPrice) tick--;
  while (sqrtRatioAtTick(tick + 1) <= sqrtPrice) tick++;
  const unit = unitAt(tick);
  const around = Math.floor(tick / spacing) * spacing;
  const net = new Map<number, bigint>();
  const add = (lower: number, upper: number, liquidity: bigint) => {
    net.set(lower, (net.get(lower) ?? 0n) + liquidity);
    net.set(upper, (net.get(upper) ?? 0n) - liquidity);
  };
  let active = 0n;
  const count = rng.integer(1, 6);
  for (let k = 0; k < count; k++) {
    const width = Math.ceil(rng.between(200, 30_000) / spacing) * spacing;
    const shift = k === 0 ? 0 : Math.round(rng.between(-1, 1) * (width / spacing)) * spacing;
    const [lower, upper] = [around - width + shift, around + width + shift];
    const liquidity = units(unit * rng.between(0.2, 2) * (k === 0 ? 1 : 3));
    add(lower, upper, liquidity);
    if (lower <= tick && tick < upper) active += liquidity;
  }
  return {
    sqrtPriceX96: sqrtPrice.toString(),
    tick,
    liquidity: active.toString(),
    ticks: [...net]
      .filter(([, liquidity]) => liquidity !== 0n)
      .toSorted(([a], [b]) => a - b)
      .map(([at, liquidity]) => [at, liquidity.toString()] as const),
  };
}

function linearVenue(rng: Random, from: Token, to: Token, worth: number) {
  const nodes = [from.id, to.id] as const;
  const capacity = worth * 10 ** rng.between(-3, 0);
  if (rng.next() < 0.5) {
    const rate = (from.worth / to.worth) * (1 - rng.between(0.0002, 0.01));
    const amountIn = units(capacity / from.worth);
    const amountOut = units(Number(amountIn) * rate);
    return {
      kind: 'order' as const,
      nodes,
      amountIn: amountIn.toString(),
      amountOut: amountOut.toString(),
    };
  }
  // A bridge keeps the number of whole tokens; between different tokens that is an order.
  const rate = from.worth / to.worth;
  const amountIn = units(capacity / from.worth);
  return {
    kind: 'order' as const,
    nodes,
    amountIn: amountIn.toString(),
    amountOut: units(Number(amountIn) * rate * (1 - rng.between(0.0001, 0.002))).toString(),
  };
}
