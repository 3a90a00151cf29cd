// The rule that shares a batch's proceeds: limits first, the rest by what uniform prices owe.

import { describe, expect, test } from 'vitest';
import { batchPayout } from '../../solver/market/batchPayout.ts';
import type { ParsedBatchOrder } from '../../solver/market/parsedProblem.ts';
import { type Random, seeded } from './helpers/random.ts';

const order = (sell: number, amount: bigint, buy: number, minOut: bigint): ParsedBatchOrder => ({
  id: `${sell}→${buy} ${amount}`,
  sell,
  amount,
  buy,
  minOut,
  partial: true,
});

function randomBatch(random: Random) {
  const nodes = random.int(2, 4);
  const prices = Array.from({ length: nodes }, () => random.scale(0, 40));
  const orders = Array.from({ length: random.int(1, 8) }, () => {
    const sell = random.int(0, nodes - 1);
    const buy = (sell + random.int(1, nodes - 1)) % nodes;
    return order(sell, random.scale(0, 25), buy, random.scale(0, 25));
  });
  const sold = orders.map(({ amount }) => (random.chance(0.2) ? 0n : random.big(amount) + 1n));
  return { prices, orders, sold };
}

describe('batchPayout', () => {
  test('property: pays all of the proceeds, every limit, nobody who sold nothing', () => {
    const random = seeded('payout');
    for (let i = 0; i < 2000; i++) {
      const { prices, orders, sold } = randomBatch(random);
      const limits = orders.map(({ minOut, amount }, k) => {
        const due = minOut * (sold[k] ?? 0n);
        return due === 0n ? 0n : (due - 1n) / amount + 1n;
      });
      const rest = random.chance(0.2) ? 0n : random.scale(0, 26);
      const proceeds = prices.map(
        (_, node) =>
          rest +
          orders.reduce((sum, { buy }, k) => sum + (buy === node ? (limits[k] ?? 0n) : 0n), 0n),
      );
      const outs = batchPayout(orders, sold, proceeds, prices);
      expect(outs).not.toBeNull();
      orders.forEach((_, k) => {
        expect((outs?.[k] ?? -1n) >= (limits[k] ?? 0n)).toBe(true);
        if (sold[k] === 0n) expect(outs?.[k]).toBe(0n);
      });
      proceeds.forEach((amount, node) => {
        const buyers = orders.flatMap(({ buy }, k) => (buy === node && sold[k] !== 0n ? [k] : []));
        const paid = buyers.reduce((sum, k) => sum + (outs?.[k] ?? 0n), 0n);
        expect(paid).toBe(buyers.length > 0 ? amount : 0n);
      });
      const short = orders.findIndex((_, k) => sold[k] !== 0n);
      if (short >= 0) {
        const node = orders[short]?.buy ?? 0;
        const missing = proceeds.map((amount, at) => (at === node ? amount - rest - 1n : amount));
        expect(batchPayout(orders, sold, missing, prices)).toBeNull();
      }
    }
  });

  test('property: proceeds at uniform prices pay everybody at uniform prices, to a unit each', () => {
    const random = seeded('uniform');
    for (let i = 0; i < 500; i++) {
      const prices = [random.scale(3, 9), random.scale(3, 9)];
      const [sellPrice = 1n, buyPrice = 1n] = prices;
      const orders = Array.from({ length: random.int(1, 6) }, () => {
        const amount = random.scale(6, 20);
        const fair = (amount * sellPrice) / buyPrice;
        return order(0, amount, 1, (fair * BigInt(random.int(1, 100))) / 100n + 1n);
      }).filter(({ amount, minOut }) => amount * sellPrice >= minOut * buyPrice);
      const sold = orders.map(({ amount }) => amount);
      const fair = orders.map(({ amount }) => (amount * sellPrice) / buyPrice);
      const outs = batchPayout(orders, sold, [0n, fair.reduce((a, b) => a + b, 0n)], prices);
      orders.forEach((_, k) => {
        const off = (outs?.[k] ?? 0n) - (fair[k] ?? 0n);
        expect(off >= -1n && off <= BigInt(orders.length)).toBe(true);
      });
    }
  });

  test('behavior: limits come first, and the rest goes to whom prices owe more', () => {
    const orders = [order(0, 100n, 1, 100n), order(0, 100n, 1, 50n)];
    // At a price of one, only the second is owed anything beyond its limit.
    expect(batchPayout(orders, [100n, 100n], [0n, 190n], [1n, 1n])).toEqual([100n, 90n]);
    // Where nobody is owed more, by worth sold.
    expect(batchPayout(orders, [100n, 100n], [0n, 161n], [1n, 3n])).toEqual([106n, 55n]);
    expect(batchPayout(orders, [100n, 0n], [0n, 100n], [1n, 1n])).toEqual([100n, 0n]);
  });
});
