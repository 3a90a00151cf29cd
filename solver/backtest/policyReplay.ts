// The owner's own policy over the history, through the real `decide`, step by step: crons, cooldowns,
// budgets, limits and breakers act as in life, and what was skipped is counted. Prices are the closes,
// agreed on by as many sources as the policy asks for. Dollar limits are read against WORTH_USD. A
// plain band policy gives what the kernel's replay gives (test/backtest). Chains are not replayed;
// lending accounts and options have no price history here: policies with either are refused.

import { prepare } from '../policy/decide.ts';
import { createForecasts } from '../policy/forecast/mixed.ts';
import { CALM } from '../policy/guards/breakers.ts';
import { judgeBreakers } from '../policy/guards/judgeBreakers.ts';
import type { PriceReading } from '../policy/guards/oracle.ts';
import { modelsOf } from '../policy/triggers/model.ts';
import type { Decision, PastSettlement, Policy, PolicyState } from '../policy/types.ts';
import { unixSeconds } from '../types/amounts.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ForecastPlan, ReplayCosts, ReplayRun } from '../types/replay.ts';
import type { RiskKernel } from '../types/risk.ts';
import { YEAR_SECONDS } from './prices.ts';

/** What the portfolio is taken to be worth, for limits in dollars. */
export const WORTH_USD = 1_000_000;
const MONTH_SECONDS = 30 * 86_400;
const HOUR_SECONDS = 3_600;
/** Points of the weights kept for the chart. */
const TRACE_MAX = 720;

export interface PolicyHistoryInput {
  readonly policy: Policy;
  /** rows × assets, in the policy's order. */
  readonly prices: Float64Array;
  readonly times: Float64Array;
  readonly stepSeconds: number;
  readonly plan: ForecastPlan;
  readonly costs: ReplayCosts;
  /** Steps of one block of sums. */
  readonly blockSteps: number;
}

