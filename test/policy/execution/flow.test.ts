import { describe, expect, it } from 'vitest';
import {
  capForImpact,
  chunksWithin,
  flowLeft,
  jitterSeconds,
} from '../../../solver/policy/execution/flow.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import { random } from '../../engine/generate.ts';
import { crowd } from './crowd.ts';

const NOW = unixSeconds(1_700_000_000);

describe('jitterSeconds', () => {
  it('default: the same policy and occasion always wait the same; others differ', () => {
    expect(jitterSeconds('a', '1', 3_600)).toBe(jitterSeconds('a', '1', 3_600));
    const seen = new Set(
      ['a', 'b', 'c'].flatMap((id) => [1, 2].map((n) => jitterSeconds(id, `${n}`, 1e9))),
    );
    expect(seen.size).toBe(6);
    expect(jitterSeconds('a:b', 'c', 1e9)).not.toBe(jitterSeconds('a', 'b:c', 1e9));
    expect(jitterSeconds('a', '1', 0)).toBe(0);
  });

  it('property: uniform in the window: χ² over 100 cells of 20,000 policies', () => {
    const cells = new Array<number>(100).fill(0);
    for (let policy = 0; policy < 20_000; policy += 1) {
      const seconds = jitterSeconds(`policy-${policy}`, '1700000000', 3_600);
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(seconds).toBeLessThan(3_600);
      cells[Math.floor(seconds / 36)] = (cells[Math.floor(seconds / 36)] ?? 0) + 1;
    }
    const chi = cells.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
    // 99 degrees of freedom: 99.9 % lie below 148.2.
    expect(chi).toBeLessThan(148.2);
  });

  it('error: a window that is no whole number of seconds', () => {
    expect(() => jitterSeconds('a', '1', 0.5)).toThrow(InvalidInput);
    expect(() => jitterSeconds('a', '1', -1)).toThrow(InvalidInput);
  });
});

describe('chunksWithin', () => {
  it('property: equal parts within the cap, exactly the total', () => {
    const rng = random(20_261_171);
    for (let round = 0; round < 1_000; round += 1) {
      const total = rng.between(-1e6, 1e6);
      const cap = rng.between(1e3, 1e6);
      const chunks = chunksWithin(total, cap);
      expect(chunks.length).toBe(Math.max(1, Math.ceil(Math.abs(total) / cap)));
      const sum = chunks.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - total)).toBeLessThanOrEqual(1e-9 * Math.abs(total));
      for (const chunk of chunks) expect(Math.abs(chunk)).toBeLessThanOrEqual(cap * (1 + 1e-9));
    }
  });
  it('error: no cap, no number, too many', () => {
    expect(() => chunksWithin(1, 0)).toThrow(InvalidInput);
    expect(() => chunksWithin(Number.NaN, 1)).toThrow(InvalidInput);
    expect(() => chunksWithin(1e9, 1)).toThrow(InvalidInput);
  });
});

describe('flowLeft', () => {
  const cap = { windowSeconds: 600, capUsd: 1_000 };
  it('default: what the window does not hold yet', () => {
    const flow = (age: number, usd: number) => ({ at: unixSeconds(NOW - age), usd });
    expect(flowLeft(cap, [flow(0, 300), flow(599, 200), flow(600, 400)], NOW)).toBe(500);
    expect(flowLeft(cap, [flow(1, 3_000)], NOW)).toBe(0);
    expect(flowLeft(cap, [], NOW)).toBe(1_000);
  });
  it('behavior: a cap by impact moves a constant product by just that much', () => {
    const usd = capForImpact(1e6, 50);
    expect(((1e6 + usd) / 1e6) ** 2 - 1).toBeCloseTo(0.005, 12);
  });
});

describe('many policies at once', () => {
  const base = {
    policies: 200,
    tradeUsd: 20_000,
    depthUsd: 10_000_000,
    halfLifeSeconds: 300,
    jitterWindowSeconds: 0,
    cap: null,
  };
  const cap = { windowSeconds: 300, capUsd: capForImpact(base.depthUsd, 100) };

  it('behavior: jitter and the own-flow cap push the price less, for every seed', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const together = crowd({ ...base, seed });
      const jittered = crowd({ ...base, seed, jitterWindowSeconds: 7_200 });
      const both = crowd({ ...base, seed, jitterWindowSeconds: 7_200, cap });
      const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
      console.log(
        `overshoot of 200 policies, seed ${seed}: at once ${percent(together.overshoot)}, ` +
          `jitter ${percent(jittered.overshoot)}, jitter and cap ${percent(both.overshoot)}; ` +
          `paid over the outside price ${percent(together.paidOver)}, ${percent(jittered.paidOver)}, ` +
          `${percent(both.paidOver)}; done after ${both.lastSeconds} s`,
      );
      expect(jittered.overshoot).toBeLessThan(together.overshoot / 3);
      expect(both.overshoot).toBeLessThan(jittered.overshoot);
      expect(both.paidOver).toBeLessThan(together.paidOver / 3);
      // All of one window's flow at once, on top of what earlier windows left half undone.
      expect(both.overshoot).toBeLessThan(0.02);
    }
  });
});
