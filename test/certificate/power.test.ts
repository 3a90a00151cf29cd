// Powers against the integers they must lie between, and the contracts' trades against real curves.

import { describe, expect, test } from 'vitest';
import { POWER_ONE, powerDown, powerUp } from '../../solver/certificate/power.ts';
import { stableInvariant } from '../../solver/market/exact/stable.ts';
import { upscaledBalances } from '../../solver/market/exact/vaultPool.ts';
import { exactOut } from '../../solver/market/exact/venue.ts';
import type { ParsedStable, ParsedWeighted } from '../../solver/market/parsedProblem.ts';
import { seeded } from '../market/helpers/random.ts';
import { KINDS, randomProblem } from './helpers/problems.ts';

const ONE = 10n ** 18n;

describe('powerDown and powerUp', () => {
  test('property: enclose the exact power, within 2^-155 of each other', () => {
    const random = seeded('power');
    for (let i = 0; i < 3000; i++) {
      const denominator = random.scale(0, random.pick([3, 40, 200]));
      const numerator = denominator + random.scale(0, random.pick([1, 30, 180])) - 1n;
      const q = BigInt(random.int(1, 12));
      const p = BigInt(random.int(1, 12));
      const low = powerDown(numerator, denominator, p, q);
      const high = powerUp(numerator, denominator, p, q);
      // low/ONE ≤ (numerator/denominator)^(p/q) ≤ high/ONE, raised to q.
      const exact = numerator ** p * POWER_ONE ** q;
      const place = `${numerator}/${denominator} ^ ${p}/${q}`;
      expect(low ** q * denominator ** p <= exact, place).toBe(true);
      expect(high ** q * denominator ** p >= exact, place).toBe(true);
      expect((high - low) << 155n <= high, place).toBe(true);
    }
  });

  test('behavior: weights as pools have them, and one', () => {
    expect(powerUp(1n, 1n, 99n, 1n) - POWER_ONE).toBeLessThan(1n << 40n);
    // (13/10)^99, the largest a weighted pool asks for, exactly.
    const exact = (13n ** 99n * POWER_ONE) / 10n ** 99n;
    const [low, high] = [powerDown(13n, 10n, 99n, 1n), powerUp(13n, 10n, 99n, 1n)];
    expect(low <= exact && exact < high).toBe(true);
  });
});

describe('the contracts against the curves of the support functions', () => {
  test('property: no weighted or stable pool pays more than its curve allows', () => {
    const random = seeded('curves');
    const checked = { weighted: 0, stable: 0 };
    for (let i = 0; i < 400; i++) {
      const problem = randomProblem(random, random.pick(KINDS));
      for (const venue of problem.venues) {
        if (venue.kind !== 'weighted' && venue.kind !== 'stable') continue;
        for (let k = 0; k < 12; k++) {
          const from = random.int(0, venue.nodes.length - 1);
          const to = (from + random.int(1, venue.nodes.length - 1)) % venue.nodes.length;
          const held = venue.balances[from] ?? 0n;
          const amount = random.big((held * BigInt(random.pick([1, 50, 300, 5000]))) / 1000n + 2n);
          const out = exactOut(venue, venue.nodes[from] ?? 0, venue.nodes[to] ?? 0, amount);
          if (typeof out !== 'bigint') continue;
          checked[venue.kind]++;
          const place = `${venue.kind} ${venue.balances} ${from}→${to} ${amount}: ${out}`;
          const trade = { from, to, amount, out };
          const holds =
            venue.kind === 'weighted' ? onWeighted(venue, trade) : onStable(venue, trade);
          expect(holds, place).toBe(true);
        }
      }
    }
    expect(checked.weighted).toBeGreaterThan(300);
    expect(checked.stable).toBeGreaterThan(300);
  });
});

interface Trade {
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
  readonly out: bigint;
}

/** out ≤ B_o·(1 − (B_i/(B_i + a))^κ), a = γ·in, all real-valued and upscaled. */
function onWeighted(pool: ParsedWeighted, { from, to, amount, out }: Trade): boolean {
  const balances = upscaledBalances(pool);
  const [balanceIn, balanceOut] = [balances[from] ?? 0n, balances[to] ?? 0n];
  const [weightIn, weightOut] = [pool.weights[from] ?? 0n, pool.weights[to] ?? 0n];
  const scale = ONE * ONE;
  const grown =
    balanceIn * scale + amount * (ONE - pool.swapFee) * (pool.scalingFactors[from] ?? 0n);
  const kept = POWER_ONE ** 2n / powerUp(grown, balanceIn * scale, weightIn, weightOut);
  const paid = out * (pool.scalingFactors[to] ?? 0n);
  return paid * POWER_ONE <= balanceOut * ONE * (POWER_ONE - kept);
}

/** nⁿ·Πz·(Ann·Σz − (Ann − 1)·D) ≥ D^(n+1) after the trade, real-valued, for the contract's D. */
function onStable(pool: ParsedStable, { from, to, amount, out }: Trade): boolean {
  const balances = upscaledBalances(pool);
  const n = BigInt(balances.length);
  const invariant = stableInvariant(pool, balances);
  const scale = ONE * ONE;
  const after = balances.map((balance, i) => {
    const factor = pool.scalingFactors[i] ?? 0n;
    const bought = i === from ? amount * (ONE - pool.swapFee) * factor : 0n;
    const sold = i === to ? out * factor * ONE : 0n;
    return balance * scale + bought - sold;
  });
  const sum = after.reduce((a, b) => a + b, 0n);
  const product = after.reduce((a, b) => a * b, n ** n);
  const ann = pool.amplification * n;
  const precision = pool.amplificationPrecision;
  const left = product * (ann * sum - (ann - precision) * invariant * scale);
  return left >= precision * (invariant * scale) ** (n + 1n);
}
