// A backtest: the owner's policy over a history, the families of rules beside it at equal tracking
// error, the bound no foresight can beat, and how far each figure could have come out otherwise. All by
// POLICY.md's definitions; rivals are tuned on the very history, our rule is not. Does no I/O.

import { forecastPlan } from '../policy/forecast/mixed.ts';
import type { Policy } from '../policy/types.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ForecastPlan, Replay, ReplayCosts, ReplayKernel } from '../types/replay.ts';
import type { RiskKernel } from '../types/risk.ts';
import {
  type Draws,
  drawWeeks,
  type Interval,
  intervalOf,
  redraw,
  redrawSweep,
} from './bootstrap.ts';
import {
  FAMILIES,
  type FamilyName,
  parameterAt,
  readSweep,
  type Sweep,
  sweep,
} from './frontier.ts';
import { type PolicyRun, replayable, replayPolicy } from './policyReplay.ts';
import { type PriceHistory, pricesOf, YEAR_SECONDS } from './prices.ts';
import { foresightShare } from './regret.ts';

export interface BacktestOptions {
  readonly costs: ReplayCosts;
  /** Tracking errors to compare at, fractions per year, ascending. */
  readonly errors: readonly number[];
  readonly seed: number;
  /** Told what is being done. */
  readonly progress?: (text: string) => void;
}

export interface Figure {
  readonly value: number;
  /** null: too short a history, or too many draws that do not reach it. */
  readonly interval: Interval | null;
}

export interface FamilyFigure extends Figure {
  /** The tuned parameter: steps, width or κ. */
  readonly parameter: number;
}

export interface FrontierRow {
  readonly te: number;
  /** Cost per year; null where the family does not reach this error. */
  readonly families: Readonly<Record<FamilyName, FamilyFigure | null>>;
  /** Cost of our rule over the best rival's; below 1 it is cheaper. */
  readonly ratioToBest: Figure | null;
  /** The same over POLICY.md's rule, which sees the prior alone. */
  readonly ratioToReference: Figure | null;
  /** The bound's J over our rule's at its κ here; null where that is not reached, or over 8 assets. */
  readonly foresightRatio: number | null;
}

export interface Backtest {
  readonly assets: readonly string[];
  readonly years: number;
  readonly steps: number;
  readonly stepSeconds: number;
  readonly plan: ForecastPlan;
  readonly policy: PolicyRun & {
    readonly intervals: Readonly<
      Record<'cost' | 'te' | 'turnover' | 'trades' | 'maxDrawdown', Interval | null>
    >;
  };
  readonly frontier: readonly FrontierRow[];
  readonly sweeps: readonly Sweep[];
  readonly foresightRatio: number | null;
  readonly seed: number;
}

/** With more assets a bound takes as long as all else: the headline's alone is computed. */
const BOUNDED_ROWS_ASSETS_MAX = 8;
const WEEK_SECONDS = 7 * 86_400;
/** Weeks below which resampling them says little. */
const WEEKS_MIN = 8;
const RIVALS = ['calendar', 'toTarget', 'toHalf', 'toEdge'] as const;

/** Throws InvalidInput naming what is wrong with the policy or the history. */
export function backtest(
  policy: Policy,
  history: PriceHistory,
  kernels: { readonly risk: RiskKernel; readonly replay: ReplayKernel },
  options: BacktestOptions,
): Backtest {
  const { costs, errors, seed, progress = () => {} } = options;
  replayable(policy);
  const prices = pricesOf(history, policy.assets);
  const { stepSeconds, times } = history;
  const plan = forecastPlan(stepSeconds);
  const steps = times.length - 1;
  const blockSteps = Math.max(1, Math.round(WEEK_SECONDS / stepSeconds));
  if (policy.assets.length < 2) {
    throw new InvalidInput('one asset alone never drifts; name two or more', {
      pointer: '/targets',
    });
  }
  const replay = kernels.replay.load({
    targets: Float64Array.from(policy.targets),
    prices,
    perYear: YEAR_SECONDS / stepSeconds,
    prior: policy.prior.covariance,
    forecast: plan,
    blockSteps,
  });
  const weeks = Math.ceil(steps / blockSteps);
  const draws = weeks < WEEKS_MIN ? null : drawWeeks(weeks, seed);
  const sweeps = FAMILIES.map((family) => {
    progress(`${family}: sweeping its parameter over ${steps} steps`);
    return sweep(replay, family, costs, errors);
  });
  progress('the policy itself, step by step');
  const input = { policy, prices, times, stepSeconds, plan, costs, blockSteps };
  const run = replayPolicy(input, kernels.risk, (share) =>
    progress(`the policy itself: ${Math.round(share * 100)} %`),
  );
  progress(draws === null ? 'too short for intervals' : 'drawing weeks for the intervals');
  const rows = compare(replay, sweeps, errors, draws);
  progress('the bound of perfect foresight');
  const shareAt = foresightShare(replay, policy, prices, stepSeconds, costs);
  const headline = run.aversion ?? kappaOf(rows[0]);
  return {
    assets: policy.assets,
    years: replay.years,
    steps,
    stepSeconds,
    plan,
    policy: { ...run, intervals: policyIntervals(run, draws, replay.years) },
    frontier: rows.map((row) => {
      const kappa = kappaOf(row);
      const few = policy.assets.length <= BOUNDED_ROWS_ASSETS_MAX;
      return { ...row, foresightRatio: kappa === null || !few ? null : shareAt(kappa) };
    }),
    sweeps,
    foresightRatio: headline === null ? null : shareAt(headline),
    seed,
  };
}

