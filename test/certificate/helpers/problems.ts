// Random problems of every kind and random prices for the checker's property tests, from a seeded
// source.

import { fixed36, formatDecimal, formatFixed36 } from '../../../solver/market/decimal.ts';
import { sqrtRatioAtTick } from '../../../solver/market/exact/tickMath.ts';
import type { ParsedProblem } from '../../../solver/market/parsedProblem.ts';
import { parseProblem } from '../../../solver/market/problemFile.ts';
import type {
  ConcentratedVenue,
  Objective,
  Problem,
  ProblemNode,
  ProblemVenue,
} from '../../../solver/types/problem.ts';
import type { Random } from '../../market/helpers/random.ts';

export type Kind = 'swap' | 'balanced' | 'risk' | 'batch';
export const KINDS: readonly Kind[] = ['swap', 'balanced', 'risk', 'batch'];

interface Asset {
  readonly name: string;
  readonly price: number;
}

export function randomProblem(random: Random, kind: Kind): ParsedProblem {
  const assets: Asset[] = [
    { name: 'USD', price: 1 },
    { name: 'ETH', price: 3000 * (0.5 + random.unit()) },
    { name: 'BTC', price: 60_000 * (0.5 + random.unit()) },
    { name: 'DUST', price: 10 ** -random.int(0, 9) },
  ];
  const used = assets.slice(0, random.int(2, 4));
  const chains = random.int(1, 2);
  const nodes: ProblemNode[] = [];
  const truth: number[] = [];
  for (let chain = 1; chain <= chains; chain++) {
    for (const { name, price } of used) {
      const through = kind === 'swap' && name === 'BTC' && random.chance(0.5);
      nodes.push({
        id: `${chain}:${name}`,
        asset: name,
        chain,
        decimals: random.pick([6, 8, 18]),
        ...(through ? {} : { price: price.toFixed(12) }),
      });
      truth.push(price);
    }
  }
  const count = random.int(1, 7);
  const venues = Array.from({ length: count }, (_, i) => randomVenue(random, i, nodes, truth));
  const groups = random.chance(0.5)
    ? Array.from({ length: random.int(1, 2) }, (_, i) => ({
        id: `g${i}`,
        fixedCost: (random.unit() * 5).toFixed(4),
        venues: venues.filter((_, v) => v === i % count || random.chance(0.4)).map(({ id }) => id),
      }))
    : [];
  const objective = randomObjective(random, kind, nodes, truth);
  const problem: Problem = {
    version: 1,
    nodes,
    venues,
    groups,
    objective,
    ...(random.chance(0.3)
      ? { settings: { venueInputCap: random.pick(['1.05', '0.3', '2']) } }
      : {}),
  };
  return parseProblem(problem);
}

/** Dollars of a token with this price and decimals, as base units. */
function units(dollars: number, price: number, decimals: number): bigint {
  const value = Math.max(1, (dollars / price) * 10 ** decimals);
  return BigInt(Math.floor(Math.min(value, 1e29)));
}

function randomVenue(
  random: Random,
  index: number,
  nodes: readonly ProblemNode[],
  truth: readonly number[],
): ProblemVenue {
  const a = random.int(0, nodes.length - 1);
  const b = (a + random.int(1, nodes.length - 1)) % nodes.length;
  const [nodeA, nodeB] = [nodes[a], nodes[b]];
  const [priceA, priceB] = [truth[a], truth[b]];
  if (!nodeA || !nodeB || !priceA || !priceB) throw new Error('no such node');
  const base = {
    id: `v${index}`,
    nodes: [nodeA.id, nodeB.id] as const,
    fixedCost: random.chance(0.5) ? '0' : (random.unit() * 3).toFixed(3),
  };
  const depth = 10 ** (2 + random.unit() * 6);
  const skew = 1 + (random.unit() - 0.5) * 0.06;
  const feePips = random.pick([0, 100, 500, 3000, 10_000, 250_000]);
  switch (random.pick(VENUE_KINDS)) {
    case 'weighted':
    case 'stable':
      return manyNodes(random, base, nodes, truth, depth);
    case 'constantProduct':
      return {
        ...base,
        kind: 'constantProduct',
        reserves: [
          units(depth, priceA, nodeA.decimals).toString(),
          units(depth * skew, priceB, nodeB.decimals).toString(),
        ],
        feePips,
      };
    case 'order':
      return {
        ...base,
        kind: 'order',
        amountIn: units(depth, priceA, nodeA.decimals).toString(),
        amountOut: units(depth * skew, priceB, nodeB.decimals).toString(),
      };
    case 'bridge': {
      const rate = nodeA.asset === nodeB.asset ? 1 : priceA / priceB;
      // A bridge has rate 1 between decimals: between unlike assets it is a windfall or a trap.
      const capacity = units(rate > 1 ? 10 : depth, priceB, nodeB.decimals).toString();
      const fixedFee = units(random.unit(), priceB, nodeB.decimals).toString();
      return { ...base, kind: 'bridge', feePips, fixedFee, capacity };
    }
    case 'concentrated': {
      const price = (priceB * 10 ** nodeA.decimals) / (priceA * 10 ** nodeB.decimals);
      const tick = Math.round(-Math.log(price * skew) / Math.log(1.0001));
      return {
        ...base,
        ...concentrated(random, tick, feePips, units(depth, priceA, nodeA.decimals)),
      };
    }
  }
}

