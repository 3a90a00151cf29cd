// Seeded markets of any size for the bench and the regression corpus: every venue kind, pools whose
// prices agree within their fees, base units that differ by many orders of magnitude. What it makes
// for a seed must never change: recorded values are compared with it (test/regression holds the
// digests). Kinds are documented at `KINDS`; orders and instances are drawn in problems.ts.

import type { ProblemGroup, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { decimal, positions, type Random, random, units } from '../engine/generate.ts';

/**
 * smooth     constant product and, one in four, concentrated pools
 * mixed      all kinds: also weighted and stable pools, resting orders, bridges between chains
 * linear     smooth, with 10 … 60 % resting orders
 * fixedCost  smooth, every venue costs gas, every chain costs a transaction; inputs are capped
 */
export const KINDS = ['smooth', 'mixed', 'linear', 'fixedCost'] as const;
export type Kind = (typeof KINDS)[number];

export interface Size {
  readonly pools: number;
  readonly tokens: number;
}

export interface Token {
  readonly id: string;
  readonly decimals: number;
  readonly chain: number;
  /** Dollars per base unit, the price all venues agree on. */
  readonly worth: number;
}

export interface Network {
  readonly tokens: readonly Token[];
  readonly nodes: readonly ProblemNode[];
  readonly venues: readonly ProblemVenue[];
  readonly groups: readonly ProblemGroup[];
  /** Dollars in a typical pool's one side. */
  readonly depth: number;
}

const CHAINS = 3;

/** A connected market. The same arguments give the same market on every machine. */
export function network(seed: number, kind: Kind, { pools, tokens: count }: Size): Network {
  const rng = random(seed);
  const tokens = drawTokens(rng, kind, count);
  const depth = 10 ** rng.between(5, 8);
  const linear = kind === 'linear' ? rng.between(0.1, 0.6) : 0;
  const draw = { rng, kind, tokens, depth, linear };
  const venues = Array.from({ length: pools }, (_, e) => drawVenue(draw, e));
  return {
    tokens,
    nodes: tokens.map(toNode),
    venues,
    groups: drawGroups(rng, kind, venues),
    depth,
  };
}

function toNode({ id, decimals, chain, worth }: Token): ProblemNode {
  return { id, asset: id, chain, decimals, price: decimal(worth * 10 ** decimals) };
}

function drawTokens(rng: Random, kind: Kind, count: number): readonly Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < count; i++) {
    const decimals = rng.integer(6, 18);
    const worth = 10 ** -rng.between(12, 24);
    // Three of ten tokens of a mixed market are the previous one on another chain: bridges join them.
    const twin = kind === 'mixed' && i > 0 && rng.next() < 0.3 ? tokens[i - 1] : undefined;
    tokens.push(
      twin === undefined
        ? { id: `T${i}`, decimals, chain: 1 + (i % CHAINS), worth }
        : {
            id: `T${i}`,
            decimals: twin.decimals,
            chain: 1 + (twin.chain % CHAINS),
            worth: twin.worth,
          },
    );
  }
  return tokens;
}

interface Draw {
  readonly rng: Random;
  readonly kind: Kind;
  readonly tokens: readonly Token[];
  readonly depth: number;
  readonly linear: number;
}

