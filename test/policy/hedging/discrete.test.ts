// The discrete band against what it stands for: the stopping game solved on a grid, and the stationary
// walk inside the band.

import { describe, expect, test } from 'vitest';
import {
  discreteBand,
  discreteEdges,
  discreteTurnover,
  discreteWidth,
} from '../../../solver/policy/hedging/discrete.ts';

const density = (z: number): number => Math.exp(-z * z * 0.5) / Math.sqrt(2 * Math.PI);
const OVERSHOOT = 0.5825971579390106;

/** Solves g(u) = u/ρ + E clip(g(u + Z), −1, 1) by iteration; answers where g = 1. */
function solveGame(rho: number): number {
  const limit = Math.cbrt(1.5 * rho);
  const cells = 160;
  const spacing = Math.max(limit, 0.4) / cells;
  const taps = Math.ceil(6 / spacing);
  const kernel = Float64Array.from({ length: 2 * taps + 1 }, (_, k) =>
    density((k - taps) * spacing),
  );
  const mass = kernel.reduce((sum, value) => sum + value, 0);
  // g is odd: kept on u ≥ 0, up to where it is clipped for sure.
  let game = Float64Array.from({ length: cells + 1 }, (_, k) => (k * spacing) / rho);
  const clipped = (k: number): number => {
    const value = Math.abs(k) > cells ? 1 : Math.min(1, game[Math.abs(k)] ?? 1);
    return k < 0 ? -value : value;
  };
  for (let round = 0; round < 3000; round++) {
    let moved = 0;
    const values = Float64Array.from({ length: 2 * (cells + taps) + 1 }, (_, k) =>
      clipped(k - cells - taps),
    );
    const next = game.map((old, k) => {
      let sum = 0;
      for (let tap = 0; tap <= 2 * taps; tap++) {
        sum += (kernel[tap] ?? 0) * (values[k + cells + tap] ?? 0);
      }
      const value = (k * spacing) / rho + sum / mass;
      moved = Math.max(moved, Math.abs(Math.min(1, value) - Math.min(1, old)));
      return value;
    });
    game = next;
    if (moved < 1e-9) break;
  }
  const at = game.findIndex((value) => value >= 1);
  const [below, above] = [game[at - 1] ?? 0, game[at] ?? 1];
  return spacing * (at - 1 + (1 - below) / (above - below));
}

describe('discreteWidth', () => {
  test.each([0.03, 0.1, 0.3, 1, 3, 10, 30])('default: solves the game at ρ = %d', (rho) => {
    const exact = solveGame(rho);
    const tolerance = rho < 0.3 ? 0.035 : 0.012;
    expect(Math.abs(discreteWidth(rho) / exact - 1), String(exact)).toBeLessThan(tolerance);
  });

  test('behavior: rises with ρ, from ρ to Whalley and Wilmott less the overshoot', () => {
    expect(discreteWidth(1e-6) / 1e-6).toBeCloseTo(1, 3);
    for (const rho of [1e4, 9.99e5, 1.001e6, 1e12]) {
      const limit = Math.cbrt(1.5 * rho) - OVERSHOOT;
      expect(Math.abs(discreteWidth(rho) / limit - 1)).toBeLessThan(1e-4);
    }
    let last = 0;
    for (let power = -12; power <= 12; power += 0.05) {
      const width = discreteWidth(10 ** power);
      expect(width).toBeGreaterThan(last);
      last = width;
    }
  });
});

describe('discreteTurnover', () => {
  test.each([0, 0.1, 0.4, 1, 2.5])('default: the mean trade of a walk within ±%d', (b) => {
    const cells = 61;
    const at = (k: number): number => (b === 0 ? 0 : -b + (2 * b * k) / (cells - 1));
    // Long run of the chain by its own averages: a seeded walk would need more steps than this sum.
    let chance = new Float64Array(cells).fill(1 / cells);
    for (let round = 0; round < 120; round++) {
      const next = new Float64Array(cells);
      chance.forEach((weight, k) => {
        let before = 0;
        for (let to = 0; to < cells; to++) {
          const edge = to === cells - 1 ? 1 : below((at(to) + at(to + 1)) / 2 - at(k));
          next[to] = (next[to] ?? 0) + weight * (edge - before);
          before = edge;
        }
      });
      chance = next;
    }
    const beyond = (x: number): number => density(x) - x * (1 - below(x));
    const mean = chance.reduce((sum, w, k) => sum + w * (beyond(b - at(k)) + beyond(b + at(k))), 0);
    expect(Math.abs(discreteTurnover(b) / mean - 1), String(mean)).toBeLessThan(0.012);
  });
});

/** Normal distribution function, Abramowitz and Stegun 26.2.17 (7.5e-8). */
function below(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    density(x) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}

describe('discreteBand', () => {
  const at = (gamma: number, years: number) =>
    discreteBand(3000, gamma, 0.7, years, 2 / 8760, 0.01, 0.0005);

  test('behavior: the end counts when little can happen any more', () => {
    expect(at(6.6e-4, 30 / 365).end).toBeLessThan(1e-6);
    expect(at(0, 1 / 365).end).toBe(1);
    expect(at(1e-9, 2 / 8760).end).toBeGreaterThan(0.9);
  });

  test('behavior: near the end it sells to the target and buys back 2H₀ below it', () => {
    const band = at(0, 1 / 365);
    expect(discreteEdges(1, band)).toEqual([1 - 2 * band.oneOff, 1]);
    expect(discreteEdges(-1, band)).toEqual([-1, -1 + 2 * band.oneOff]);
    const last = at(0, 1e-7);
    expect(discreteEdges(0.3, last)).toEqual([0, 0.3]);
  });

  test('property: the target lies within the edges; the band mirrors', () => {
    for (const gamma of [0, 1e-12, 1e-6, 1e-4, 1e-2]) {
      for (const years of [1e-9, 1e-4, 0.01, 1]) {
        for (const wanted of [0, 1e-6, 0.3, 1, 40]) {
          const band = at(gamma, years);
          const [low, high] = discreteEdges(wanted, band);
          expect(low).toBeLessThanOrEqual(wanted);
          expect(high).toBeGreaterThanOrEqual(wanted);
          if (wanted === 0) continue;
          const [mirrorLow, mirrorHigh] = discreteEdges(-wanted, band);
          expect([0 - mirrorHigh, 0 - mirrorLow]).toEqual([low, high]);
        }
      }
    }
  });
});
