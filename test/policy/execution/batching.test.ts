import { describe, expect, it } from 'vitest';
import { type FixedCost, shareFixedCosts } from '../../../solver/policy/execution/batching.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';

describe('shareFixedCosts', () => {
  it('default: an item used by two is paid once, half each', () => {
    const shares = shareFixedCosts([
      [
        { item: 'chain:1', usd: 4 },
        { item: 'lane:1:2', usd: 1 },
      ],
      [{ item: 'chain:1', usd: 4 }],
    ]);
    expect([...shares.pays]).toEqual([3, 2]);
    expect([...shares.alone]).toEqual([5, 4]);
    expect(shares.togetherUsd).toBe(5);
    expect(shares.separateUsd).toBe(9);
  });

  it('property: shares add up to what is paid; nobody, and no group, pays more than without the rest', () => {
    const seed = 20_261_151;
    const rng = random(seed);
    for (let round = 0; round < 250; round += 1) {
      const prices = Array.from({ length: rng.integer(1, 8) }, () => rng.between(0, 20));
      const members = Array.from({ length: rng.integer(1, 12) }, (): FixedCost[] =>
        prices.flatMap((usd, index) => (rng.next() < 0.4 ? [{ item: `item${index}`, usd }] : [])),
      );
      const { pays, alone, togetherUsd, separateUsd } = shareFixedCosts(members);
      const label = `seed ${seed}, round ${round}`;
      const sum = pays.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - togetherUsd), label).toBeLessThan(1e-9);
      expect(togetherUsd, label).toBeLessThanOrEqual(separateUsd + 1e-9);
      for (const [index, paid] of pays.entries()) {
        expect(paid, label).toBeLessThanOrEqual(alone[index] ?? 0);
      }
      const group = members.map(() => rng.next() < 0.5);
      const apart = shareFixedCosts(members.filter((_, index) => group[index] === true));
      const within = pays.reduce((total, paid, index) => total + (group[index] ? paid : 0), 0);
      expect(within, label).toBeLessThanOrEqual(apart.togetherUsd + 1e-9);
    }
  });

  it('error: one item at two prices, twice in one policy, or at no price', () => {
    const item = (usd: number): FixedCost => ({ item: 'chain:1', usd });
    expect(() => shareFixedCosts([[item(1)], [item(2)]])).toThrow(InvalidInput);
    expect(() => shareFixedCosts([[item(1), item(1)]])).toThrow(InvalidInput);
    expect(() => shareFixedCosts([[item(Number.NaN)]])).toThrow(InvalidInput);
  });
});