function drawVenue(draw: Draw, e: number): ProblemVenue {
  const { rng, kind, tokens, depth, linear } = draw;
  const count = tokens.length;
  // The first count − 1 venues are a random tree, so that everything is connected.
  const tree = e < count - 1;
  const b = tree ? e + 1 : rng.integer(0, count - 1);
  const a = tree ? rng.integer(0, e) : (b + rng.integer(1, count - 1)) % count;
  const [from, to] = [at(tokens, a), at(tokens, b)];
  const worth = depth * 10 ** rng.between(-2, 0.5);
  const cost = kind === 'fixedCost' ? decimal(10 ** rng.between(-1, 0.7)) : '0';
  const base = { id: `v${e}`, fixedCost: cost };
  const lot = rng.next();
  if (!tree && lot < linear) return { ...base, ...order(rng, from, to, worth) };
  if (kind === 'mixed' && !tree) {
    if (lot < 0.15) return { ...base, ...order(rng, from, to, worth) };
    if (lot < 0.22) return { ...base, ...bridge(rng, tokens, worth) };
    if (lot < 0.34) return { ...base, ...weighted(rng, tokens, a, worth) };
    if (lot < 0.42) return { ...base, ...stable(rng, tokens, a, worth) };
  }
  return { ...base, ...pool(rng, from, to, worth) };
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`);
  return item;
}

/** A price off the agreed one by less than half the fee, so that no loop earns. */
const offset = (rng: Random, fee: number) => Math.exp(rng.between(-0.45, 0.45) * fee);

function pool(rng: Random, from: Token, to: Token, worth: number) {
  const feePips = rng.pick([100, 500, 3000, 10_000]);
  const price = (from.worth / to.worth) * offset(rng, feePips / 1e6);
  const nodes = [from.id, to.id] as const;
  if (rng.next() < 0.25) {
    return {
      kind: 'concentrated' as const,
      nodes,
      feePips,
      ...positions(rng, price, feePips, () => (worth / from.worth) * Math.sqrt(price)),
    };
  }
  const reserve = worth / from.worth;
  const reserves = [units(reserve).toString(), units(reserve * price).toString()] as const;
  return { kind: 'constantProduct' as const, nodes, reserves, feePips };
}

/** Worse than the agreed price by 2 … 100 bps, up to a tenth of a percent … all of `worth`. */
function order(rng: Random, from: Token, to: Token, worth: number) {
  const amountIn = units((worth * 10 ** rng.between(-3, 0)) / from.worth);
  const rate = (from.worth / to.worth) * (1 - rng.between(0.0002, 0.01));
  return {
    kind: 'order' as const,
    nodes: [from.id, to.id] as const,
    amountIn: amountIn.toString(),
    amountOut: units(Number(amountIn) * rate).toString(),
  };
}

/** Joins a token with itself on another chain; an order where the market has no such pair. */
function bridge(rng: Random, tokens: readonly Token[], worth: number) {
  const first = rng.integer(1, tokens.length - 1);
  for (let k = 0; k < tokens.length - 1; k++) {
    const i = 1 + ((first - 1 + k) % (tokens.length - 1));
    const [a, b] = [at(tokens, i - 1), at(tokens, i)];
    if (a.worth !== b.worth || a.decimals !== b.decimals) continue;
    const [from, to] = rng.next() < 0.5 ? [a, b] : [b, a];
    return {
      kind: 'bridge' as const,
      nodes: [from.id, to.id] as const,
      feePips: rng.integer(0, 1000),
      fixedFee: units(rng.between(0, 1) / to.worth).toString(),
      capacity: units((worth * 10 ** rng.between(-2, 1)) / to.worth).toString(),
    };
  }
  return order(rng, at(tokens, first - 1), at(tokens, first), worth);
}

const E18 = 10n ** 18n;

function members(rng: Random, tokens: readonly Token[], first: number, most: number) {
  const count = Math.min(rng.integer(2, most), tokens.length);
  const chosen = new Set([first]);
  while (chosen.size < count) chosen.add(rng.integer(0, tokens.length - 1));
  return [...chosen].map((index) => at(tokens, index));
}

function weighted(rng: Random, tokens: readonly Token[], first: number, worth: number) {
  const inside = members(rng, tokens, first, 8);
  const shares = inside.map(() => rng.integer(4, 20));
  const sum = shares.reduce((x, y) => x + y, 0);
  const weights = shares.map((share) => (BigInt(share) * E18) / BigInt(sum));
  weights[0] = at(weights, 0) + E18 - weights.reduce((x, y) => x + y, 0n);
  const fee = rng.pick([0.0005, 0.002, 0.003, 0.01]);
  return {
    kind: 'weighted' as const,
    nodes: inside.map(({ id }) => id),
    // Balance ∝ weight / price puts every pair's price at the agreed one.
    balances: inside.map((token, k) =>
      units(
        ((worth * at(shares, k) * inside.length) / sum / token.worth) * offset(rng, fee / 2),
      ).toString(),
    ),
    weights: weights.map(String),
    scalingFactors: inside.map(({ decimals }) => (10n ** BigInt(18 - decimals) * E18).toString()),
    swapFee: units(fee * 1e18).toString(),
  };
}

/**
 * Out of balance by up to a factor of two, and rates in the scaling factors that put every pair's price
 * at the agreed one all the same, as with staked tokens.
 */
function stable(rng: Random, tokens: readonly Token[], first: number, worth: number) {
  const inside = members(rng, tokens, first, 5);
  const fee = rng.pick([0.0001, 0.0004, 0.001]);
  const amplification = rng.integer(20, 500);
  const upscaled = inside.map(() => worth * 10 ** rng.between(-0.15, 0.15));
  const prices = stablePrices(upscaled, amplification).map((price) => price * offset(rng, fee / 2));
  return {
    kind: 'stable' as const,
    nodes: inside.map(({ id }) => id),
    balances: inside.map((token, k) =>
      units((at(upscaled, k) * at(prices, k)) / token.worth).toString(),
    ),
    amplification: (amplification * 1000).toString(),
    amplificationPrecision: '1000',
    // Upscaled = raw · factor / 10^18, in units of 10^-18; one base unit is worth worth/price of them.
    scalingFactors: inside.map((token, k) =>
      units((token.worth / at(prices, k)) * 1e36).toString(),
    ),
    swapFee: units(fee * 1e18).toString(),
  };
}

/** Marginal prices Ann + D^(n+1)/(nⁿ Πz)/z_i of a stable pool, their mean 1. */
function stablePrices(z: readonly number[], amplification: number): readonly number[] {
  const n = z.length;
  const ann = amplification * n;
  const sum = z.reduce((x, y) => x + y, 0);
  const power = (d: number) => z.reduce((product, value) => (product * d) / (n * value), d);
  let d = sum;
  // Newton on Ann·Σz + D = Ann·D + D^(n+1)/(nⁿ Πz) from above: monotone.
  for (let k = 0; k < 60; k++)
    d = ((ann * sum + n * power(d)) * d) / ((ann - 1) * d + (n + 1) * power(d));
  const raw = z.map((value) => ann + power(d) / value);
  const mean = raw.reduce((x, y) => x + y, 0) / n;
  return raw.map((price) => price / mean);
}

/** With fixed costs: one transaction per third of the venues, as if each third were a chain. */
function drawGroups(
  rng: Random,
  kind: Kind,
  venues: readonly ProblemVenue[],
): readonly ProblemGroup[] {
  if (kind !== 'fixedCost') return [];
  return Array.from({ length: CHAINS }, (_, g) => ({
    id: `transaction on chain ${g + 1}`,
    fixedCost: decimal(10 ** rng.between(-0.5, 0.5)),
    venues: venues.filter((_, e) => e % CHAINS === g).map(({ id }) => id),
  }));
}
