// Price and Greeks against bsm_greeks.json (200 random options, Hull's and Haug's examples), and the
// normal law against mpmath 1.3.

import { describe, expect, test } from 'vitest';
import type { Greeks, OptionInputs } from '../../solver/types/risk.ts';
import { apart, newKernel, vectors } from './support.ts';

interface Inputs {
  readonly cp: 'c' | 'p';
  readonly S: number;
  readonly K: number;
  readonly T: number;
  readonly r: number;
  readonly b: number;
  readonly s: number;
}
interface File {
  readonly cases: readonly {
    readonly inputs: Inputs;
    readonly check: keyof Greeks;
    readonly printed: number;
    readonly tol: number;
    readonly full: Greeks;
  }[];
  readonly grid: readonly { readonly inputs: Inputs; readonly out: Greeks }[];
}

const file = vectors<File>('bsm_greeks');
const kernel = newKernel();

function optionOf({ cp, S, K, T, r, b, s }: Inputs): OptionInputs {
  const kind = cp === 'c' ? 'call' : 'put';
  return { kind, spot: S, strike: K, years: T, rate: r, carry: b, volatility: s };
}

/** [x, N(−x), n(x)]: `mpmath.ncdf(-x)`, `mpmath.npdf(x)` at 60 digits, rounded once. */
const NORMAL: readonly (readonly [number, number, number])[] = [
  [0.25, 0.4012936743170763, 0.3866681168028492],
  [0.5, 0.3085375387259869, 0.35206532676429947],
  [0.674, 0.2501556568403226, 0.3178815235088706],
  [0.7, 0.24196365222307303, 0.31225393336676127],
  [1, 0.15865525393145705, 0.24197072451914334],
  [2, 0.02275013194817921, 0.05399096651318805],
  [3.5, 0.00023262907903552504, 0.00087268269504576],
  [5.65, 8.022391850663497e-9, 4.6668867975942534e-8],
  [5.7, 5.990371401063528e-9, 3.5139550948204334e-8],
  [8, 6.220960574271784e-16, 5.052271083536892e-15],
  [15, 3.670966199312751e-51, 5.530709549844416e-50],
  [25, 3.056696706382561e-138, 7.653929736419392e-137],
  [37.5, 4.605353009581955e-308, 1.7282337322841054e-306],
];

describe('greeks', () => {
  test('behavior: all thirteen of every vector to 1e-12 relative', () => {
    const rows = [
      ...file.cases.map(({ inputs, full }) => [inputs, full] as const),
      ...file.grid.map(({ inputs, out }) => [inputs, out] as const),
    ];
    let worst = 0;
    for (const [inputs, expected] of rows) {
      const found = kernel.greeks(optionOf(inputs));
      for (const name of Object.keys(expected) as (keyof Greeks)[]) {
        const error = apart(found[name], expected[name]);
        worst = Math.max(worst, error);
        expect(error, `${name} of ${JSON.stringify(inputs)}`).toBeLessThan(1e-12);
      }
    }
    console.log(
      `bsm_greeks: ${rows.length} options × 13, worst ${worst.toExponential(1)} relative`,
    );
  });

  test('behavior: what Hull and Haug print, to their own digits', () => {
    for (const { inputs, check, printed, tol } of file.cases) {
      const found = kernel.greeks(optionOf(inputs))[check];
      expect(Math.abs(found - printed), JSON.stringify(inputs)).toBeLessThanOrEqual(tol);
    }
  });

  test('behavior: the normal law to 1e-15 relative, tails included', () => {
    // At the forward with T = 1 and σ = 2x, d₁ = x and d₂ = −x exactly: Δ is N(±x), gamma holds n(x).
    for (const [x, tail, density] of NORMAL) {
      const base = { spot: 1, strike: 1, years: 1, rate: 0, carry: 0, volatility: 2 * x };
      const call = kernel.greeks({ ...base, kind: 'call' });
      const put = kernel.greeks({ ...base, kind: 'put' });
      expect([call.d1, call.d2]).toEqual([x, -x]);
      expect(apart(-put.delta, tail), `N(−${x})`).toBeLessThan(1e-15);
      expect(apart(call.delta, 1 - tail), `N(${x})`).toBeLessThan(1e-15);
      expect(apart(call.gamma * 2 * x, density), `n(${x})`).toBeLessThan(1e-15);
    }
  });
});
