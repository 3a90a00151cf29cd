// hedgeDecision: what it trades, why, what it leaves, and what it refuses.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRiskKernel } from '../../../solver/engine/risk.ts';
import { hedgeDecision } from '../../../solver/policy/hedging/decide.ts';
import type {
  HedgeBandModel,
  HedgePolicy,
  HedgeState,
  OptionPosition,
} from '../../../solver/policy/hedging/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { InvalidInput } from '../../../solver/types/errors.ts';
import type { OptionInputs } from '../../../solver/types/risk.ts';

const kernel = createRiskKernel(readFileSync('.build/trimtab.wasm'));
const NOW = unixSeconds(1_800_000_000);
const PRICE = 3000;

const option = (more: Partial<OptionInputs> = {}): OptionInputs => ({
  kind: 'call',
  spot: PRICE,
  strike: 3000,
  years: 30 / 365,
  rate: 0,
  carry: 0,
  volatility: 0.7,
  ...more,
});
const policy = (more: Partial<HedgePolicy> = {}): HedgePolicy => ({
  underlying: 'ETH',
  netDelta: 0,
  band: { kind: 'discrete', aversion: 0.01 },
  gammaBand: null,
  vegaBand: null,
  instruments: ['near', 'far'],
  proportional: 0.0005,
  ...more,
});
const written: OptionPosition = { instrument: 'call', quantity: -1, option: option() };
const tradable = [
  { instrument: 'near', option: option({ years: 14 / 365, strike: 3100 }) },
  { instrument: 'far', option: option({ years: 90 / 365, strike: 3200 }) },
];
const state = (more: Partial<HedgeState> = {}): HedgeState => ({
  options: [written],
  underlying: 0.54,
  tradable,
  ...more,
});
const decide = (of: HedgePolicy, at: HedgeState, price = PRICE, now = NOW) =>
  hedgeDecision(of, at, price, kernel, now);
const codes = (list: readonly { readonly code: string }[]) => list.map(({ code }) => code);

const MODELS: readonly HedgeBandModel[] = [
  { kind: 'whalleyWilmott', aversion: 0.01 },
  { kind: 'zakamouline', aversion: 0.01 },
  { kind: 'discrete', aversion: 0.01 },
  { kind: 'twoBand', aversion: 0.01 },
  { kind: 'leland', everySeconds: 86_400 },
  { kind: 'fixed', width: 0.03 },
];

