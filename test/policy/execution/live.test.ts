// Slices and the wait for gas as decide lives them: hour by hour, with what it returns to remember and
// nothing else.

import { describe, expect, test } from 'vitest';
import { decide } from '../../../solver/policy/decide.ts';
import {
  leftAfter,
  sliceAt,
  slicesDue,
  stillToTrade,
} from '../../../solver/policy/execution/slices.ts';
import {
  type ExecutionHistory,
  START_OF_EXECUTION,
} from '../../../solver/policy/execution/types.ts';
import { withGas } from '../../../solver/policy/execution/waitForGas.ts';
import { trackingVariance } from '../../../solver/policy/triggers/model.ts';
import type { Decision, Policy, PolicyState } from '../../../solver/policy/types.ts';
import { random } from '../../engine/generate.ts';
import { kernel, NOW, normal, policyOf, priced, seconds, stateOf, sum } from '../support.ts';

const HOUR = 3_600;
const DAY = 86_400;
const OUTSIDE = [0.7, 0.2, 0.1];
const AT_TARGET = [0.5, 0.3, 0.2];
const codes = (list: readonly { readonly code: string }[]) => list.map(({ code }) => code);

const historyOf = (rest: Partial<PolicyState['history']>): PolicyState['history'] => ({
  armedAt: seconds(NOW - 100 * DAY),
  lastSettledAt: null,
  lastScheduledAt: null,
  settlements: [],
  ...rest,
});

/** One policy through time: signs what is proposed, at once, unless told otherwise. */
function life(policy: Policy, start: readonly number[]) {
  let weights: Float64Array = Float64Array.from(start);
  let history = historyOf({});
  return {
    get weights() {
      return weights;
    },
    set weights(moved: Float64Array) {
      weights = moved;
    },
    at(now: number, rest: Partial<PolicyState> = {}, signs = true): Decision {
      const state = stateOf(policy, [...weights], { history, ...rest, now: seconds(now) });
      const decision = decide(policy, state, { kernel });
      if (decision.kind === 'act' && !signs) return decision;
      const { aim, executionHistory } = decision;
      if (executionHistory !== undefined) history = { ...history, execution: executionHistory };
      if (aim !== null) {
        weights = aim.landing.slice();
        history = { ...history, lastSettledAt: decision.at };
      }
      return decision;
    },
  };
}

const SLICED = policyOf({ execution: { slices: { over: '6h', urgency: '2' } } });

describe('leftAfter', () => {
  test('default: what is left is sinh(κ(T − t))/sinh(κT); urgency 0 is equal slices', () => {
    for (const urgency of [0.1, 1, 2, 7, 20]) {
      const left = leftAfter({ overSeconds: 1, count: 6, urgency });
      left.forEach((share, k) => {
        const exact = Math.sinh(urgency * (1 - k / 6)) / Math.sinh(urgency);
        expect(Math.abs(share - exact)).toBeLessThan(1e-12);
      });
    }
    const even = leftAfter({ overSeconds: 1, count: 4, urgency: 0 });
    expect([...even]).toEqual([1, 0.75, 0.5, 0.25, 0]);
  });

  test('behavior: the first slice is due at once, the last an interval before the end', () => {
    const slicing = { overSeconds: 6 * HOUR, count: 6, urgency: 0 };
    expect([0, HOUR - 1, HOUR, 5 * HOUR, 99 * HOUR].map((t) => slicesDue(slicing, 0, t))).toEqual([
      1, 1, 2, 6, 6,
    ]);
    for (let done = 1; done < 6; done++) {
      const at = sliceAt(slicing, 0, done);
      expect(slicesDue(slicing, 0, at)).toBe(done + 1);
      expect(slicesDue(slicing, 0, at - 1)).toBe(done);
    }
  });

  test('behavior: what the market carried past the landing is not traded back', () => {
    const way = { from: [0.6, 0.4, 0], landing: [0.5, 0.4, 0.1] };
    expect([...stillToTrade(way, Float64Array.of(0.48, 0.47, 0.05))]).toEqual([0, 0, 0]);
    const left = stillToTrade(way, Float64Array.of(0.55, 0.37, 0.08));
    expect(left[0]).toBeCloseTo(-0.02, 12);
    expect([left[1], left[2]]).toEqual([0, expect.closeTo(0.02, 12)]);
  });
});

