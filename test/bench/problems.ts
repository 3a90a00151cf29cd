// The bench's problems: one swap over a seeded market (network.ts) of each kind and size. The order
// runs from 1/1000 of a typical pool's depth to three times it.

import type { Problem } from '../../solver/types/problem.ts';
import { random, units } from '../engine/generate.ts';
import { type Kind, type Network, network, type Size } from './network.ts';

export const SIZES: readonly Size[] = [
  { pools: 10, tokens: 5 },
  { pools: 100, tokens: 20 },
  { pools: 1000, tokens: 100 },
  { pools: 10_000, tokens: 200 },
  { pools: 100_000, tokens: 632 },
];

export const sizeName = ({ pools, tokens }: Size): string => `${pools}/${tokens}`;

/** log10 of order over depth. */
export type OrderRange = readonly [number, number];
const ORDER: OrderRange = [-3, 0.5];
/** Gas only matters to orders it can move: dollars, log10. */
const ORDER_WITH_COSTS: OrderRange = [2, 6];

/** A swap over the market of `seed`. */
export function swapProblem(
  seed: number,
  kind: Kind,
  size: Size,
  range: OrderRange = ORDER,
): Problem {
  const market = network(seed, kind, size);
  return swapOver(market, seed, kind, range);
}

function swapOver(market: Network, seed: number, kind: Kind, range: OrderRange): Problem {
  const rng = random(seed ^ 0x5eed);
  const { tokens, nodes, venues, groups, depth } = market;
  const sell = rng.integer(0, tokens.length - 1);
  const buy = (sell + rng.integer(1, tokens.length - 1)) % tokens.length;
  const [from, to] = [tokens[sell], tokens[buy]];
  if (from === undefined || to === undefined) throw new Error('no such token');
  const costly = kind === 'fixedCost';
  const dollars = costly
    ? 10 ** rng.between(...ORDER_WITH_COSTS)
    : depth * 10 ** rng.between(...range);
  return {
    version: 1,
    nodes,
    venues,
    ...(costly ? { groups, settings: { venueInputCap: '1.05' } } : {}),
    objective: {
      kind: 'swap',
      sell: { node: from.id, amount: units(dollars / from.worth).toString() },
      buy: to.id,
    },
  };
}
