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

/** A portfolio over two to four targets of the market of `seed`, as large as a swap's order. */
export function rebalanceProblem(seed: number, kind: Kind, size: Size): Problem {
  const { tokens, nodes, venues, groups, depth } = network(seed, kind, size);
  const rng = random(seed ^ 0xba1a);
  const costly = kind === 'fixedCost';
  const dollars = costly
    ? 10 ** rng.between(...ORDER_WITH_COSTS)
    : depth * 10 ** rng.between(...ORDER);
  const targetCount = Math.min(rng.integer(2, 4), tokens.length);
  const target = tokens.map((_, i) => (i < targetCount ? i : rng.integer(-1, targetCount - 1)));
  const parts = tokens.map((_, i) => ((target[i] ?? -1) < 0 || rng.next() < 0.4 ? 0 : rng.next()));
  // The first target's first token is always held, so that there is something to rebalance.
  parts[0] = 0.1 + rng.next();
  const sum = parts.reduce((a, b) => a + b, 0);
  const holdings = Object.fromEntries(
    tokens.flatMap(({ id, worth }, i) => {
      const part = (parts[i] ?? 0) / sum;
      return part > 0 ? [[id, units((dollars * part) / worth).toString()]] : [];
    }),
  );
  const weights = Array.from({ length: targetCount - 1 }, () =>
    rng.integer(5, Math.floor(90 / targetCount)),
  );
  const percents = [...weights, 100 - weights.reduce((a, b) => a + b, 0)];
  const targets = percents.map((percent, g) => ({
    nodes: tokens.filter((_, i) => target[i] === g).map(({ id }) => id),
    weight: `0.${String(percent).padStart(2, '0')}`,
  }));
  return {
    version: 1,
    nodes,
    venues,
    ...(costly ? { groups, settings: { venueInputCap: '1.05' } } : {}),
    objective: { kind: 'rebalance', holdings, targets },
  };
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
