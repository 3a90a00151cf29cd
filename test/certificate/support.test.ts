// Support functions against brute force over exact trades: never below, and close to the best trade.

import { describe, expect, it } from 'vitest';
import { bestSelection } from '../../solver/certificate/selection.ts';
import { support } from '../../solver/certificate/support.ts';
import { largerOf, parseFixed36, unitPrice72 } from '../../solver/market/decimal.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedVenue } from '../../solver/market/parsedProblem.ts';
import { type Random, seeded } from '../market/helpers/random.ts';
import { randomPrices, randomProblem } from './helpers/problems.ts';

type Pair = readonly [number, number];

/** Dollars × 10^72 of selling `amount` of the first node for the second; null if refused. */
function profit(venue: ParsedVenue, pair: Pair, amount: bigint, nu: readonly bigint[]) {
  const [nodeIn, nodeOut] = pair;
  const out = exactOut(venue, nodeIn, nodeOut, amount);
  if (typeof out !== 'bigint') return null;
  return out * (nu[nodeOut] ?? 0n) - amount * (nu[nodeIn] ?? 0n);
}

/** Best exact profit over inputs up to `most`: a grid in log scale, then ternary search. */
function bestProfit(venue: ParsedVenue, pair: Pair, most: bigint, nu: readonly bigint[]): bigint {
  const grid: bigint[] = [most];
  for (let x = most; x > 0n; x = (x * 3n) / 4n) grid.push(x);
  const valued = grid.map((x) => ({ x, value: profit(venue, pair, x, nu) ?? 0n }));
  const peak = valued.reduce((best, point) => (point.value > best.value ? point : best));
  let best = peak.value > 0n ? peak.value : 0n;
  let low = (peak.x * 6n) / 10n;
  let high = (peak.x * 14n) / 10n;
  if (high > most) high = most;
  for (let i = 0; i < 100 && high - low > 2n; i++) {
    const third = (high - low) / 3n || 1n;
    const a = profit(venue, pair, low + third, nu);
    const b = profit(venue, pair, high - third, nu);
    for (const value of [a, b]) if (value !== null && value > best) best = value;
    // Refused beyond the venue's depth: look lower.
    if (b === null || (a !== null && a > b)) high -= third;
    else low += third;
  }
  for (const x of [low, high]) {
    const value = profit(venue, pair, x, nu);
    if (value !== null && value > best) best = value;
  }
  return best;
}

const pairsOf = ({ nodes }: ParsedVenue): readonly Pair[] =>
  nodes.flatMap((a) => nodes.flatMap((b): Pair[] => (a === b ? [] : [[a, b]])));

describe('support', () => {
  it('property: at least the best exact trade, and close to it', () => {
    const random = seeded('support');
    let compared = 0;
    const kinds = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const problem = randomProblem(random, 'swap');
      const spread = random.pick([0.01, 0.1, 1]);
      const prices = randomPrices(random, problem, spread);
      const nu = problem.nodes.map(({ id, decimals }) =>
        unitPrice72(parseFixed36(prices[id] ?? '1'), decimals),
      );
      for (const venue of problem.venues) {
        const capped = random.chance(0.4);
        const caps = problem.nodes.map(() => (capped ? random.scale(0, 26) : null));
        const bound = support(venue, nu, caps);
        const best = pairsOf(venue)
          .map((pair) => bestProfit(venue, pair, caps[pair[0]] ?? 2n ** 112n, nu))
          .reduce(largerOf);
        expect(bound).toBeGreaterThanOrEqual(best);
        // Rounding costs the trader up to a few units of either token per crossed range.
        const grain = 40n * venue.nodes.reduce((sum, node) => sum + (nu[node] ?? 0n), 0n);
        const ticks = venue.kind === 'concentrated' ? BigInt(venue.ranges.length + 1) : 1n;
        // A weighted pool's powers are off by up to 10⁻¹⁴ of what it holds (LogExpMath's own bound).
        const powers =
          venue.kind === 'weighted'
            ? venue.nodes.reduce(
                (sum, node, k) => sum + (venue.balances[k] ?? 0n) * (nu[node] ?? 0n),
                0n,
              ) /
              10n ** 14n
            : 0n;
        if (best > (grain * ticks + powers) * 1000n) {
          compared++;
          kinds.add(venue.kind);
          expect(Number(bound - best) / Number(bound)).toBeLessThan(2e-3);
        }
      }
    }
    expect(compared).toBeGreaterThan(15);
    expect([...kinds].sort()).toEqual([
      'bridge',
      'concentrated',
      'constantProduct',
      'order',
      'stable',
      'weighted',
    ]);
  });
});

describe('bestSelection', () => {
  it('property: equals brute force over all sets', () => {
    const random = seeded('selection');
    for (let i = 0; i < 300; i++) {
      const { profits, groups } = randomSelection(random);
      let best = 0n;
      for (let set = 0; set < 1 << profits.length; set++) {
        let value = 0n;
        profits.forEach((gain, e) => {
          if (set & (1 << e)) value += gain;
        });
        for (const { cost, members } of groups) {
          if (members.some((e) => set & (1 << e))) value -= cost;
        }
        if (value > best) best = value;
      }
      expect(bestSelection(profits, groups)).toBe(best);
    }
  });

  it('behavior: no groups, free groups, nothing profitable', () => {
    expect(bestSelection([3n, 0n, 4n], [])).toBe(7n);
    expect(bestSelection([3n], [{ cost: 0n, members: [0] }])).toBe(3n);
    expect(bestSelection([0n, 0n], [{ cost: 5n, members: [0, 1] }])).toBe(0n);
    expect(bestSelection([3n, 3n], [{ cost: 5n, members: [0, 1] }])).toBe(1n);
  });
});

function randomSelection(random: Random) {
  const profits = Array.from({ length: random.int(1, 9) }, () => random.big(100n));
  const groups = Array.from({ length: random.int(0, 5) }, () => ({
    cost: random.big(120n),
    members: profits.flatMap((_, e) => (random.chance(0.4) ? [e] : [])),
  }));
  return { profits, groups };
}