describe('hedgeDecision', () => {
  test('default: a written call without a hedge is hedged to the band’s edge', () => {
    const found = decide(policy(), state({ underlying: 0 }));
    expect(found.trades).toEqual([{ instrument: 'ETH', quantity: found.band.landLow }]);
    expect(codes(found.reasons)).toEqual(['deltaOutside']);
    expect(found.costUsd).toBeCloseTo(0.0005 * PRICE * found.band.landLow, 12);
    expect(found.after.delta).toBeCloseTo(found.before.delta + found.band.landLow, 12);
  });

  test('behavior: inside the band nothing is traded, and it says so', () => {
    const found = decide(policy(), state());
    expect(found.trades).toEqual([]);
    expect(codes(found.reasons)).toEqual(['deltaInside']);
    expect(found.costUsd).toBe(0);
  });

  test('behavior: the price of the decision counts, not the option’s own spot', () => {
    const stale = { ...written, option: option({ spot: 1 }) };
    expect(decide(policy(), state({ options: [stale] }))).toEqual(
      decide(policy(), state({ options: [written] })),
    );
  });

  test('behavior: a net delta asked for moves the band by as much', () => {
    const [at, moved] = [decide(policy(), state()), decide(policy({ netDelta: 5 }), state())];
    expect(moved.band.wanted - at.band.wanted).toBeCloseTo(5, 12);
    expect(moved.band.high - at.band.high).toBeCloseTo(5, 12);
  });

  test('behavior: gamma and vega come inside by two options, the underlying closes delta', () => {
    const found = decide(policy({ gammaBand: 1e-4, vegaBand: 20 }), state());
    expect(codes(found.reasons)).toEqual(['gammaOutside', 'vegaOutside', 'deltaOutside']);
    expect(found.trades.map(({ instrument }) => instrument)).toEqual(['near', 'far', 'ETH']);
    expect(Math.abs(found.after.gamma)).toBeLessThanOrEqual(1e-4 * (1 + 1e-9));
    expect(Math.abs(found.after.vega)).toBeLessThanOrEqual(20 * (1 + 1e-9));
  });

  test('behavior: only instruments of the policy are traded; none left is a reason', () => {
    const found = decide(policy({ gammaBand: 1e-4, instruments: ['other'] }), state());
    expect(codes(found.skipped)).toEqual(['noInstruments']);
    expect(codes(found.reasons)).toEqual(['deltaInside']);
  });

  test('behavior: options of one strike and expiry cannot set gamma and vega apart', () => {
    const twins = [option(), option({ kind: 'put' })].map((each, k) => ({
      instrument: k === 0 ? 'near' : 'far',
      option: each,
    }));
    const apart = [
      written,
      { instrument: 'old', quantity: 3, option: option({ years: 200 / 365 }) },
    ];
    const found = decide(
      policy({ gammaBand: 0, vegaBand: 0 }),
      state({ options: apart, tradable: twins }),
    );
    expect(codes(found.skipped)).toEqual(['instrumentsCollinear']);
  });

  test('behavior: one instrument for two Greeks that it cannot both bring inside', () => {
    const found = decide(
      policy({ gammaBand: 0, vegaBand: 0, instruments: ['far'] }),
      state({ tradable }),
    );
    expect(codes(found.skipped)).toEqual(['gammaVegaUnreachable']);
  });

  test('behavior: an expired option counts at its intrinsic delta and is named', () => {
    const over = { ...written, option: option({ years: 0, strike: 2900 }) };
    const found = decide(policy(), state({ options: [over], underlying: 0.5 }));
    expect(codes(found.skipped)).toEqual(['optionExpired']);
    expect(found.trades).toEqual([{ instrument: 'ETH', quantity: 0.5 }]);
    const put = { ...over, option: option({ kind: 'put', years: -1, strike: 2900 }) };
    expect(decide(policy(), state({ options: [put], underlying: 0 })).trades).toEqual([]);
  });

  test('behavior: an expired instrument is not traded', () => {
    const dead = [{ instrument: 'near', option: option({ years: 0 }) }];
    const found = decide(policy({ gammaBand: 1e-4 }), state({ tradable: dead }));
    expect(codes(found.skipped)).toEqual(['instrumentExpired', 'noInstruments']);
  });

  test('behavior: Leland hedges by the clock, to his delta exactly', () => {
    const of = policy({ band: { kind: 'leland', everySeconds: 86_400 } });
    const early = decide(of, state({ underlying: 0, lastHedgedAt: unixSeconds(NOW - 3600) }));
    expect(early.trades).toEqual([]);
    expect(codes(early.skipped)).toEqual(['hedgeNotDue']);
    expect(early.nextAt).toBe(NOW + 82_800);
    const due = decide(of, state({ underlying: 0, lastHedgedAt: unixSeconds(NOW - 86_400) }));
    expect(due.trades).toEqual([{ instrument: 'ETH', quantity: due.band.wanted }]);
    const never = decide(of, state({ underlying: 0, lastHedgedAt: null }));
    expect(never.trades).toEqual(due.trades);
  });

  test('behavior: a fixed cost waits longer and then goes further', () => {
    const of = (fixedUsd: number) =>
      policy({ band: { kind: 'twoBand', aversion: 0.01 }, fixedUsd });
    expect(decide(of(0), state({ underlying: 0.45 })).trades).toHaveLength(1);
    expect(decide(of(1), state({ underlying: 0.45 })).trades).toHaveLength(0);
    const [cheap, dear] = [
      decide(of(0), state({ underlying: 0 })),
      decide(of(1), state({ underlying: 0 })),
    ];
    expect(dear.trades[0]?.quantity).toBeGreaterThan(cheap.trades[0]?.quantity ?? Infinity);
    expect(dear.costUsd).toBeGreaterThan(1);
  });

  test('behavior: a book of no live options wants its net delta', () => {
    for (const band of MODELS) {
      const found = decide(policy({ band, netDelta: 2 }), state({ options: [], underlying: 2 }));
      expect(found.trades).toEqual([]);
      expect(found.band.wanted).toBe(2);
    }
  });

  test('error: policies, books and prices no formula holds for', () => {
    const bad = (run: () => unknown, pointer: string): void => {
      try {
        run();
      } catch (cause) {
        expect(cause).toBeInstanceOf(InvalidInput);
        expect((cause as InvalidInput).pointer).toBe(pointer);
        return;
      }
      expect.unreachable(`${pointer} was let through`);
    };
    const withOption = (more: Partial<OptionInputs>) =>
      state({ options: [{ ...written, option: option(more) }] });
    bad(
      () => decide(policy(), withOption({ volatility: -0.7 })),
      '/hedge/options/0/option/volatility',
    );
    bad(
      () => decide(policy(), withOption({ volatility: Number.NaN })),
      '/hedge/options/0/option/volatility',
    );
    bad(() => decide(policy(), withOption({ years: Number.NaN })), '/hedge/options/0/option/years');
    bad(() => decide(policy(), withOption({ strike: 0 })), '/hedge/options/0/option/strike');
    bad(() => decide(policy(), state(), 0), '/price');
    bad(() => decide(policy(), state({ underlying: Number.NaN })), '/hedge/underlying');
    bad(() => decide(policy({ netDelta: Number.POSITIVE_INFINITY }), state()), '/hedge/netDelta');
    bad(() => decide(policy({ proportional: -1 }), state()), '/hedge/proportional');
    bad(() => decide(policy({ gammaBand: -1 }), state()), '/hedge/gammaBand');
    bad(() => decide(policy({ checkSeconds: 0 }), state()), '/hedge/checkSeconds');
    bad(() => decide(policy({ fixedUsd: -1 }), state()), '/hedge/fixedUsd');
    bad(() => decide(policy({ band: { kind: 'fixed', width: 0 } }), state()), '/hedge/band/width');
    bad(
      () => decide(policy({ band: { kind: 'zakamouline', aversion: -1 } }), state()),
      '/hedge/band/aversion',
    );
  });

  test('property: inside the band afterwards, never past the landing, nothing from within', () => {
    const options = fc.array(
      fc.record({
        // A book of 10⁻¹² contracts and less has Greeks of rounding alone.
        quantity: fc
          .double({ min: -50, max: 50, noNaN: true })
          .map((contracts) => (Math.abs(contracts) < 1e-12 ? 0 : contracts)),
        kind: fc.constantFrom('call', 'put') as fc.Arbitrary<'call' | 'put'>,
        strike: fc.double({ min: 1000, max: 9000, noNaN: true }),
        years: fc.oneof(fc.constant(0), fc.double({ min: 1e-4, max: 2, noNaN: true })),
        volatility: fc.double({ min: 0.05, max: 3, noNaN: true }),
        rate: fc.double({ min: -0.1, max: 0.2, noNaN: true }),
      }),
      { maxLength: 5 },
    );
    const held = fc.double({ min: -200, max: 200, noNaN: true });
    fc.assert(
      fc.property(
        options,
        held,
        held,
        fc.constantFrom(...MODELS),
        (book, underlying, net, band) => {
          const positions = book.map(({ quantity, ...rest }, k) => ({
            instrument: `${k}`,
            quantity,
            option: option({ ...rest, carry: rest.rate }),
          }));
          const of = policy({ band, netDelta: net, fixedUsd: 0.5 });
          const found = decide(of, state({ options: positions, underlying }));
          const { low, high, landLow, landHigh, wanted } = found.band;
          const slack = 1e-9 * (1 + Math.abs(wanted) + Math.abs(underlying));
          expect(low).toBeLessThanOrEqual(landLow);
          expect(landLow).toBeLessThanOrEqual(wanted + slack);
          expect(wanted).toBeLessThanOrEqual(landHigh + slack);
          expect(landHigh).toBeLessThanOrEqual(high);
          const after = underlying + (found.trades[0]?.quantity ?? 0);
          expect(after).toBeGreaterThanOrEqual(low - slack);
          expect(after).toBeLessThanOrEqual(high + slack);
          if (underlying >= low && underlying <= high) expect(found.trades).toEqual([]);
          else if (found.trades.length > 0) {
            const edge = underlying < low ? landLow : landHigh;
            expect(Math.abs(after - edge)).toBeLessThanOrEqual(slack);
            const again = decide(of, state({ options: positions, underlying: after }));
            expect(again.trades.every(({ quantity }) => Math.abs(quantity) <= slack)).toBe(true);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
