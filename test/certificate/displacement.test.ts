// The risk bound's search: its answer must meet the optimality conditions of
//   max over m ≥ 0 of a·m − ½A(m − w)′Σ(m − w),
// also where coordinate ascent crawls: assets that move as one, fewer factors than assets.

import { describe, expect, it } from 'vitest';
import { displacement } from '../../solver/certificate/displacement.ts';
import { fixed36, ONE36 } from '../../solver/market/decimal.ts';
import { random } from '../engine/generate.ts';

const fixed = (value: number) => fixed36(BigInt(Math.round(value * 1e12)) * 10n ** 24n);
const float = (value: bigint) => Number(value) / Number(ONE36);

describe('displacement', () => {
  it('property: optimality for up to 40 targets of any rank, near duplicates among them', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const rng = random(seed);
      const size = rng.integer(1, seed % 10 === 0 ? 40 : 12);
      const rank = rng.integer(1, size);
      const loadings = Array.from({ length: size }, (_, g) =>
        Array.from({ length: rank }, () =>
          g === 0 ? 0n : BigInt(Math.round(rng.between(-0.3, 0.6) * 1e6)),
        ),
      );
      // The last is the one before it but for a millionth.
      if (size > 2) {
        loadings[size - 1] = (loadings[size - 2] ?? []).map((x, k) => (k === 0 ? x + 1n : x));
      }
      const covariance = loadings.map((one) =>
        loadings.map((other) =>
          fixed36(one.reduce((sum, x, k) => sum + x * (other[k] ?? 0n), 0n) * 10n ** 24n),
        ),
      );
      const aversion = fixed(10 ** rng.between(-1, 3));
      const weights = loadings.map(() => fixed(rng.next() / size));
      // Margins of some optimum: in the range of Σ, lower where nothing is held.
      const held = weights.map(() => (rng.next() < 0.3 ? 0n : fixed(rng.next() / size)));
      const pulls = pull(
        covariance,
        held.map((m, g) => m - (weights[g] ?? 0n)),
      ).map((x) => (x * aversion) / ONE36);
      const margin = pulls.map((x, g) => (held[g] === 0n ? x - fixed(rng.next() * 1e-3) : x));
      const s = displacement(covariance, aversion, margin, weights);
      const reached = pull(covariance, s);
      s.forEach((one, g) => {
        const m = one + (weights[g] ?? 0n);
        expect(m >= 0n, `seed ${seed}, target ${g}`).toBe(true);
        const off = float((margin[g] ?? 0n) - ((reached[g] ?? 0n) * aversion) / ONE36);
        expect(off, `seed ${seed}, target ${g}: margin left`).toBeLessThan(1e-12);
        expect(Math.abs(off) * float(m), `seed ${seed}, target ${g}`).toBeLessThan(1e-12);
      });
    }
  });

  it('behavior: without any risk nothing is displaced', () => {
    const none = [[fixed36(0n)]];
    expect(displacement(none, ONE36, [ONE36], [ONE36])).toEqual([0n]);
  });
});

/** Σs × 10^36. */
function pull(covariance: readonly (readonly bigint[])[], s: readonly bigint[]): bigint[] {
  return covariance.map(
    (row) => row.reduce((sum, cell, g) => sum + cell * (s[g] ?? 0n), 0n) / ONE36,
  );
}
