// Venues as trades leave them: two trades in a row pay what one of both together does, within rounding.

import { describe, expect, it } from 'vitest';
import { venueAfter } from '../../solver/market/afterTrade.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import { parseProblem } from '../../solver/market/problemFile.ts';
import { Defect } from '../../solver/types/assert.ts';
import type { Leg, Problem, ProblemVenue } from '../../solver/types/problem.ts';
import { positions, random } from '../engine/generate.ts';

const problemOf = (venue: ProblemVenue): Problem => ({
  version: 1,
  nodes: ['A', 'B'].map((id) => ({ id, asset: id, chain: 1, decimals: 18, price: '1' })),
  venues: [venue],
  objective: { kind: 'swap', sell: { node: 'A', amount: '1' }, buy: 'B' },
});
/** What selling so much pays, and the venue thereafter. */
function trade(venue: ProblemVenue, forward: boolean, amount: bigint) {
  const problem = parseProblem(problemOf(venue));
  const [from, to] = forward ? ([0, 1] as const) : ([1, 0] as const);
  const [parsed] = problem.venues;
  if (parsed === undefined) throw new Error('a venue');
  const out = exactOut(parsed, from, to, amount);
  if (typeof out !== 'bigint') return null;
  const id = (n: 0 | 1) => (n === 0 ? 'A' : 'B');
  const leg: Leg = {
    venue: venue.id,
    in: { node: id(from), amount: amount.toString() },
    out: { node: id(to), amount: out.toString() },
  };
  return { out, leg, problem, after: venueAfter(problem, leg) };
}
const base = { id: 'v', nodes: ['A', 'B'] as const, fixedCost: '0' };

describe('venueAfter', () => {
  const kinds: Readonly<Record<string, (seed: number) => ProblemVenue>> = {
    constantProduct: (seed) => ({
      ...base,
      kind: 'constantProduct',
      reserves: [`${10 ** 15 + seed}`, `${2 * 10 ** 15 - seed}`],
      feePips: 3000,
    }),
    concentrated: (seed) => {
      const rng = random(seed);
      return {
        ...base,
        kind: 'concentrated',
        feePips: 3000,
        ...positions(rng, rng.between(0.5, 2), 3000, () => 1e20),
      };
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`property: ${kind}: two trades in a row pay like one of both together`, () => {
      let done = 0;
      for (let seed = 1; seed <= 300; seed += 1) {
        const rng = random(seed + 1_000);
        const venue = make(seed);
        const forward = rng.next() < 0.5;
        const size = BigInt(Math.floor(10 ** rng.between(9, 14)));
        const first = trade(venue, forward, size);
        const both = trade(venue, forward, 3n * size);
        if (first === null || both === null || first.after === null) continue;
        const second = trade(first.after, forward, 2n * size);
        expect(second, `seed ${seed}`).not.toBeNull();
        if (second === null) continue;
        const apart = Number(first.out + second.out);
        // The first trade's fee stays in a constant product pool and helps the second a little.
        expect(Math.abs(apart / Number(both.out) - 1), `seed ${seed}`).toBeLessThan(1e-3);
        const back = trade(first.after, !forward, first.out);
        if (back !== null) expect(back.out < size, `seed ${seed}: no round trip earns`).toBe(true);
        done += 1;
      }
      expect(done).toBeGreaterThan(200);
    });
  }

  it('behavior: orders and bridges have less left, and end', () => {
    const order = { ...base, kind: 'order', amountIn: '100', amountOut: '50' } as const;
    expect(trade(order, true, 40n)?.after).toMatchObject({ amountIn: '60', amountOut: '30' });
    expect(trade(order, true, 100n)?.after).toBeNull();
    const bridge = { ...base, kind: 'bridge', feePips: 0, fixedFee: '0', capacity: '90' } as const;
    expect(trade(bridge, true, 40n)?.after).toMatchObject({ capacity: '50' });
    expect(trade(bridge, true, 90n)?.after).toBeNull();
  });

  it('error: a trade the venue does not make to the unit is a defect', () => {
    const made = trade(kinds.constantProduct?.(1) as ProblemVenue, true, 1_000_000n);
    if (made === null) throw new Error('a trade');
    const wrong = { ...made.leg, out: { ...made.leg.out, amount: `${made.out + 1n}` } };
    expect(() => venueAfter(made.problem, wrong)).toThrow(Defect);
  });
});