const kappaOf = (row: Pick<FrontierRow, 'families'> | undefined): number | null =>
  row?.families.rule?.parameter ?? null;

type Row = Omit<FrontierRow, 'foresightRatio'>;

function compare(
  replay: Replay,
  sweeps: readonly Sweep[],
  errors: readonly number[],
  draws: Draws | null,
): readonly Row[] {
  const redrawn = new Map<FamilyName, readonly Float64Array[]>();
  if (draws !== null) {
    for (const one of sweeps) {
      redrawn.set(one.family, redrawSweep(one, errors, draws, replay.years));
    }
  }
  const drawn = (family: FamilyName, k: number): readonly number[] =>
    Array.from(redrawn.get(family)?.[k] ?? []);
  const count = draws?.counts.length ?? 0;
  return errors.map((te, k) => {
    const families = Object.fromEntries(
      sweeps.map((one) => {
        const reading = readSweep(one, te);
        if (reading === null) return [one.family, null];
        const interval = draws === null ? null : intervalOf(drawn(one.family, k), count);
        return [
          one.family,
          { value: reading.cost, interval, parameter: parameterAt(one, reading) },
        ];
      }),
    ) as Row['families'];
    const over = (rivals: readonly FamilyName[]) => ratioOf(families, rivals, drawn, k, count);
    return { te, families, ratioToBest: over(RIVALS), ratioToReference: over(['reference']) };
  });
}

/** Paired: rule and rivals are read on the same draws, and the rivals are tuned anew on each. */
function ratioOf(
  families: Row['families'],
  others: readonly FamilyName[],
  drawn: (family: FamilyName, k: number) => readonly number[],
  k: number,
  count: number,
): Figure | null {
  const { rule } = families;
  const best = Math.min(...others.map((family) => families[family]?.value ?? Infinity));
  if (rule === null || best === Infinity) return null;
  const rivals = others.map((family) => drawn(family, k));
  const ratios = drawn('rule', k).map((cost, draw) => {
    const least = Math.min(
      ...rivals.map((costs) => {
        const one = costs[draw] ?? Number.NaN;
        return Number.isNaN(one) ? Infinity : one;
      }),
    );
    return least === Infinity ? Number.NaN : cost / least;
  });
  return { value: rule.value / best, interval: count === 0 ? null : intervalOf(ratios, count) };
}

function policyIntervals(
  run: PolicyRun,
  draws: Draws | null,
  years: number,
): Backtest['policy']['intervals'] {
  if (draws === null) {
    return { cost: null, te: null, turnover: null, trades: null, maxDrawdown: null };
  }
  const sums = draws.counts.map((count) => redraw(run.blocks, count, years));
  const total = (of: (week: PolicyRun['worth'][number]) => number) =>
    draws.counts.map((count) =>
      run.worth.reduce((sum, week, k) => sum + of(week) * (count[k] ?? 0), 0),
    );
  const between = (values: readonly number[]) => intervalOf(values, draws.counts.length);
  return {
    cost: between(sums.map(({ cost }) => cost)),
    te: between(sums.map(({ te }) => te)),
    turnover: between(total(({ turnover }) => turnover).map((sum) => sum / years)),
    trades: between(total(({ trades }) => trades)),
    maxDrawdown: between(draws.orders.map((order) => drawdownOf(run, order))),
  };
}

/** The deepest fall of a history of weeks in this order. */
function drawdownOf(run: PolicyRun, order: Int32Array): number {
  let [log, peak, deepest] = [0, 0, 0];
  for (const k of order) {
    const week = run.worth[k];
    if (week === undefined) continue;
    deepest = Math.max(deepest, week.drawdown, 1 - Math.exp(log + week.least - peak));
    peak = Math.max(peak, log + week.greatest);
    log += week.growth;
  }
  return deepest;
}