const VENUE_KINDS = [
  'constantProduct',
  'concentrated',
  'order',
  'bridge',
  'weighted',
  'stable',
] as const;

/** A Balancer pool of 2 to 5 nodes, balanced or not, sometimes all but empty. */
function manyNodes(
  random: Random,
  base: { readonly id: string; readonly fixedCost: string },
  nodes: readonly ProblemNode[],
  truth: readonly number[],
  depth: number,
): ProblemVenue {
  const order = nodes.map((_, i) => ({ i, key: random.unit() })).sort((a, b) => a.key - b.key);
  const members = order.slice(0, random.int(2, Math.min(5, nodes.length))).map(({ i }) => i);
  const kind = random.pick(['weighted', 'stable'] as const);
  const parts = members.map(() => random.int(1, random.pick([1, 9, 60])));
  const sum = parts.reduce((total, part) => total + part, 0);
  let left = 10n ** 18n;
  const weights = parts.map((part, k) => {
    const share = BigInt(Math.max(20_000, Math.floor((part / sum) * 900_000))) * 10n ** 12n;
    const weight = k === parts.length - 1 ? left : share;
    left -= share;
    return weight;
  });
  const empty = random.chance(0.1) ? 10 ** -random.int(1, 12) : 1;
  const common = {
    id: base.id,
    fixedCost: base.fixedCost,
    nodes: members.map((i) => nodes[i]?.id ?? ''),
    swapFee: (10n ** 14n * BigInt(random.pick([0, 1, 4, 30, 100, 2500]))).toString(),
  };
  const held = (i: number, share: number) => {
    const { decimals } = nodes[i] ?? { decimals: 0 };
    const skew = 1 + (random.unit() - 0.5) * 0.06;
    return units(depth * share * skew * empty, truth[i] ?? 1, decimals);
  };
  if (kind === 'weighted') {
    return {
      ...common,
      kind,
      weights: weights.map(String),
      balances: members.map((i, k) => held(i, Number(weights[k]) / 1e18).toString()),
      scalingFactors: members.map((i) => scalingFactor(nodes[i], 1).toString()),
    };
  }
  const off = random.pick([0, 0.5, 4]);
  return {
    ...common,
    kind,
    amplification: (random.pick([1, 10, 200, 5000]) * 1000).toString(),
    amplificationPrecision: '1000',
    balances: members.map((i) => held(i, Math.exp(off * (random.unit() - 0.5))).toString()),
    // Rates make one dollar one unit of the curve, whatever the tokens are.
    scalingFactors: members.map((i) => scalingFactor(nodes[i], truth[i] ?? 1).toString()),
  };
}

function scalingFactor(node: ProblemNode | undefined, rate: number): bigint {
  const scaled = BigInt(Math.round(rate * 1e12)) * 10n ** BigInt(24 - (node?.decimals ?? 0));
  return scaled > 0n ? scaled : 1n;
}

function concentrated(
  random: Random,
  wanted: number,
  feePips: number,
  depth: bigint,
): Omit<ConcentratedVenue, 'id' | 'nodes' | 'fixedCost'> {
  const tick = Math.max(-600_000, Math.min(600_000, wanted));
  const net = new Map<number, bigint>();
  const spacing = 10;
  let liquidity = 0n;
  for (let i = random.int(1, 5); i > 0; i--) {
    const low = Math.floor(tick / spacing) * spacing - spacing * random.int(-20, 200);
    const high = low + spacing * random.int(1, 400);
    const from = sqrtRatioAtTick(low);
    const to = sqrtRatioAtTick(high);
    // Liquidity whose token0 over the whole range is about `depth`.
    const amount = (depth * ((from * to) >> 96n)) / (to - from) + 1n;
    const position = amount > 2n ** 120n ? 2n ** 120n : amount;
    net.set(low, (net.get(low) ?? 0n) + position);
    net.set(high, (net.get(high) ?? 0n) - position);
    if (low <= tick && tick < high) liquidity += position;
  }
  const at = sqrtRatioAtTick(tick);
  return {
    kind: 'concentrated',
    sqrtPriceX96: (at + random.big(sqrtRatioAtTick(tick + 1) - at)).toString(),
    tick,
    liquidity: liquidity.toString(),
    feePips,
    ticks: [...net]
      .sort(([x], [y]) => x - y)
      .map(([boundary, amount]) => [boundary, amount.toString()] as const),
  };
}