export interface PolicyRun extends Omit<ReplayRun, 'parameter'> {
  /** Of each block: Σ turnover, ln growth, deepest fall inside, ln of least and greatest worth. */
  readonly worth: readonly BlockWorth[];
  /** κ the policy ended with; null: it has none. */
  readonly aversion: number | null;
  /** How often each thing was left undone, and why trades were made. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly causes: Readonly<Record<string, number>>;
  readonly haltedSteps: number;
  readonly trace: Trace;
}

export interface BlockWorth {
  turnover: number;
  trades: number;
  growth: number;
  drawdown: number;
  least: number;
  greatest: number;
}

/** Weights after every so many steps, points × assets. */
export interface Trace {
  readonly times: Float64Array;
  readonly weights: Float64Array;
}

/** Throws InvalidInput where the policy needs what prices cannot tell. */
export function replayable(policy: Policy): Policy {
  const needs = policy.leverage !== null ? 'leverage' : policy.hedge !== null ? 'hedge' : null;
  if (needs !== null) {
    throw new InvalidInput(
      'cannot be replayed from prices alone: accounts and options have no history here; leave it out',
      { pointer: `/${needs}`, code: 'notReplayable' },
    );
  }
  return { ...policy, chainLimits: [], expires: null };
}

/** Replays. `progress` is told the share done, now and then. */
export function replayPolicy(
  input: PolicyHistoryInput,
  kernel: RiskKernel,
  progress: (share: number) => void = () => {},
): PolicyRun {
  const run = new Run(input, kernel);
  const steps = input.times.length - 1;
  for (let k = 0; k < steps; k++) {
    run.step(k);
    if ((k & 0x1fff) === 0x1fff) progress(k / steps);
  }
  return run.done(steps);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class Run {
  private readonly input: PolicyHistoryInput;
  private readonly n: number;
  private readonly decider: ReturnType<typeof prepare>;
  private readonly modelFor: ReturnType<typeof modelsOf>;
  private readonly moving: boolean;
  private readonly forecasts: ReturnType<typeof createForecasts>;
  private readonly policy: Policy;
  private readonly returns: Float64Array;
  private weights: Float64Array;
  private targets: Float64Array;
  private forecast: PolicyState['forecast'];
  private history: PolicyState['history'];
  private breakers: PolicyState['breakers'];
  private worth = 1;
  private peak = 1;
  private drawdown = 0;
  private active2 = 0;
  private turnover = 0;
  private trades = 0;
  private halted = 0;
  private kappa: number | null = null;
  private readonly skipped: Record<string, number> = {};
  private readonly causes: Record<string, number> = {};
  private readonly blocks: Float64Array;
  private readonly blockWorth: BlockWorth[] = [];
  private readonly trace: { times: number[]; weights: number[] } = { times: [], weights: [] };
  private readonly traceEvery: number;
  private readonly readings: Writable<PriceReading>[][];
  private readonly hourAgo: Float64Array;
  /** Worth within the breakers' window. */
  private readonly peaks: { at: PolicyState['now']; usd: number }[] = [];
  /** Where the current block began, and its peak so far. */
  private base = 1;
  private blockPeak = 1;

  constructor(input: PolicyHistoryInput, kernel: RiskKernel) {
    const { policy, costs, times, stepSeconds, plan, blockSteps } = input;
    this.input = input;
    this.n = policy.assets.length;
    this.policy = {
      ...replayable(policy),
      costs: {
        ...policy.costs,
        proportional: costs.proportional,
        fixedUsd: costs.fixed * WORTH_USD,
      },
    };
    this.decider = prepare(this.policy, kernel);
    this.modelFor = modelsOf(this.policy, kernel);
    this.moving = policy.riskBudget !== null || policy.volatilityTarget !== null;
    const prior = policy.prior.covariance;
    this.forecasts = createForecasts(prior, this.n, YEAR_SECONDS / stepSeconds, plan);
    this.forecast = { covariance: prior, source: 'prior' };
    this.returns = new Float64Array(this.n);
    this.targets = Float64Array.from(policy.targets);
    this.weights = this.targets.slice();
    const start = unixSeconds(times[0] ?? 0);
    this.history = {
      armedAt: start,
      lastSettledAt: null,
      lastScheduledAt: null,
      settlements: [],
    };
    this.peaks.push({ at: start, usd: WORTH_USD });
    this.breakers = { ...CALM, worth: this.peaks };
    const steps = times.length - 1;
    this.blocks = new Float64Array(2 * Math.ceil(steps / blockSteps));
    this.traceEvery = Math.max(1, Math.ceil(steps / TRACE_MAX));
    const sources = Array.from({ length: policy.oracles.quorum }, (_, k) => `close${k}`);
    this.readings = policy.assets.map(() =>
      sources.map((source) => ({ source, price: 1, at: start })),
    );
    this.hourAgo = new Float64Array(this.n);
  }

  step(k: number): void {
    const { blockSteps, times } = this.input;
    if (k % blockSteps === 0) this.open();
    const block = Math.floor(k / blockSteps);
    this.move(k, block);
    const before = this.forecast.covariance;
    const covariance = this.forecasts.next(this.returns);
    if (covariance !== before) {
      this.forecast = { covariance, source: 'ewma', usual: this.forecasts.usual() };
    }
    const now = unixSeconds(times[k + 1] ?? 0);
    if (this.moving) this.targets = this.modelFor(this.forecast, this.input.costs.fixed).targets;
    const decision = this.decider.decide(this.state(k + 1, now));
    this.count(decision);
    this.settle(decision, now, block);
    this.watch(k + 1, now, decision.mode);
    if (k % this.traceEvery === 0) {
      this.trace.times.push(now);
      this.trace.weights.push(...this.weights);
    }
  }

  private open(): void {
    this.base = this.worth;
    this.blockPeak = this.worth;
    this.blockWorth.push({
      turnover: 0,
      trades: 0,
      growth: 0,
      drawdown: 0,
      least: 0,
      greatest: 0,
    });
  }

  /** The prices' move, in the kernel's order of operations. */
  private move(k: number, block: number): void {
    const { prices } = this.input;
    const { n, returns, weights, targets } = this;
    let active = 0;
    let growth = 0;
    for (let i = 0; i < n; i++) {
      const r = (prices[(k + 1) * n + i] as number) / (prices[k * n + i] as number) - 1;
      returns[i] = r;
      active += ((weights[i] as number) - (targets[i] as number)) * r;
      growth += (weights[i] as number) * r;
    }
    this.active2 += active * active;
    this.blocks[2 * block] = (this.blocks[2 * block] as number) + active * active;
    for (let i = 0; i < n; i++) {
      weights[i] = ((weights[i] as number) * (1 + (returns[i] as number))) / (1 + growth);
    }
    this.worthIs(this.worth * (1 + growth));
  }

  private worthIs(worth: number): void {
    this.worth = worth;
    this.peak = Math.max(this.peak, worth);
    this.drawdown = Math.max(this.drawdown, 1 - worth / this.peak);
    this.blockPeak = Math.max(this.blockPeak, worth);
    const block = this.blockWorth.at(-1);
    if (block === undefined) return;
    const log = Math.log(worth / this.base);
    block.growth = log;
    block.drawdown = Math.max(block.drawdown, 1 - worth / this.blockPeak);
    block.least = Math.min(block.least, log);
    block.greatest = Math.max(block.greatest, log);
  }

  private state(row: number, now: PolicyState['now']): PolicyState {
    const { prices } = this.input;
    // The same objects every step: a decision reads them and keeps none.
    for (let i = 0; i < this.n; i++) {
      const price = prices[row * this.n + i] as number;
      for (const reading of this.readings[i] ?? []) {
        reading.price = price;
        reading.at = now;
      }
    }
    const { readings } = this;
    return {
      now,
      weights: this.weights,
      chainWeights: new Map(),
      worthUsd: WORTH_USD,
      prices: readings,
      forecast: this.forecast,
      history: this.history,
      breakers: this.breakers,
      accounts: [],
      hedge: null,
      gasUsd: null,
    };
  }

  private count(decision: Decision): void {
    for (const { code } of decision.skipped) this.skipped[code] = (this.skipped[code] ?? 0) + 1;
    if (decision.mode === 'halted') this.halted++;
    // Every trade settles at once, so what it remembers is kept at once too.
    const { executionHistory } = decision;
    if (executionHistory !== undefined) {
      this.history = { ...this.history, execution: executionHistory };
    }
    for (const { code, data } of decision.reasons) {
      if (code === 'slotAnswered') {
        this.history = { ...this.history, lastScheduledAt: decision.at };
      }
      if (typeof data?.kappa === 'number') this.kappa = data.kappa;
    }
  }

  private settle(decision: Decision, now: PolicyState['now'], block: number): void {
    if (decision.aim === null) return;
    const { costs } = this.input;
    const { landing } = decision.aim;
    let turnover = 0;
    for (let i = 0; i < this.n; i++) {
      turnover += Math.abs((landing[i] as number) - (this.weights[i] as number));
    }
    turnover /= 2;
    const cost = costs.proportional * turnover + costs.fixed;
    this.weights = landing.slice();
    this.turnover += turnover;
    this.trades++;
    this.blocks[2 * block + 1] = (this.blocks[2 * block + 1] as number) + cost;
    const sums = this.blockWorth.at(-1);
    if (sums !== undefined) {
      sums.turnover += turnover;
      sums.trades++;
    }
    this.worthIs(this.worth * (1 - cost));
    const cause = decision.cause ?? 'none';
    this.causes[cause] = (this.causes[cause] ?? 0) + 1;
    const kept: PastSettlement[] = this.history.settlements.filter(
      ({ at }) => at > now - MONTH_SECONDS,
    );
    kept.push({ at: now, cost, turnover });
    this.history = { ...this.history, lastSettledAt: now, settlements: kept };
  }

  /** What the breakers see next time. */
  private watch(row: number, now: PolicyState['now'], mode: Decision['mode']): void {
    const { breakers, assets } = this.policy;
    const { prices, stepSeconds } = this.input;
    const { n } = this;
    let { tripped } = this.breakers;
    // While nothing has tripped and the decision was free, the breakers have nothing to store.
    if (tripped !== null || mode !== 'normal') {
      const seen = prices.slice(row * n, (row + 1) * n);
      ({ tripped } = judgeBreakers(breakers, this.breakers, now, seen, assets).next);
    }
    const { worth } = this;
    const from = now - (breakers.drawdown?.windowSeconds ?? 0);
    while (this.peaks.length > 0 && (this.peaks[0]?.at ?? from) < from) this.peaks.shift();
    this.peaks.push({ at: now, usd: WORTH_USD * worth });
    // The next decision stands one row on: an hour before it is `back` rows before that.
    const ago = row + 1 - Math.max(1, Math.round(HOUR_SECONDS / stepSeconds));
    const known = stepSeconds <= HOUR_SECONDS && ago >= 0;
    for (let i = 0; i < n && known; i++) this.hourAgo[i] = prices[ago * n + i] as number;
    this.breakers = {
      ...this.breakers,
      worth: this.peaks,
      pricesHourAgo: known ? this.hourAgo : null,
      tripped,
    };
  }

  done(steps: number): PolicyRun {
    const years = (steps * this.input.stepSeconds) / YEAR_SECONDS;
    const { costs } = this.input;
    return {
      cost: (costs.proportional * this.turnover + costs.fixed * this.trades) / years,
      te: Math.sqrt(this.active2 / years),
      turnover: this.turnover / years,
      trades: this.trades,
      maxDrawdown: this.drawdown,
      blocks: this.blocks,
      worth: this.blockWorth,
      aversion: this.kappa,
      skipped: this.skipped,
      causes: this.causes,
      haltedSteps: this.halted,
      trace: {
        times: Float64Array.from(this.trace.times),
        weights: Float64Array.from(this.trace.weights),
      },
    };
  }
}
