// A written call hedged on common random paths: what the discrete rule costs beside the best fixed band and
// the best fixed interval at equal error, beyond three paired standard errors; and the published run
// (delta_hedge_frontier_mc.json) found again under docs/hedging.md's conventions. Seeds 11 and 12; the
// full-size comparison is `npm run bench -- hedging`.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRiskKernel } from '../../solver/engine/risk.ts';
import { benchHedging, type Comparison, GRIDS, type Ratio } from '../bench/hedging.ts';
import { drawPaths } from '../bench/hedgingPaths.ts';
import { type Family, runRule } from '../bench/hedgingRules.ts';

const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));

describe('the discrete band', () => {
  const grids = { ...GRIDS, whalleyWilmott: [], zakamouline: [] };
  const { comparisons } = benchHedging(kernel, { paths: 4000, seed: 11, grids });
  const at = (cost: Comparison['cost'], level: number): Comparison => {
    const found = comparisons.find(
      (one) => one.cost === cost && one.error === 'net' && one.level === level,
    );
    if (found === undefined) throw new Error(`no comparison at ${level}`);
    return found;
  };
  const surely = (ratio: Ratio | null): number =>
    ratio === null ? Number.NaN : ratio.ratio + 3 * ratio.standardError;

  test.each([0.07, 0.08, 0.09, 0.1])(
    'default: at std %d costs are 5 and 35 hundredths below fixed bands and fixed times',
    (level) => {
      const { ratios } = at('between', level);
      expect(surely(ratios.fixed)).toBeLessThan(0.95);
      expect(surely(ratios.time)).toBeLessThan(0.65);
    },
  );

  test.each([0.08, 0.09, 0.1])(
    'behavior: with the first purchase and the final sale counted, at std %d',
    (level) => {
      const { ratios } = at('all', level);
      expect(surely(ratios.fixed)).toBeLessThan(0.95);
      // 35 % is where this stands, not beyond error: docs/hedging.md.
      expect(surely(ratios.time)).toBeLessThan(0.68);
    },
  );
});

describe('delta_hedge_frontier_mc.json', () => {
  interface Published {
    readonly kind: 'time' | 'fix' | 'ww' | 'zak';
    readonly par: number;
    readonly mean: number;
    readonly std: number;
    readonly trades: number;
  }
  const { premium, rows } = JSON.parse(
    readFileSync('test/vectors/delta_hedge_frontier_mc.json', 'utf8'),
  ) as { readonly premium: number; readonly rows: readonly Published[] };
  const families: Readonly<Record<Published['kind'], Family>> = {
    time: 'time',
    fix: 'fixed',
    ww: 'whalleyWilmott',
    zak: 'zakamouline',
  };
  const count = 4000;
  const paths = drawPaths(kernel, count, 12);

  test('default: the premium', () => {
    expect(Math.abs(paths.premium / premium - 1)).toBeLessThan(1e-9);
  });

  // Its `par` of ww and zak is γ in hundredths. 8,000 paths there, 4,000 here.
  test.each(rows)('behavior: $kind $par', ({ kind, par, mean, std, trades }) => {
    const parameter = kind === 'ww' || kind === 'zak' ? par / 100 : par;
    const { net, trades: found } = runRule(kernel, paths, families[kind], parameter);
    const ours = net.reduce((sum, value) => sum + value, 0) / count;
    const squares = net.reduce((sum, value) => sum + (value - ours) ** 2, 0);
    const fourth = net.reduce((sum, value) => sum + (value - ours) ** 4, 0);
    const deviation = Math.sqrt(squares / (count - 1));
    const both = 1 / count + 1 / 8000;
    expect(Math.abs(ours - mean)).toBeLessThan(4 * deviation * Math.sqrt(both));
    const kurtosis = fourth / count / deviation ** 4;
    const error = deviation * Math.sqrt(((kurtosis - 1) / 4) * both);
    expect(Math.abs(deviation - std)).toBeLessThan(4 * error);
    // What it counts as a trade is not said; near expiry many are of rounding's size.
    expect(Math.abs(found / trades - 1)).toBeLessThan(0.08);
  });
});