describe('slices', () => {
  test('default: threshold, then five times schedule, in Almgren and Chriss’s shares', () => {
    const whole = decide(policyOf(), stateOf(policyOf(), OUTSIDE), { kernel }).aim;
    const total = whole?.turnover ?? Number.NaN;
    const left = leftAfter(SLICED.execution.slices ?? { overSeconds: 1, count: 6, urgency: 0 });
    const run = life(SLICED, OUTSIDE);
    for (let k = 0; k < 6; k++) {
      const decision = run.at(NOW + k * HOUR);
      expect([decision.kind, decision.cause]).toEqual(['act', k === 0 ? 'threshold' : 'schedule']);
      // A slice is a landing, not an aversion: the optimizer must not go all the way.
      expect(decision.aim?.aversion).toBeNull();
      const share = (left[k] ?? 0) - (left[k + 1] ?? 0);
      expect(decision.aim?.turnover).toBeCloseTo(share * total, 10);
      expect(codes(decision.reasons)).toContain('slice');
      expect(decision.executionHistory?.slices === null).toBe(k === 5);
    }
    run.weights.forEach((w, i) => {
      expect(w).toBeCloseTo(whole?.landing[i] ?? Number.NaN, 10);
    });
  });

  test('behavior: between slices it waits, whatever the threshold says, and says until when', () => {
    const run = life(SLICED, OUTSIDE);
    run.at(NOW);
    run.weights = Float64Array.from([0.75, 0.15, 0.1]);
    const between = run.at(NOW + HOUR - 60, { now: seconds(NOW) });
    expect([between.kind, codes(between.reasons)]).toEqual(['idle', ['sliceWaits']]);
    expect(between.nextAt).toBe(NOW + HOUR);
  });

  test('behavior: a slice nobody signed is made up by the next', () => {
    const run = life(SLICED, OUTSIDE);
    const first = run.at(NOW);
    for (const k of [1, 2]) expect(run.at(NOW + k * HOUR, {}, false).cause).toBe('schedule');
    const late = run.at(NOW + 3 * HOUR);
    const left = leftAfter(SLICED.execution.slices ?? { overSeconds: 1, count: 6, urgency: 0 });
    const unit = (first.aim?.turnover ?? 0) / (1 - (left[1] ?? 0));
    expect(late.aim?.turnover).toBeCloseTo(unit * ((left[1] ?? 0) - (left[4] ?? 0)), 10);
    expect(late.executionHistory?.slices?.done).toBe(4);
  });

  test('behavior: over when the landing is reached, given up after twice its time', () => {
    const run = life(SLICED, OUTSIDE);
    run.at(NOW);
    run.weights = Float64Array.from(AT_TARGET);
    const reached = run.at(NOW + HOUR);
    expect([reached.kind, codes(reached.reasons)]).toEqual(['idle', ['slicesOver']]);
    expect(reached.executionHistory?.slices).toBeNull();
    const other = life(SLICED, OUTSIDE);
    other.at(NOW);
    const given = other.at(NOW + 12 * HOUR, { weights: Float64Array.from(OUTSIDE) });
    expect(codes(given.skipped)).toEqual(['slicesGivenUp']);
    // And begun anew, by the threshold.
    expect([given.cause, given.executionHistory?.slices?.done]).toEqual(['threshold', 1]);
  });

  test('behavior: guards, blackouts and limits hold for slices too', () => {
    const run = life(SLICED, OUTSIDE);
    run.at(NOW);
    const stale = SLICED.assets.map(() => priced(1_000, NOW - 3 * HOUR));
    expect(run.at(NOW + HOUR, { prices: stale }).mode).toBe('halted');
    const dear = run.at(NOW + HOUR, { gasUsd: 60 });
    expect([dear.kind, codes(dear.skipped)]).toEqual(['idle', ['maxGas']]);
    expect(run.at(NOW + HOUR).cause).toBe('schedule');
  });

  test('behavior: too small for slices, it goes at once', () => {
    const policy = policyOf({
      costs: { minTradeUsd: 7_000 },
      execution: { slices: { over: '6h' } },
    });
    const decision = decide(policy, stateOf(policy, OUTSIDE), { kernel });
    expect(decision.executionHistory?.slices).toBeNull();
    expect(codes(decision.reasons)).not.toContain('slice');
    expect(decision.aim?.turnover).toBeGreaterThan(0.05);
  });

  test('behavior: the clock’s trade is spread too, and its slot answered once', () => {
    const policy = policyOf({
      objective: { calendar: true },
      schedule: { every: '7d' },
      execution: { slices: { over: '6h' } },
    });
    const run = life(policy, OUTSIDE);
    const first = run.at(NOW);
    expect([first.cause, codes(first.reasons).includes('slotAnswered')]).toEqual(['time', true]);
    const second = run.at(NOW + HOUR);
    expect([second.cause, codes(second.reasons).includes('slotAnswered')]).toEqual([
      'schedule',
      false,
    ]);
  });
});

