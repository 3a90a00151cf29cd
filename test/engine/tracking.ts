// Seeded random tracking rebalances: assets on several chains, pools inside each, bridges and resting
// orders between them, a covariance of a few factors (exactly semidefinite, often singular, cash
// without risk). Prices agree within fees, so that no loop earns; sizes follow the wallet.

import { formatDecimal } from '../../solver/market/decimal.ts';
import type { Problem, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { decimal, type Random, random, units } from './generate.ts';

export interface TrackingOptions {
  readonly chains: number;
  readonly assets: number;
  readonly aversion: number;
  /** Dollars per venue and per chain's transaction, 0 for none. */
  readonly fixedCost: number;
  /** Share of the assets left out of every target. */
  readonly untargeted?: number;
  /** Pools per chain beyond those that connect it, as a share of its assets. */
  readonly extraPools?: number;
}

interface Asset {
  readonly name: string;
  readonly decimals: number;
  readonly price: number;
}

/** What one covariance entry is a multiple of: products of factor loadings with six decimals. */
const COVARIANCE_DECIMALS = 12;

export function trackingProblem(seed: number, options: TrackingOptions): Problem {
  const rng = random(seed);
  const assets = Array.from(
    { length: options.assets },
    (_, a): Asset => ({
      name: a === 0 ? 'CASH' : `A${a}`,
      decimals: a === 0 ? 6 : rng.integer(8, 18),
      price: a === 0 ? 1 : Number((10 ** rng.between(-2, 4.5)).toPrecision(6)),
    }),
  );
  const chains = Array.from({ length: options.chains }, (_, c) => c + 1);
  // Every asset lives somewhere, cash everywhere.
  const homes = assets.map((_, a) => {
    const some = chains.filter(() => a === 0 || rng.next() < 0.8);
    return some.length > 0 ? some : [rng.pick(chains)];
  });
  const nodes = assets.flatMap(({ name, decimals, price }, a) =>
    (homes[a] ?? []).map(
      (chain): ProblemNode => ({
        id: `${chain}:${name}`,
        asset: name,
        chain,
        decimals,
        price: decimal(price),
      }),
    ),
  );
  const worth = 10 ** rng.between(2, 6);
  const venues = venuesOf(rng, { assets, homes, chains, worth, options });
  const holdings = holdingsOf(rng, assets, homes, worth);
  const targeted = assets.flatMap((_, a) =>
    a < 2 || rng.next() >= (options.untargeted ?? 0.1) ? [a] : [],
  );
  return {
    version: 1,
    nodes,
    venues,
    ...(options.fixedCost > 0 ? { groups: groupsOf(rng, chains, venues, options.fixedCost) } : {}),
    objective: {
      kind: 'rebalance',
      holdings,
      targets: targetsOf(
        rng,
        targeted.map((a) => (homes[a] ?? []).map((chain) => `${chain}:${assets[a]?.name}`)),
      ),
      risk: { aversion: decimal(options.aversion), covariance: covarianceOf(rng, targeted.length) },
    },
  };
}

interface Setting {
  readonly assets: readonly Asset[];
  readonly homes: readonly (readonly number[])[];
  readonly chains: readonly number[];
  readonly worth: number;
  readonly options: TrackingOptions;
}

function venuesOf(rng: Random, setting: Setting): ProblemVenue[] {
  const { assets, homes, chains, worth, options } = setting;
  const venues: ProblemVenue[] = [];
  const push = (venue: object) => {
    const cost = options.fixedCost > 0 ? options.fixedCost * rng.between(0.1, 1) : 0;
    const fixedCost = cost > 0 ? cost.toFixed(4) : '0';
    venues.push({ id: `v${venues.length}`, fixedCost, ...venue } as ProblemVenue);
  };
  for (const chain of chains) {
    const here = assets.filter((_, a) => homes[a]?.includes(chain));
    const extra = Math.round((options.extraPools ?? 0.5) * here.length);
    for (let k = 1; k < here.length + extra && here.length > 1; k++) {
      const b = k < here.length ? k : rng.integer(1, here.length - 1);
      // Half of all pools trade against cash, the others against any asset before.
      const a = rng.next() < 0.5 ? 0 : rng.integer(0, b - 1);
      const [from, to] = [here[a], here[b]];
      if (from === undefined || to === undefined) continue;
      push(poolOf(rng, [`${chain}:${from.name}`, `${chain}:${to.name}`], from, to, worth));
    }
    const [from, to] = [rng.pick(here), rng.pick(here)];
    if (from !== to) {
      const ids = [`${chain}:${from.name}`, `${chain}:${to.name}`] as const;
      push(orderOf(rng, ids, from, to, worth));
    }
  }
  assets.forEach((asset, a) => {
    for (const from of homes[a] ?? []) {
      for (const to of homes[a] ?? []) {
        if (from === to || rng.next() < 0.5) continue;
        push(bridgeOf(rng, [`${from}:${asset.name}`, `${to}:${asset.name}`], asset, setting));
      }
    }
  });
  return venues;
}

type Pair = readonly [string, string];

function poolOf(rng: Random, nodes: Pair, from: Asset, to: Asset, worth: number) {
  const feePips = rng.pick([100, 500, 3000]);
  const off = Math.exp(rng.between(-0.4, 0.4) * (feePips / 1e6));
  const depth = worth * 10 ** rng.between(0, 3);
  const reserves = [
    units((depth / from.price) * 10 ** from.decimals).toString(),
    units((depth / to.price) * off * 10 ** to.decimals).toString(),
  ] as const;
  return { kind: 'constantProduct' as const, nodes, reserves, feePips };
}

function orderOf(rng: Random, nodes: Pair, from: Asset, to: Asset, worth: number) {
  const size = worth * 10 ** rng.between(-3, 0);
  const rate = 1 - rng.between(0.0005, 0.01);
  return {
    kind: 'order' as const,
    nodes,
    amountIn: units((size / from.price) * 10 ** from.decimals).toString(),
    amountOut: units(((size * rate) / to.price) * 10 ** to.decimals).toString(),
  };
}

function bridgeOf(rng: Random, nodes: Pair, asset: Asset, { worth, options }: Setting) {
  const fee = options.fixedCost > 0 ? options.fixedCost * rng.between(0, 0.5) : 0;
  return {
    kind: 'bridge' as const,
    nodes,
    feePips: rng.pick([50, 100, 400]),
    fixedFee: fee > 0 ? units((fee / asset.price) * 10 ** asset.decimals).toString() : '0',
    capacity: units(
      ((worth * 10 ** rng.between(-1, 1)) / asset.price) * 10 ** asset.decimals,
    ).toString(),
  };
}

function holdingsOf(
  rng: Random,
  assets: readonly Asset[],
  homes: readonly (readonly number[])[],
  worth: number,
): Readonly<Record<string, string>> {
  const parts = assets.flatMap((asset, a) =>
    (homes[a] ?? []).map((chain) => {
      const part = rng.next() < 0.4 ? rng.next() : 0;
      return { asset, chain, part: a === 0 ? part + 0.05 : part };
    }),
  );
  const sum = parts.reduce((total, { part }) => total + part, 0);
  return Object.fromEntries(
    parts.map(({ asset, chain, part }) => {
      const amount = ((worth * part) / sum / asset.price) * 10 ** asset.decimals;
      return [`${chain}:${asset.name}`, (part > 0 ? units(amount) : 0n).toString()];
    }),
  );
}

/** Random weights, some of them zero, that sum to exactly one. */
function targetsOf(rng: Random, members: readonly (readonly string[])[]) {
  const parts = members.map(() => (rng.next() < 0.15 ? 0 : rng.next()));
  const sum = parts.reduce((a, b) => a + b, 0) || 1;
  let left = 1_000_000n;
  return members.map((nodes, g) => {
    const last = g === members.length - 1;
    const weight = last ? left : BigInt(Math.floor(((parts[g] ?? 0) / sum) * 1e6));
    left -= weight;
    return { nodes, weight: formatDecimal(weight, 6) };
  });
}

/** LL′ in integers: exactly semidefinite whatever its rank, the first row (cash) zero. */
function covarianceOf(rng: Random, size: number): string[][] {
  const factors = rng.integer(1, size);
  const loadings = Array.from({ length: size }, (_, g) => {
    const volatility = rng.between(0.02, 0.9);
    const row = Array.from({ length: factors }, (_, f) => rng.between(f === 0 ? 0.2 : -0.6, 1));
    const norm = Math.hypot(...row) || 1;
    return row.map((x) => (g === 0 ? 0n : BigInt(Math.round((volatility * x * 1e6) / norm))));
  });
  return loadings.map((one) =>
    loadings.map((other) =>
      formatDecimal(
        one.reduce((sum, x, f) => sum + x * (other[f] ?? 0n), 0n),
        COVARIANCE_DECIMALS,
      ),
    ),
  );
}

function groupsOf(
  rng: Random,
  chains: readonly number[],
  venues: readonly ProblemVenue[],
  cost: number,
) {
  return chains.flatMap((chain) => {
    const members = venues.filter(({ nodes }) => nodes.some((id) => id.startsWith(`${chain}:`)));
    if (members.length === 0) return [];
    const fixedCost = (cost * rng.between(0.2, 1)).toFixed(4);
    return [{ id: `chain:${chain}`, fixedCost, venues: members.map(({ id }) => id) }];
  });
}
