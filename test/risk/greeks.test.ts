// Price and Greeks held to each other: parity, differences of the outputs one order below, the twin's
// price, the limits at expiry, and what is refused.

import { describe, expect, test } from 'vitest';
import type { Greeks, OptionInputs } from '../../solver/types/risk.ts';
import { type Random, random } from '../engine/generate.ts';
import { price } from '../twin/risk/options.ts';
import { apart, newKernel, refusalOf } from './support.ts';

const kernel = newKernel();
const SEED = 20_261_121;
const CASES = 2000;

const PLAIN: OptionInputs = {
  kind: 'call',
  spot: 100,
  strike: 95,
  years: 0.5,
  rate: 0.05,
  carry: 0.02,
  volatility: 0.3,
};

function randomOption(rng: Random): OptionInputs {
  const spot = 10 ** rng.between(-3, 6);
  return {
    kind: rng.pick(['call', 'put'] as const),
    spot,
    strike: spot * Math.exp(rng.between(-1, 1)),
    years: 10 ** rng.between(-2, 0.7),
    rate: rng.between(-0.1, 0.2),
    carry: rng.between(-0.2, 0.2),
    volatility: rng.between(0.1, 1.5),
  };
}

/** ∂/∂field of an output by central differences of step h, h/2, h/4 (Richardson 1911). */
function slope(option: OptionInputs, output: keyof Greeks, moved: Moved, h: number): number {
  const central = (by: number) => {
    const up = kernel.greeks(moved(option, by))[output];
    const down = kernel.greeks(moved(option, -by))[output];
    return (up - down) / (2 * by);
  };
  const [a, b, c] = [central(h), central(h / 2), central(h / 4)];
  return (16 * ((4 * c - b) / 3) - (4 * b - a) / 3) / 15;
}

type Moved = (option: OptionInputs, by: number) => OptionInputs;

/** How to move an input, and how far it takes the density to change by a part. */
const INPUTS = {
  spot: {
    moved: (o, by) => ({ ...o, spot: o.spot + by }),
    length: (o, d) => (o.spot * o.volatility * Math.sqrt(o.years)) / (1 + d),
  },
  volatility: {
    moved: (o, by) => ({ ...o, volatility: o.volatility + by }),
    length: (o, d) => o.volatility / (1 + d * d),
  },
  years: {
    moved: (o, by) => ({ ...o, years: o.years + by }),
    length: (o, d) => o.years / (1 + d * d),
  },
  // Rho's convention: carry moves with the rate.
  rate: {
    moved: (o, by) => ({ ...o, rate: o.rate + by, carry: o.carry + by }),
    length: (o, d) => o.volatility / Math.sqrt(o.years) / (1 + d),
  },
} as const satisfies Record<
  string,
  { moved: Moved; length: (option: OptionInputs, d: number) => number }
>;

/** [Greek, sign, the output it is the slope of, in what]. */
const CHAIN: readonly (readonly [keyof Greeks, number, keyof Greeks, keyof typeof INPUTS])[] = [
  ['delta', 1, 'price', 'spot'],
  ['gamma', 1, 'delta', 'spot'],
  ['speed', 1, 'gamma', 'spot'],
  ['vega', 1, 'price', 'volatility'],
  ['vanna', 1, 'delta', 'volatility'],
  ['vomma', 1, 'vega', 'volatility'],
  ['zomma', 1, 'gamma', 'volatility'],
  ['theta', -1, 'price', 'years'],
  ['charm', -1, 'delta', 'years'],
  ['rho', 1, 'price', 'rate'],
];