/** Hourly dollars: mean 5, halved or doubled within a day. */
function gasSeries(seed: number, hours: number): readonly number[] {
  const rng = random(seed);
  let x = 0;
  return Array.from({ length: hours }, () => {
    x = 0.85 * x + 0.3 * normal(rng.next);
    return 5 * Math.exp(x);
  });
}

function gasHistory(series: readonly number[], now: number): ExecutionHistory {
  let gas = START_OF_EXECUTION.gas;
  for (const [k, usd] of series.entries()) {
    gas = withGas(gas, seconds(now - (series.length - k) * HOUR), usd);
  }
  return { ...START_OF_EXECUTION, gas };
}

const PATIENT = policyOf({ execution: { gasTiming: { maxWait: '12h' } } });
const KNOWN = gasHistory(gasSeries(5, 336), NOW);
const dear = (rest: Partial<PolicyState> = {}): Partial<PolicyState> => ({
  gasUsd: 20,
  history: historyOf({ execution: KNOWN }),
  ...rest,
});

describe('gas timing', () => {
  test('default: while gas is dear a wanted trade waits, and says for what', () => {
    const decision = decide(PATIENT, stateOf(PATIENT, OUTSIDE, dear()), { kernel });
    expect([decision.kind, codes(decision.skipped)]).toEqual(['idle', ['waitsForGas']]);
    expect(codes(decision.reasons)).toEqual(['outside']);
    const data = decision.skipped[0]?.data ?? {};
    expect(data).toMatchObject({ gasUsd: 20, until: NOW + 12 * HOUR });
    expect(data.actAtUsd).toBeGreaterThan(0);
    expect(data.actAtUsd).toBeLessThan(20);
    expect(data.optionUsd).toBeGreaterThan(0);
    expect(data.riskUsdPerHour).toBeGreaterThan(0);
    expect(decision.executionHistory?.waitingSince).toBe(NOW);
    expect(decision.nextAt).toBeLessThanOrEqual(NOW + HOUR);
  });

  test('behavior: acts when gas falls, and at the deadline whatever it costs', () => {
    const run = life(PATIENT, OUTSIDE);
    expect(run.at(NOW, dear()).kind).toBe('idle');
    const later = (hours: number, gasUsd: number) => {
      const now = seconds(NOW + hours * HOUR);
      const known = gasHistory(gasSeries(5, 336), now);
      const history = historyOf({ execution: { ...known, waitingSince: seconds(NOW) } });
      return decide(PATIENT, stateOf(PATIENT, OUTSIDE, { now, gasUsd, history }), { kernel });
    };
    expect(later(1, 1).kind).toBe('act');
    expect(later(1, 1).executionHistory?.waitingSince).toBeNull();
    expect(later(11, 40).kind).toBe('idle');
    expect(later(12, 40).kind).toBe('act');
  });

  test('behavior: never on a guess: no gas, no day of samples, a gap in them', () => {
    const acts = (rest: Partial<PolicyState>) =>
      decide(PATIENT, stateOf(PATIENT, OUTSIDE, dear(rest)), { kernel }).kind;
    expect(acts({ gasUsd: null })).toBe('act');
    expect(acts({ history: historyOf({}) })).toBe('act');
    const few = { ...KNOWN, gas: KNOWN.gas.slice(-22) };
    expect(acts({ history: historyOf({ execution: few }) })).toBe('act');
    expect(withGas(KNOWN.gas, seconds(NOW + 5 * HOUR), 7)).toHaveLength(1);
    expect(withGas(KNOWN.gas, seconds(NOW), 7).length).toBe(336);
    const flat = gasHistory(new Array<number>(48).fill(20), NOW);
    expect(acts({ history: historyOf({ execution: flat }) })).toBe('act');
  });

  test('behavior: the more is at risk, the less it waits', () => {
    const worthUsd = 50_000_000;
    const rich = stateOf(PATIENT, OUTSIDE, dear({ worthUsd }));
    expect(decide(PATIENT, rich, { kernel }).kind).toBe('act');
  });

  test('behavior: a slot of the clock, a chain’s limit and an emergency never wait', () => {
    const clock = policyOf({
      schedule: { every: '7d' },
      execution: { gasTiming: { maxWait: '12h' } },
    });
    expect(decide(clock, stateOf(clock, OUTSIDE, dear()), { kernel }).kind).toBe('act');
    const levered = policyOf({
      leverage: { target: 2 },
      execution: { gasTiming: { maxWait: '12h' }, slices: { over: '6h' } },
    });
    const account = {
      account: 'a',
      collateral: [{ asset: 'ETH', valueUsd: 1_000_000, liquidationThreshold: 0.8 }],
      debtUsd: 700_000,
    };
    const execution: ExecutionHistory = {
      ...KNOWN,
      waitingSince: seconds(NOW - HOUR),
      slices: { since: seconds(NOW - HOUR), from: OUTSIDE, landing: AT_TARGET, done: 1 },
    };
    const state = stateOf(
      levered,
      OUTSIDE,
      dear({ accounts: [account], history: historyOf({ execution }) }),
    );
    const decision = decide(levered, state, { kernel });
    expect([decision.cause, decision.aim]).toEqual(['emergency', null]);
    expect(decision.executionHistory?.slices).toEqual(execution.slices);
  });

  test('property: through decide, gas and risk together cost less than acting at once', () => {
    const seed = 20_261_121;
    const kappa = 30;
    const policy = policyOf({
      objective: { aversion: kappa },
      execution: { gasTiming: { maxWait: '12h' } },
    });
    const targets = Float64Array.from(policy.targets);
    const { covariance } = policy.prior;
    const hourly = (weights: ArrayLike<number>) =>
      (trackingVariance(Float64Array.from(weights), targets, covariance) * kappa * 100_000) /
      2 /
      8_760;
    const total = { waits: 0, atOnce: 0, waited: 0 };
    const runs = 60;
    for (let run = 0; run < runs; run++) {
      const series = gasSeries(seed + run, 336 + 13);
      const past = gasHistory(series.slice(0, 336), NOW);
      const one = life(policy, [0.64, 0.22, 0.14]);
      for (let k = 0; k <= 12; k++) {
        const gasUsd = series[336 + k] ?? Number.NaN;
        const first = k === 0 ? { history: historyOf({ execution: past }) } : {};
        const before = hourly(one.weights);
        const decision = one.at(NOW + k * HOUR, { gasUsd, ...first });
        if (k === 0) total.atOnce += gasUsd;
        if (decision.kind === 'act') {
          total.waits += gasUsd;
          break;
        }
        expect(codes(decision.skipped), `seed ${seed}`).toEqual(['waitsForGas']);
        // What standing off costs more than the landing is at most what it costs at all.
        total.waits += before;
        total.waited++;
      }
    }
    console.log(
      `gas through decide, seed ${seed}: ${(total.waits / runs).toFixed(3)} dollars with waiting, ` +
        `${(total.atOnce / runs).toFixed(3)} at once, ${(total.waited / runs).toFixed(1)} hours waited`,
    );
    expect(total.waited, `seed ${seed}`).toBeGreaterThan(0);
    expect(total.waits, `seed ${seed}`).toBeLessThan(0.95 * total.atOnce);
    expect(sum(policy.targets)).toBeCloseTo(1, 12);
  });
});
