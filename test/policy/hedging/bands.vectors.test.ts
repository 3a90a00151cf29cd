// hedging_bands.json: Whalley and Wilmott, Zakamouline and Leland on four positions, to 1e-9; and the
// two-band rule against Whalley and Wilmott where they must agree.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createRiskKernel } from '../../../solver/engine/risk.ts';
import { leland, whalleyWilmott, zakamouline } from '../../../solver/policy/hedging/bands.ts';
import { deltaBand } from '../../../solver/policy/hedging/deltaBand.ts';
import type { HedgeBandModel } from '../../../solver/policy/hedging/types.ts';

interface Case {
  readonly S: number;
  readonly K: number;
  readonly T: number;
  readonly r: number;
  readonly sigma: number;
  readonly lam_oneway: number;
  readonly gamma: number;
  readonly delta: number;
  readonly bs_gamma: number;
  readonly whalley_wilmott_halfwidth: number;
  readonly zak_H0: number;
  readonly zak_H1: number;
  readonly zak_K: number;
  readonly zak_halfwidth: number;
  readonly leland_weekly_short_vol: number;
  readonly leland_daily_short_vol: number;
}
const { cases } = JSON.parse(readFileSync('test/vectors/hedging_bands.json', 'utf8')) as {
  readonly cases: readonly Case[];
};
const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));

const close = (ours: number, theirs: number): void =>
  expect(Math.abs(ours / theirs - 1), `${ours} against ${theirs}`).toBeLessThanOrEqual(1e-9);

const optionOf = (of: Case) =>
  ({
    kind: 'call',
    spot: of.S,
    strike: of.K,
    years: of.T,
    rate: of.r,
    carry: of.r,
    volatility: of.sigma,
  }) as const;

const bandOf = (of: Case, band: HedgeBandModel) =>
  deltaBand(
    {
      underlying: 'X',
      netDelta: 0,
      band,
      gammaBand: null,
      vegaBand: null,
      instruments: [],
      proportional: of.lam_oneway,
    },
    [{ instrument: 'call', quantity: -1, option: optionOf(of) }],
    of.S,
    kernel,
  );

describe('hedging_bands.json', () => {
  test.each(cases)('default: S $S, K $K, σ $sigma', (of) => {
    const unit = kernel.greeks(optionOf(of));
    close(unit.delta, of.delta);
    close(unit.gamma, of.bs_gamma);
    const at = { price: of.S, gamma: unit.gamma, volatility: of.sigma, years: of.T, rate: of.r };
    close(whalleyWilmott(at, of.gamma, of.lam_oneway), of.whalley_wilmott_halfwidth);
    const { h0, h1, k } = zakamouline(at, of.gamma, of.lam_oneway);
    close(h0, of.zak_H0);
    close(h1, of.zak_H1);
    close(k, of.zak_K);
    close(h0 + h1, of.zak_halfwidth);
    const adjusted = (years: number): number =>
      of.sigma * Math.sqrt(leland(of.sigma, of.lam_oneway, years, 'written'));
    close(adjusted(1 / 52), of.leland_weekly_short_vol);
    close(adjusted(1 / 365), of.leland_daily_short_vol);
  });

  test.each(cases)('behavior: a written call of S $S, K $K is banded by them', (of) => {
    const ww = bandOf(of, { kind: 'whalleyWilmott', aversion: of.gamma });
    close((ww.high - ww.low) / 2, of.whalley_wilmott_halfwidth);
    close(ww.wanted, of.delta);
    const zak = bandOf(of, { kind: 'zakamouline', aversion: of.gamma });
    close((zak.high - zak.low) / 2, of.zak_halfwidth);
    const volatility = of.sigma * Math.sqrt(1 - of.zak_K);
    close(zak.wanted, kernel.greeks({ ...optionOf(of), volatility }).delta);
  });

  test('behavior: without rate or fixed cost the two-band rule is Whalley and Wilmott', () => {
    for (const of of cases.filter(({ r }) => r === 0)) {
      const { low, high, landLow, landHigh } = bandOf(of, { kind: 'twoBand', aversion: of.gamma });
      close((high - low) / 2, of.whalley_wilmott_halfwidth);
      expect([landLow, landHigh]).toEqual([low, high]);
    }
  });

  test('behavior: a fixed cost widens the trigger and narrows the landing', () => {
    const [of] = cases as readonly [Case, ...Case[]];
    const free = bandOf(of, { kind: 'twoBand', aversion: of.gamma });
    const policy = { underlying: 'X', netDelta: 0, gammaBand: null, vegaBand: null } as const;
    const paid = deltaBand(
      {
        ...policy,
        band: { kind: 'twoBand', aversion: of.gamma },
        instruments: [],
        proportional: of.lam_oneway,
        fixedUsd: 0.01,
      },
      [{ instrument: 'call', quantity: -1, option: optionOf(of) }],
      of.S,
      kernel,
    );
    expect(paid.low).toBeLessThan(free.low);
    expect(paid.landLow).toBeGreaterThan(free.landLow);
  });
});
