import { describe, expect, it } from 'vitest';
import { type AuctionPrice, auctionPrice } from '../../../solver/policy/execution/auctionPrice.ts';
import {
  TOLERANCE_SECONDS,
  type ToleranceUsed,
  usedAt,
  useTolerance,
} from '../../../solver/policy/execution/tolerance.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { vectors } from '../../risk/support.ts';
import { near } from '../near.ts';

interface Row {
  readonly p0: number;
  readonly bucket: number;
  readonly decreasing: boolean;
  readonly min: number;
  readonly max: number;
  readonly t: number;
  readonly price: number;
  readonly slope: number;
  readonly scale: number;
  readonly coef: number;
}
const file = vectors<{ readonly linear: readonly Row[]; readonly exponential: readonly Row[] }>(
  'auctions',
);
const auction = (row: Row, curve: AuctionPrice['curve']): AuctionPrice => ({
  curve,
  start: row.p0,
  bucketSeconds: row.bucket,
  decreasing: row.decreasing,
  min: row.min,
  max: row.max,
});

describe('auctionPrice', () => {
  it.each(file.linear)('default: linear at $t s', (row) => {
    near(auctionPrice(auction(row, { kind: 'linear', slope: row.slope }), row.t), row.price);
  });

  it.each(file.exponential)('default: exponential at $t s', (row) => {
    const curve = { kind: 'exponential', scale: row.scale, coefficient: row.coef } as const;
    near(auctionPrice(auction(row, curve), row.t), row.price);
  });

  it('property: monotone in time, within its bounds, level within a bucket', () => {
    const seed = 20_261_142;
    const rng = random(seed);
    for (let round = 0; round < 80; round += 1) {
      const kind = rng.pick(['linear', 'exponential', 'logarithmic'] as const);
      const decreasing = rng.next() < 0.5;
      const curve =
        kind === 'linear'
          ? { kind, slope: rng.between(0, 3) }
          : { kind, scale: rng.between(0, 3), coefficient: rng.between(0, 1) };
      const offered = { curve, start: 100, bucketSeconds: 60, decreasing, min: 80, max: 120 };
      let last = auctionPrice(offered, 0);
      expect(last).toBe(100);
      for (let seconds = 60; seconds < 6_000; seconds += 60) {
        const price = auctionPrice(offered, seconds);
        expect(auctionPrice(offered, seconds + 59.9)).toBe(price);
        expect(decreasing ? last - price : price - last, `seed ${seed}`).toBeGreaterThanOrEqual(0);
        expect(price).toBeGreaterThanOrEqual(80);
        expect(price).toBeLessThanOrEqual(120);
        last = price;
      }
    }
    // Far past every bound the exponential has overflowed, and the price is still the bound.
    const long = { kind: 'exponential', scale: 1, coefficient: 1 } as const;
    const row = { start: 100, bucketSeconds: 1, decreasing: true, min: 90, max: 100 };
    expect(auctionPrice({ ...row, curve: long }, 1e9)).toBe(90);
  });

  it.each([
    ['bucketSeconds', { bucketSeconds: 0 }],
    ['min', { min: 101 }],
    ['start', { start: 200 }],
    ['curve', { curve: { kind: 'linear', slope: Number.NaN } }],
  ] as const)('error: %s', (field, part) => {
    const good = auction(file.linear[0] as Row, { kind: 'linear', slope: 1 });
    try {
      auctionPrice({ ...good, ...part }, 0);
      expect.unreachable();
    } catch (error) {
      expect((error as InvalidInput).pointer).toBe(`/${field}`);
    }
  });
});

describe('useTolerance', () => {
  const WEEK = { max: 0.05, refillSeconds: TOLERANCE_SECONDS };
  const at = (days: number) => unixSeconds(1_700_000_000 + Math.round(days * 86_400));
  const fresh: ToleranceUsed = { used: 0, at: at(0) };

  it('default: losses add up and grow back linearly over seven days', () => {
    const once = useTolerance(WEEK, fresh, 0.03, at(0)) as ToleranceUsed;
    expect(useTolerance(WEEK, once, 0.021, at(0))).toBeNull();
    near(usedAt(WEEK, once, at(3.5)), 0.005);
    expect(usedAt(WEEK, once, at(4.2))).toBeLessThan(1e-12);
    near(useTolerance(WEEK, once, 0.045, at(3.5))?.used, 0.05);
    expect(useTolerance(WEEK, once, 0.0451, at(3.5))).toBeNull();
  });

  it('behavior: gains restore nothing, nor does a clock that runs backwards', () => {
    const once = useTolerance(WEEK, fresh, 0.03, at(1)) as ToleranceUsed;
    expect(useTolerance(WEEK, once, -1, at(1))?.used).toBe(0.03);
    expect(usedAt(WEEK, once, at(0))).toBe(0.03);
    expect(() => useTolerance(WEEK, once, Number.NaN, at(1))).toThrow(InvalidInput);
  });

  it('property: within any seven days no more than twice the tolerance is lost', () => {
    // A full tolerance and what grows back meanwhile: the bound of a leaky bucket.
    const seed = 20_261_143;
    const rng = random(seed);
    let state = fresh;
    const losses: { day: number; loss: number }[] = [];
    for (let day = 0; day < 300; day += rng.between(0, 0.5)) {
      const loss = rng.between(0, 0.02);
      const next = useTolerance(WEEK, state, loss, at(day));
      if (next === null) continue;
      state = next;
      losses.push({ day, loss });
    }
    for (const { day } of losses) {
      const week = losses.filter((one) => one.day >= day && one.day < day + 7);
      const lost = week.reduce((sum, { loss }) => sum + loss, 0);
      expect(lost, `seed ${seed}`).toBeLessThanOrEqual(2 * WEEK.max + 1e-9);
    }
    expect(losses.length).toBeGreaterThan(100);
  });
});
