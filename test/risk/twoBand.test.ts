// The two bands held to what defines them: the conditions of smooth fit at any scale, the exact limits,
// an average cost that no other pair of bands undercuts, and the twin's three bisections.

import { describe, expect, test } from 'vitest';
import { type Random, random } from '../engine/generate.ts';
import { averageCost, type Setting, twoBand } from '../twin/risk/twoBand.ts';
import { apart, newKernel, refusalOf } from './support.ts';

const kernel = newKernel();
const SEED = 20_261_121;

function bands({ aversion, varianceRate, proportional, fixed }: Setting) {
  return kernel.twoBand(aversion, varianceRate, proportional, fixed);
}

function randomSetting(rng: Random, decades: number): Setting {
  const draw = () => 10 ** rng.between(-decades, decades);
  return { aversion: draw(), varianceRate: draw(), proportional: draw(), fixed: draw() };
}

describe('twoBand', () => {
  test('default: without a fixed cost both bands are the edge, to the last digit but one', () => {
    const rng = random(SEED);
    for (let k = 0; k < 2000; k++) {
      const { aversion, varianceRate, proportional } = randomSetting(rng, 9);
      const { trigger, landing } = kernel.twoBand(aversion, varianceRate, proportional, 0);
      const edge = Math.cbrt((3 * proportional * varianceRate) / (2 * aversion));
      expect(landing).toBe(trigger);
      expect(apart(trigger, edge), `seed ${SEED}, case ${k}`).toBeLessThan(1e-15);
    }
  });

  test('default: without a proportional cost it trades to the target', () => {
    const rng = random(SEED + 1);
    for (let k = 0; k < 2000; k++) {
      const { aversion, varianceRate, fixed } = randomSetting(rng, 9);
      const { trigger, landing } = kernel.twoBand(aversion, varianceRate, 0, fixed);
      const reach = ((12 * fixed * varianceRate) / aversion) ** 0.25;
      expect(landing).toBe(0);
      expect(apart(trigger, reach), `seed ${SEED + 1}, case ${k}`).toBeLessThan(1e-15);
    }
  });

  test('default: without any cost there is no band', () => {
    expect(kernel.twoBand(1, 1, 0, 0)).toEqual({ trigger: 0, landing: 0 });
  });

  test('property: smooth fit at 1e-12, with each input anywhere in 1e±9', () => {
    const rng = random(SEED + 2);
    for (let k = 0; k < 5000; k++) {
      const setting = randomSetting(rng, 9);
      const { aversion, varianceRate, proportional, fixed } = setting;
      const { trigger: H, landing: h } = bands(setting);
      const label = `seed ${SEED + 2}, case ${k}`;
      expect(H >= h && h > 0, label).toBe(true);
      // The cubic's third root is −(h + H), so its constant term is h·H·(h + H).
      const A = (3 * proportional * varianceRate) / (2 * aversion);
      expect(apart((h * H * (h + H)) / 2, A), label).toBeLessThan(1e-14);
      // The area between the bands, as the width that gives it.
      const m = (H + h) / 2;
      const d = Math.cbrt((3 * fixed * varianceRate) / (4 * aversion) / m);
      expect(apart((H - h) / 2, d, m), label).toBeLessThan(1e-14);
    }
  });

  test('property: the bands do not change their shape with the units', () => {
    const rng = random(SEED + 3);
    for (let k = 0; k < 2000; k++) {
      const setting = randomSetting(rng, 6);
      const c = 10 ** rng.between(-5, 5);
      const scaled = {
        aversion: setting.aversion / c ** 2,
        varianceRate: setting.varianceRate * c ** 2,
        proportional: setting.proportional / c,
        fixed: setting.fixed,
      };
      const [one, other] = [bands(setting), bands(scaled)];
      expect(apart(other.trigger, one.trigger * c)).toBeLessThan(1e-14);
      expect(apart(other.landing, one.landing * c)).toBeLessThan(1e-13);
    }
  });

  test('property: no other pair of bands costs less on average', () => {
    const rng = random(SEED + 4);
    for (let k = 0; k < 400; k++) {
      const setting = randomSetting(rng, 3);
      const best = bands(setting);
      const cost = averageCost(setting, best);
      const width = best.trigger - best.landing;
      // Narrower than this, the formula is a quotient of two differences that rounding decides.
      if (width < 1e-4 * best.trigger) continue;
      for (const size of [1e-3, 0.03, 0.3]) {
        for (const [up, down] of [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
          [1, 1],
          [-1, -1],
          [1, -1],
          [-1, 1],
        ] as const) {
          const trigger = best.trigger + up * size * width * 0.9;
          const landing = Math.max(0, best.landing + down * size * Math.min(width, best.landing));
          if (!(trigger > landing)) continue;
          const other = averageCost(setting, { trigger, landing });
          const label = `seed ${SEED + 4}, case ${k}, ${up}/${down} by ${size}`;
          expect(other, label).toBeGreaterThanOrEqual(cost * (1 - 1e-10));
        }
      }
    }
  });

  test('property: three bisections on POLICY.md’s own words agree', () => {
    const rng = random(SEED + 5);
    let worst = 0;
    for (let k = 0; k < 1000; k++) {
      const setting = randomSetting(rng, 1);
      const [found, expected] = [bands(setting), twoBand(setting)];
      // The area is a difference of two integrals: near F = 0 it decides half the digits.
      worst = Math.max(worst, apart(found.trigger, expected.trigger));
      expect(apart(found.trigger, expected.trigger), `case ${k}`).toBeLessThan(1e-8);
      expect(apart(found.landing, expected.landing, found.trigger), `case ${k}`).toBeLessThan(1e-8);
    }
    console.log(`seed ${SEED + 5}: twin, worst ${worst.toExponential(1)}`);
  });

  test('error: what cannot be a cost, a variance or an aversion is refused by name', () => {
    for (const value of [Number.NaN, Infinity, -Infinity, -1]) {
      expect(refusalOf(() => kernel.twoBand(value, 1, 1, 1))).toBe('/aversion');
      expect(refusalOf(() => kernel.twoBand(1, value, 1, 1))).toBe('/varianceRate');
      expect(refusalOf(() => kernel.twoBand(1, 1, value, 1))).toBe('/proportional');
      expect(refusalOf(() => kernel.twoBand(1, 1, 1, value))).toBe('/fixed');
    }
    expect(refusalOf(() => kernel.twoBand(0, 1, 1, 1))).toBe('/aversion');
    expect(refusalOf(() => kernel.twoBand(1, 0, 1, 1))).toBe('/varianceRate');
    expect(refusalOf(() => kernel.twoBand(1e-300, 1e300, 1, 1))).toBe('/varianceRate');
  });

  test('property: anything positive gives finite bands or a refusal', () => {
    const rng = random(SEED + 6);
    for (let k = 0; k < 2000; k++) {
      const setting = randomSetting(rng, 307);
      let found: { readonly trigger: number; readonly landing: number };
      try {
        found = bands(setting);
      } catch {
        expect(refusalOf(() => bands(setting))).toBe('/varianceRate');
        continue;
      }
      const label = `seed ${SEED + 6}, case ${k}`;
      expect(found.trigger < Infinity && found.trigger > 0, label).toBe(true);
      expect(found.landing >= 0 && found.landing <= found.trigger, label).toBe(true);
    }
  });
});