function randomObjective(
  random: Random,
  kind: Kind,
  nodes: readonly ProblemNode[],
  truth: readonly number[],
): Objective {
  const amountAt = (i: number, dollars: number) =>
    units(dollars, truth[i] ?? 1, nodes[i]?.decimals ?? 0).toString();
  const idAt = (i: number) => nodes[i]?.id ?? '';
  const size = 10 ** (random.unit() * 5);
  if (kind === 'swap') {
    const priced = nodes.flatMap((node, i) => (node.price === undefined ? [] : [i]));
    const sell = random.pick(priced);
    const buy = random.pick(priced.filter((i) => i !== sell));
    return {
      kind: 'swap',
      sell: { node: idAt(sell), amount: amountAt(sell, size) },
      buy: idAt(buy),
    };
  }
  if (kind === 'batch') return randomBatch(random, nodes, truth, size);
  const assets = [...new Set(nodes.map(({ asset }) => asset))];
  const targeted = assets.filter((_, i) => i < 2 || random.chance(0.7));
  const parts = targeted.map(() => random.int(0, 100));
  parts[0] = (parts[0] ?? 0) + 1;
  const sum = parts.reduce((total, part) => total + part, 0);
  let left = 10n ** 18n;
  const targets = targeted.map((asset, i) => {
    const last = i === targeted.length - 1;
    const weight = last ? left : BigInt(Math.floor(((parts[i] ?? 0) / sum) * 1e6)) * 10n ** 12n;
    left -= weight;
    return {
      nodes: nodes.filter((node) => node.asset === asset).map(({ id }) => id),
      weight: formatDecimal(weight, 18),
    };
  });
  const holdings = Object.fromEntries(
    nodes.flatMap((node, i) =>
      i === 0 || random.chance(0.6) ? [[node.id, amountAt(i, size * random.unit())]] : [],
    ),
  );
  if (kind === 'balanced') return { kind: 'rebalance', holdings, targets };
  const factors = targets.map(() => [random.unit(), random.unit() - 0.5, random.unit() - 0.5]);
  const cash = random.int(0, targets.length);
  const covariance = targets.map((_, g) =>
    targets.map((_, h) => {
      if (g === cash || h === cash) return '0';
      const common = [0, 1, 2].reduce(
        (s, k) => s + (factors[g]?.[k] ?? 0) * (factors[h]?.[k] ?? 0),
        0,
      );
      return (Math.round(common * 1e6) / 1e6 + (g === h ? 0.01 : 0)).toFixed(6);
    }),
  );
  const aversion = (10 ** (random.unit() * 4 - 3)).toFixed(6);
  return { kind: 'rebalance', holdings, targets, risk: { aversion, covariance } };
}

/** Orders both ways between priced nodes, most of them fillable near the market. */
function randomBatch(
  random: Random,
  nodes: readonly ProblemNode[],
  truth: readonly number[],
  size: number,
): Objective {
  const orders = Array.from({ length: random.int(1, 5) }, (_, k) => {
    const sell = random.int(0, nodes.length - 1);
    const buy = (sell + random.int(1, nodes.length - 1)) % nodes.length;
    const dollars = size * (0.2 + random.unit());
    const limit = dollars * random.pick([0.3, 0.9, 0.98, 1.001]);
    const amountAt = (i: number, worth: number) =>
      units(worth, truth[i] ?? 1, nodes[i]?.decimals ?? 0).toString();
    return {
      id: `o${k}`,
      sell: { node: nodes[sell]?.id ?? '', amount: amountAt(sell, dollars) },
      buy: nodes[buy]?.id ?? '',
      minOut: amountAt(buy, limit),
      partial: random.chance(0.5),
    };
  });
  return { kind: 'batch', orders };
}

/** Dual prices near the market: each node's price times e^(spread·normal-ish). */
export function randomPrices(
  random: Random,
  problem: ParsedProblem,
  spread: number,
): Record<string, string> {
  return Object.fromEntries(
    problem.nodes.map(({ id, price }) => {
      const centre = price ?? fixed36(10n ** 36n * BigInt(random.int(1, 50_000)));
      const noise = (random.unit() + random.unit() + random.unit() - 1.5) * spread;
      const factor = BigInt(Math.max(1, Math.floor(Math.exp(noise) * 1e12)));
      const value = (centre * factor) / 10n ** 12n;
      return [id, formatFixed36(fixed36(value > 0n ? value : 1n))];
    }),
  );
}
