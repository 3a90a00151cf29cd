import { describe, expect, it } from 'vitest';
import { judgePrices, timeWeightedAverage } from '../../../solver/policy/guards/judgePrices.ts';
import type { OraclePolicy, PriceReading } from '../../../solver/policy/guards/oracle.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { random } from '../../engine/generate.ts';

const NOW = unixSeconds(1_700_000_000);
const POLICY: OraclePolicy = {
  quorum: 2,
  maxAgeSeconds: 600,
  maxDeviationBps: 100,
  maxTwapGapBps: null,
  depegFloors: { USDC: 0.97 },
  onFailure: 'halt',
};
const reading = (source: string, price: number, age = 10): PriceReading => ({
  source,
  price,
  at: unixSeconds(NOW - age),
});
const three = (price: number): PriceReading[] => [
  reading('a', price * 0.999),
  reading('b', price),
  reading('c', price * 1.001),
];
const judge = (readings: readonly PriceReading[], policy = POLICY, asset = 'ETH') =>
  judgePrices(policy, [asset], [readings], NOW);
const codes = (readings: readonly PriceReading[], policy = POLICY, asset = 'ETH') =>
  judge(readings, policy, asset).reasons.map(({ code }) => code);

describe('judgePrices', () => {
  it('default: the median of sources that agree', () => {
    const judged = judge(three(2000));
    expect(judged.mode).toBe('normal');
    expect([...(judged.prices ?? [])]).toEqual([2000]);
    expect(judged.assets[0]?.sources).toBe(3);
    expect(judged.reasons).toEqual([]);
  });

  it('behavior: one source is no quorum, however often it speaks', () => {
    const judged = judge([reading('a', 2000), reading('a', 2000, 20), reading('a', 2001, 30)]);
    expect(judged.mode).toBe('halted');
    expect(judged.prices).toBeNull();
    expect(judged.untradable).toEqual(['ETH']);
    expect(judged.reasons.map(({ code }) => code)).toContain('quorum');
  });

  it('behavior: of one source its newest word counts, and two words for one second neither', () => {
    const newest = judge([reading('a', 1000, 300), reading('a', 2000), reading('b', 2000)]);
    expect(newest.prices?.[0]).toBe(2000);
    const torn = [reading('a', 2000), reading('a', 2001), reading('b', 2000)];
    expect(codes(torn)).toEqual(expect.arrayContaining(['equivocation', 'quorum']));
  });

  it('behavior: age is counted to the second', () => {
    expect(judge([reading('a', 2000, 600), reading('b', 2000, 600)]).mode).toBe('normal');
    expect(codes([reading('a', 2000, 601), reading('b', 2000, 1)])).toContain('stalePrice');
    expect(judge([reading('a', 2000, 601), reading('b', 2000, 601)]).assets[0]?.price).toBeNull();
  });

  it('behavior: a reading from the future is set aside past a minute', () => {
    expect(judge([reading('a', 2000, -60), reading('b', 2000)]).mode).toBe('normal');
    expect(codes([reading('a', 2000, -61), reading('b', 2000)])).toContain('futurePrice');
    const strict = { ...POLICY, maxFutureSeconds: 0 };
    expect(codes([reading('a', 2000, -1), reading('b', 2000)], strict)).toContain('futurePrice');
  });

  it.each([0, -1, Number.NaN, Infinity, -0])('behavior: %s is no price', (price) => {
    expect(codes([reading('a', price), reading('b', 2000)])).toContain('badReading');
    expect(judge([reading('a', price), ...three(2000).slice(1)]).mode).toBe('normal');
  });

  it('behavior: an outlier is outvoted, a split is not believed', () => {
    const outvoted = judge([...three(2000).slice(1), reading('a', 2200)]);
    expect(outvoted.mode).toBe('normal');
    expect(outvoted.reasons.map(({ code }) => code)).toEqual(['outlier']);
    const split = [reading('a', 2000), reading('b', 2000), reading('c', 2200), reading('d', 2200)];
    expect(judge(split).mode).toBe('halted');
    expect(codes(split)).toContain('deviation');
    expect(judge([reading('a', 2000), reading('b', 2021)]).mode).toBe('halted');
    expect(judge([reading('a', 2000), reading('b', 2019)]).mode).toBe('normal');
  });

  it('behavior: a gap to the time-weighted average, or none known, fails closed', () => {
    const policy = { ...POLICY, maxTwapGapBps: 200 };
    const at = (twap: number | null) =>
      judgePrices(policy, ['ETH'], [three(2000)], NOW, [twap]).mode;
    expect(at(1970)).toBe('normal');
    expect(at(1950)).toBe('halted');
    expect(at(2050)).toBe('halted');
    expect(at(null)).toBe('halted');
    expect(judgePrices(policy, ['ETH'], [three(2000)], NOW).mode).toBe('halted');
  });

  it('behavior: USDC at 0.9128 is seen for what it is, and nothing may touch it', () => {
    const judged = judgePrices(
      { ...POLICY, onFailure: 'reduceOnly' },
      ['ETH', 'USDC'],
      [three(1400), three(0.9128)],
      NOW,
    );
    expect(judged.mode).toBe('reduceOnly');
    expect(judged.prices).toBeNull();
    expect(judged.untradable).toEqual(['USDC']);
    expect(judged.assets[1]).toMatchObject({ price: 0.9128, ok: false });
    expect(judged.reasons.map(({ code }) => code)).toEqual(['depeg']);
    expect(judge(three(0.9703), POLICY, 'USDC').mode).toBe('normal');
  });

  it('property: q − 1 liars cannot move an accepted price past maxDeviation of an honest one', () => {
    const seed = 20_261_121;
    const rng = random(seed);
    let accepted = 0;
    for (let round = 0; round < 6_000; round += 1) {
      const { policy, honest, bad, readings } = drawn(rng);
      const price = judge(readings, policy).prices?.[0];
      if (price === undefined) continue;
      accepted += 1;
      const nearest = Math.min(...honest.map((one) => Math.abs(one - price)));
      const width = (price * policy.maxDeviationBps) / 1e4;
      expect(nearest, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(width * (1 + 1e-12));
      if (honest.length <= bad) continue;
      // Rounding of the mean of two aside, strictly within what honest sources said.
      expect(price, `seed ${seed}, round ${round}`).toBeGreaterThanOrEqual(Math.min(...honest));
      expect(price, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(Math.max(...honest));
    }
    expect(accepted).toBeGreaterThan(1_000);
  });

  it('property: stale readings change nothing, and alone are never believed', () => {
    const seed = 20_261_122;
    const rng = random(seed);
    for (let round = 0; round < 500; round += 1) {
      const { policy, readings } = drawn(rng);
      const stale = readings.map(({ price }, index) => ({
        source: `stale${index}`,
        price: price * rng.between(0.5, 2),
        at: unixSeconds(NOW - policy.maxAgeSeconds - 1 - rng.integer(0, 10_000)),
      }));
      const without = judge(readings, policy);
      const beside = judge([...stale, ...readings], policy);
      expect(beside.assets, `seed ${seed}, round ${round}`).toEqual(without.assets);
      expect(judge(stale, policy).prices).toBeNull();
    }
  });
});

/** Honest readings within 30 bps of 2,000, up to quorum − 1 bad ones near the honest or anywhere. */
function drawn(rng: ReturnType<typeof random>) {
  const quorum = rng.integer(1, 4);
  const policy = { ...POLICY, quorum, maxDeviationBps: rng.pick([20, 50, 100, 300]) };
  const honest = Array.from({ length: rng.integer(1, 6) }, () => 2000 * rng.between(0.997, 1.003));
  const bad = quorum === 1 ? 0 : rng.integer(0, quorum - 1);
  const width = policy.maxDeviationBps / 1e4;
  const lies = Array.from({ length: bad }, () =>
    rng.next() < 0.7
      ? 2000 * rng.between(0.997 - width, 1.003 + width)
      : 2000 * rng.between(0.2, 5),
  );
  const readings = [...honest, ...lies].map((price, index) =>
    reading(`source${index}`, price, rng.integer(0, POLICY.maxAgeSeconds)),
  );
  return { policy, honest, bad, readings };
}

describe('timeWeightedAverage', () => {
  const seen = (age: number, price: number) => ({ at: unixSeconds(NOW - age), price });
  it('default: each price holds until the next', () => {
    expect(timeWeightedAverage([seen(100, 10), seen(25, 20)], NOW, 100)).toBe(12.5);
    expect(timeWeightedAverage([seen(400, 10), seen(50, 20)], NOW, 100)).toBe(15);
  });
  it('behavior: unknown where observations do not reach back; the future is not counted', () => {
    expect(timeWeightedAverage([seen(99, 10)], NOW, 100)).toBeNull();
    expect(timeWeightedAverage([], NOW, 100)).toBeNull();
    expect(timeWeightedAverage([seen(100, 10), seen(-5, 99)], NOW, 100)).toBe(10);
  });
});
