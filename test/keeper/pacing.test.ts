// What all policies together may propose of one asset within a window, and what a trade is made of.

import { describe, expect, test } from 'vitest';
import { crowded, flowOf } from '../../solver/keeper/pacing.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import type { ProposedFlow } from '../../solver/types/policyStore.ts';

const NOW = unixSeconds(1_800_000_000);
const CAP = { windowSeconds: 600, capUsd: 1_000 };
const past = (age: number, flowUsd: Readonly<Record<string, number>>): ProposedFlow => ({
  createdAtMs: (NOW - age) * 1_000,
  expected: { flowUsd },
});

describe('flowOf', () => {
  test('default: dollars by asset and direction', () => {
    const flow = flowOf(
      ['WBTC', 'WETH', 'USDC'],
      Float64Array.of(0.5, 0.3, 0.2),
      Float64Array.of(0.25, 0.3, 0.45),
      1_000,
    );
    expect(flow).toEqual({ 'sell:WBTC': 250, 'buy:USDC': 250 });
  });
});

describe('crowded', () => {
  const wanted = { 'sell:WETH': 400, 'buy:USDC': 400 };

  test('default: others use the cap up, in their direction and asset, within the window', () => {
    expect(crowded([past(10, { 'sell:WETH': 700 })], wanted, CAP, NOW)).toBe('sell:WETH');
    expect(crowded([past(10, { 'sell:WETH': 600 })], wanted, CAP, NOW)).toBeNull();
    expect(crowded([past(600, { 'sell:WETH': 700 })], wanted, CAP, NOW)).toBeNull();
    expect(crowded([past(10, { 'buy:WETH': 900, 'sell:WBTC': 900 })], wanted, CAP, NOW)).toBeNull();
    const many = [1, 2, 3].map((age) => past(age, { 'buy:USDC': 250 }));
    expect(crowded(many, wanted, CAP, NOW)).toBe('buy:USDC');
  });

  test('behavior: larger than the cap alone goes when nothing else of it went', () => {
    const large = { 'sell:WETH': 5_000 };
    expect(crowded([], large, CAP, NOW)).toBeNull();
    expect(crowded([past(599, { 'sell:WETH': 1 })], large, CAP, NOW)).toBe('sell:WETH');
  });

  test('behavior: a store whose clock is ahead counts, what is no flow does not', () => {
    expect(crowded([past(-30, { 'sell:WETH': 700 })], wanted, CAP, NOW)).toBe('sell:WETH');
    const odd = { createdAtMs: NOW * 1_000, expected: { flowUsd: null } };
    expect(crowded([odd], wanted, CAP, NOW)).toBeNull();
  });
});
