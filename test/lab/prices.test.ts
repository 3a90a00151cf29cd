import { describe, expect, it } from 'vitest';
import {
  halves,
  positionFor,
  priceRatio,
  sqrtDown,
  sqrtPriceX96,
} from '../../solver/lab/deploy/poolMath.ts';
import { resolveLabOptions } from '../../solver/lab/options.ts';
import { ASSETS } from '../../solver/lab/setup.ts';
import { createPriceSource } from '../../solver/lab/workers/prices.ts';

const usdc = { decimals: 6, dollars: 1 };
const weth = { decimals: 18, dollars: 3200 };

describe('price source', () => {
  it('default: starts at the reference, in 8 decimals', () => {
    const source = createPriceSource(1, 1);
    expect(source.current('ETH')).toBe(320_000_000_000n);
    expect(source.current('USDC')).toBe(100_000_000n);
  });

  it('behavior: equal seeds walk equal paths, other seeds others', () => {
    const walk = (seed: number) => {
      const source = createPriceSource(seed, 1);
      for (let i = 0; i < 50; i++) source.step();
      return ASSETS.map(({ asset }) => source.current(asset));
    };
    expect(walk(7)).toEqual(walk(7));
    expect(walk(7)).not.toEqual(walk(8));
  });

  it('behavior: stays near the reference for ten thousand steps', () => {
    const source = createPriceSource(3, 0.3);
    for (let i = 0; i < 10_000; i++) {
      source.step();
      // 0.3 bps per step pulled back by 5 % is ±1 bp; 10 bps is ten deviations.
      expect(Math.abs(Number(source.current('BTC')) / 96_000e8 - 1)).toBeLessThan(0.001);
    }
  });

  it('behavior: a held price stands still until released; volatility 0 never moves', () => {
    const source = createPriceSource(1, 5);
    source.hold('LINK', 20.25);
    source.step();
    expect(source.current('LINK')).toBe(2_025_000_000n);
    source.releaseAll();
    expect(source.current('LINK')).not.toBe(2_025_000_000n);
    const still = createPriceSource(1, 0);
    still.step();
    expect(still.current('LINK')).toBe(1_850_000_000n);
  });
});

describe('pool math', () => {
  it('sqrtDown: exact below, at and above squares', () => {
    for (const root of [1n, 2n, 3n, 10n ** 9n, 2n ** 96n - 1n, 2n ** 200n + 12345n]) {
      expect(sqrtDown(root * root)).toBe(root);
      expect(sqrtDown(root * root - 1n)).toBe(root - 1n);
      expect(sqrtDown(root * root + 2n * root)).toBe(root);
    }
    expect(sqrtDown(0n)).toBe(0n);
  });

  it('sqrtPriceX96: one for one, and 3200 dollars both ways round', () => {
    expect(sqrtPriceX96(priceRatio(usdc, usdc))).toBe(2n ** 96n);
    const up = Number(sqrtPriceX96(priceRatio(weth, usdc))) / 2 ** 96;
    expect(up ** 2 * 1e12).toBeCloseTo(3200, 6);
    const down = Number(sqrtPriceX96(priceRatio(usdc, weth))) / 2 ** 96;
    expect(1e12 / down ** 2).toBeCloseTo(3200, 6);
  });

  it('positionFor: worth what was asked, usable ticks, one-sided off the price', () => {
    const worth = (position: { amount0: bigint; amount1: bigint }) =>
      (Number(position.amount0) / 1e18) * 3200 + Number(position.amount1) / 1e6;
    const around = positionFor(weth, usdc, 60, { below: 0.1, above: 0.1 }, 1_000_000);
    expect(worth(around)).toBeCloseTo(1_000_000, 0);
    expect(Math.abs(around.tickLower % 60)).toBe(0);
    expect(around.tickLower).toBeLessThan(around.tickUpper);
    const above = positionFor(weth, usdc, 60, { below: -0.01, above: 0.1 }, 1_000_000);
    expect(above.amount1).toBe(0n);
    expect(worth(above)).toBeCloseTo(1_000_000, 0);
  });

  it('halves: rounds down to base units', () => {
    expect(halves(weth, 6400)).toBe(10n ** 18n);
    expect(halves(usdc, 1)).toBe(500_000n);
  });
});

describe('resolveLabOptions', () => {
  it('default: one-second blocks, one confirmation', () => {
    expect(resolveLabOptions({})).toMatchObject({ blockMs: 1000, confirmations: 1 });
  });
  it.each([{ blockMs: 10 }, { confirmations: 0 }, { pulseMs: 1 }, { ports: [0, 0, 70_000] }])(
    'error: %j names the option',
    (options) => {
      const name = Object.keys(options)[0] ?? '';
      expect(() => resolveLabOptions(options as object)).toThrow(name);
    },
  );
});
