// Seeded random portfolios over three chains: the problems this project is about. Pools per chain,
// bridges with fixed fees between equal assets, fixed costs per venue and per chain's transaction.

import type { Problem, ProblemNode, ProblemVenue } from '../../solver/types/problem.ts';
import { type Random, random, units } from './generate.ts';

const ASSETS = [
  { asset: 'WETH', decimals: 18, price: 3000 },
  { asset: 'USDC', decimals: 6, price: 1 },
  { asset: 'WBTC', decimals: 8, price: 60_000 },
] as const;

export interface ChainsOptions {
  readonly pools: number;
  readonly bridges: number;
  /** Dollars the wallet holds. */
  readonly worth: number;
  readonly cap?: string;
}

/** A rebalance of WETH, USDC and WBTC over chains 1, 2 and 3. */
export function chainsProblem(seed: number, options: ChainsOptions): Problem {
  const rng = random(seed);
  const nodes = [1, 2, 3].flatMap((chain) =>
    ASSETS.map(
      ({ asset, decimals, price }): ProblemNode => ({
        id: `${chain}:${asset}`,
        asset,
        chain,
        decimals,
        price: String(price),
      }),
    ),
  );
  const pools = Array.from({ length: options.pools }, (_, k) => pool(rng, k, 1 + (k % 3)));
  const bridges = Array.from({ length: options.bridges }, (_, k) => bridge(rng, k));
  const venues = [...pools, ...bridges];
  const holdings = Object.fromEntries(
    nodes.map((node) => {
      const worth = rng.next() < 0.6 ? 0 : options.worth * rng.between(0.1, 0.6);
      return [node.id, units((worth / Number(node.price)) * 10 ** node.decimals - 1).toString()];
    }),
  );
  const first = rng.integer(20, 60);
  const second = rng.integer(10, 90 - first);
  const weights = [first, second, 100 - first - second];
  return {
    version: 1,
    nodes,
    venues,
    groups: [1, 2, 3].flatMap((chain) => {
      const members = venues.filter(({ nodes: [a, b] }) =>
        [a, b].some((id) => id?.startsWith(`${chain}:`)),
      );
      const fixedCost = rng.between(0.05, 0.8).toFixed(2);
      return members.length === 0
        ? []
        : [{ id: `chain:${chain}`, fixedCost, venues: members.map(({ id }) => id) }];
    }),
    objective: {
      kind: 'rebalance',
      holdings,
      targets: ASSETS.map(({ asset }, g) => ({
        nodes: [1, 2, 3].map((chain) => `${chain}:${asset}`),
        weight: `0.${String(weights[g]).padStart(2, '0')}`,
      })),
    },
    ...(options.cap === undefined ? {} : { settings: { venueInputCap: options.cap } }),
  };
}

function pool(rng: Random, k: number, chain: number): ProblemVenue {
  const [a, b] = rng.next() < 0.5 ? [ASSETS[0], ASSETS[1]] : [ASSETS[2], ASSETS[1]];
  const feePips = rng.pick([500, 3000]);
  const worth = 10 ** rng.between(5.5, 7.5);
  const off = Math.exp(rng.between(-0.4, 0.4) * (feePips / 1e6));
  return {
    id: `pool${k}`,
    kind: 'constantProduct',
    nodes: [`${chain}:${a.asset}`, `${chain}:${b.asset}`],
    reserves: [
      units((worth / a.price) * 10 ** a.decimals).toString(),
      units((worth / b.price) * off * 10 ** b.decimals).toString(),
    ],
    feePips,
    fixedCost: rng.between(0.02, 0.3).toFixed(2),
  };
}

function bridge(rng: Random, k: number): ProblemVenue {
  const from = rng.integer(1, 3);
  const to = ((from + rng.integer(0, 1)) % 3) + 1;
  const { asset, decimals, price } = rng.pick(ASSETS);
  return {
    id: `bridge${k}`,
    kind: 'bridge',
    nodes: [`${from}:${asset}`, `${to}:${asset}`],
    feePips: rng.pick([50, 100, 200]),
    fixedFee: units((rng.between(0.1, 1) / price) * 10 ** decimals).toString(),
    capacity: units((10 ** rng.between(4, 6) / price) * 10 ** decimals).toString(),
    fixedCost: rng.between(0.2, 1.2).toFixed(2),
  };
}