describe('greeks', () => {
  test('property: put-call parity to rounding, in the price and in every Greek', () => {
    const rng = random(SEED);
    for (let k = 0; k < CASES; k++) {
      const option = randomOption(rng);
      const call = kernel.greeks({ ...option, kind: 'call' });
      const put = kernel.greeks({ ...option, kind: 'put' });
      const { spot, strike, years, rate, carry } = option;
      const growth = Math.exp((carry - rate) * years);
      const [asset, cash] = [spot * growth, strike * Math.exp(-rate * years)];
      const label = `seed ${SEED}, case ${k}`;
      expect(apart(call.price - put.price, asset - cash, asset + cash), label).toBeLessThan(1e-15);
      expect(apart(call.delta - put.delta, growth, growth), label).toBeLessThan(1e-15);
      expect(apart(call.rho - put.rho, years * cash, years * cash), label).toBeLessThan(1e-15);
      expect(apart(call.charm - put.charm, (rate - carry) * growth, 1), label).toBeLessThan(1e-12);
      for (const name of ['gamma', 'vega', 'vanna', 'vomma', 'zomma', 'speed'] as const) {
        expect(call[name], `${name}, ${label}`).toBe(put[name]);
      }
    }
  });

  test('property: every Greek is the slope of an output one order below', () => {
    const rng = random(SEED + 1);
    let worst = 0;
    for (let k = 0; k < 500; k++) {
      const option = randomOption(rng);
      const greeks = kernel.greeks(option);
      const far = Math.max(Math.abs(greeks.d1), Math.abs(greeks.d2));
      for (const [name, sign, of, field] of CHAIN) {
        const length = INPUTS[field].length(option, far);
        const found = sign * slope(option, of, INPUTS[field].moved, 0.03 * length);
        // Differences know a slope to a part of its output over that length, not of itself.
        const scale = Math.abs(greeks[name]) + Math.abs(greeks[of]) / length;
        const error = apart(greeks[name], found, scale);
        worst = Math.max(worst, error);
        expect(error, `${name}, seed ${SEED + 1}, case ${k}`).toBeLessThan(1e-8);
      }
    }
    console.log(`seed ${SEED + 1}: Greeks against differences, worst ${worst.toExponential(1)}`);
  });

  test('property: the price is the textbook’s, within rounding of its two terms', () => {
    const rng = random(SEED + 2);
    for (let k = 0; k < CASES; k++) {
      const option = randomOption(rng);
      const { value, size } = price(option);
      const label = `seed ${SEED + 2}, case ${k}`;
      expect(apart(kernel.greeks(option).price, value, size), label).toBeLessThan(5e-15);
    }
  });

  test('property: prices scale with spot and strike; delta stays', () => {
    const rng = random(SEED + 3);
    for (let k = 0; k < CASES; k++) {
      const option = randomOption(rng);
      // Below 1e-290 there are fewer digits to keep.
      if (kernel.greeks(option).gamma < 1e-280) continue;
      const scaled = { ...option, spot: option.spot * 4096, strike: option.strike * 4096 };
      const [one, other] = [kernel.greeks(option), kernel.greeks(scaled)];
      // A power of two changes exponents alone: the same bits.
      expect(other.price).toBe(one.price * 4096);
      expect(other.delta).toBe(one.delta);
      expect(other.vomma).toBe(one.vomma * 4096);
      expect(other.speed).toBe(one.speed / 4096 / 4096);
    }
  });

  test('behavior: far out of the money the price keeps its digits', () => {
    // By mpmath at 60 digits; d₁ is near −25, so its own rounding costs 25² ulps: 1e-13.
    const far = {
      ...PLAIN,
      strike: 100 * Math.exp(5),
      carry: 0,
      rate: 0,
      years: 1,
      volatility: 0.2,
    };
    expect(apart(kernel.greeks(far).price, 2.954833357710743e-137)).toBeLessThan(1e-12);
  });

  test('behavior: towards expiry the Greeks tend to the intrinsic value’s', () => {
    for (const years of [1e-6, 1e-9, 1e-12, 1e-100, 1e-250]) {
      const near = kernel.greeks({ ...PLAIN, years });
      expect(near.price).toBeCloseTo(5, 4);
      expect(near.delta).toBeCloseTo(1, 6);
      expect([near.gamma, near.vega, near.vomma, near.speed]).toEqual([0, 0, 0, -0]);
    }
  });

  test('behavior: a batch gives the same bits as one by one', () => {
    const rng = random(SEED + 4);
    const options = Array.from({ length: 500 }, () => randomOption(rng));
    const inputs = Float64Array.from(
      options.flatMap((o) => {
        const sign = o.kind === 'call' ? 1 : -1;
        return [o.spot, o.strike, o.years, o.rate, o.carry, o.volatility, sign];
      }),
    );
    const expected = Float64Array.from(options.flatMap((o) => Object.values(kernel.greeks(o))));
    expect(Buffer.compare(bytesOf(kernel.greeksBatch(inputs)), bytesOf(expected))).toBe(0);
    expect(kernel.greeksBatch(new Float64Array(0))).toHaveLength(0);
  });

  test('error: what is no option is refused by name', () => {
    const bad = [Number.NaN, Infinity, -Infinity];
    for (const field of ['spot', 'strike', 'years', 'volatility'] as const) {
      for (const value of [...bad, 0, -1]) {
        const option = { ...PLAIN, [field]: value };
        expect(refusalOf(() => kernel.greeks(option))).toBe(`/${field}`);
      }
    }
    for (const field of ['rate', 'carry'] as const) {
      for (const value of bad) {
        const option = { ...PLAIN, [field]: value };
        expect(refusalOf(() => kernel.greeks(option))).toBe(`/${field}`);
      }
    }
    const neither = { ...PLAIN, kind: 'straddle' as 'call' };
    expect(refusalOf(() => kernel.greeks(neither))).toBe('/kind');
    const row = [100, 95, 0.5, 0.05, 0.02, 0.3, 1];
    const batch = (k: number, value: number) =>
      Float64Array.from([...row, ...row.with(k, value), ...row]);
    expect(refusalOf(() => kernel.greeksBatch(batch(2, 0)))).toBe('/inputs/1/years');
    expect(refusalOf(() => kernel.greeksBatch(batch(6, 0.5)))).toBe('/inputs/1/kind');
    expect(refusalOf(() => kernel.greeksBatch(batch(3, -1e6)))).toBe('/inputs/1');
    expect(refusalOf(() => kernel.greeksBatch(new Float64Array(6)))).toBe('/inputs');
    expect(refusalOf(() => kernel.greeksBatch(new Float64Array(7 * 2 ** 19 + 7).fill(1)))).toBe(
      '/inputs',
    );
  });

  test('property: wild numbers give finite Greeks or a refusal, never NaN, never a trap', () => {
    const rng = random(SEED + 5);
    const wild = () => 10 ** rng.between(-320, 308);
    let answered = 0;
    for (let k = 0; k < 5000; k++) {
      const option: OptionInputs = {
        kind: rng.pick(['call', 'put'] as const),
        spot: wild(),
        strike: wild(),
        years: wild(),
        rate: rng.between(-1, 1) * wild(),
        carry: rng.between(-1, 1) * wild(),
        volatility: wild(),
      };
      let greeks: Greeks;
      try {
        greeks = kernel.greeks(option);
      } catch {
        refusalOf(() => kernel.greeks(option));
        continue;
      }
      answered++;
      const label = `seed ${SEED + 5}, case ${k}`;
      for (const value of Object.values(greeks)) expect(Number.isFinite(value), label).toBe(true);
    }
    expect(answered).toBeGreaterThan(0);
  });
});

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
