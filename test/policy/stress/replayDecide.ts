// The same hours through `decide` itself: a spot portfolio of 50/30/20 BTC/ETH/USDC, a levered ETH account
// whose policy recenters it, and a levered BTC account that is only kept safe. The keeper's part is played
// here: it builds the state from what sources say, does what was decided at true prices, asks again where
// another account cannot wait, and keeps the history and the breakers.

import { type Decider, prepare } from '../../../solver/policy/decide.ts';
import { type BreakerState, CALM } from '../../../solver/policy/guards/breakers.ts';
import { judgeBreakers } from '../../../solver/policy/guards/judgeBreakers.ts';
import { judgePrices } from '../../../solver/policy/guards/judgePrices.ts';
import { healthFactor, leverageRatio } from '../../../solver/policy/leverage/accounts.ts';
import { parsePolicy } from '../../../solver/policy/parse.ts';
import type { Decision, Policy, PolicyHistory, PolicyState } from '../../../solver/policy/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import type { RiskKernel } from '../../../solver/types/risk.ts';
import { counted } from './replay.ts';
import { ASSETS, type Fault, HOUR, readingsAt, type Window } from './scenarios.ts';
import type { Setup } from './setups.ts';
import {
  accountOf,
  COST,
  EQUITY_USD,
  equityOf,
  type Loan,
  loanAt,
  place,
  type Replay,
  type Seen,
  settleLoan,
  type Traded,
  truthAt,
} from './world.ts';

const SPOT_USD = 1_000_000;
/** BTC 65 %, ETH 85 %, correlation 0.8, USDC 0: POLICY.md's prior. */
const COVARIANCE = Float64Array.of(0.4225, 0.442, 0, 0.442, 0.7225, 0, 0, 0, 0);
/** One decision for each account and one for the spot portfolio. */
const ROUNDS_PER_HOUR = 3;

interface Books {
  readonly spot: number[];
  readonly loans: readonly Loan[];
  history: PolicyHistory;
  readonly trades: Traded[];
  costUsd: number;
}

function policyOf(setup: Setup): Policy {
  const plain = parsePolicy({ targets: { BTC: '0.5', ETH: '0.3', USDC: '0.2' } });
  const leverage = { ...setup.leverage, account: 'ETH' };
  return { ...plain, leverage, oracles: setup.oracles, breakers: setup.breakers };
}

export function replayDecide(
  window: Window,
  fault: Fault,
  setup: Setup,
  kernel: RiskKernel,
): Replay {
  const policy = policyOf(setup);
  const decider = prepare(policy, kernel);
  const first = truthAt(window, 0);
  const { target } = setup.leverage;
  const books: Books = {
    spot: [0.5, 0.3, 0.2].map((weight, i) => (SPOT_USD * weight) / (first[i] ?? 1)),
    loans: [loanAt('ETH', target, first), loanAt('BTC', target, first)],
    history: {
      armedAt: unixSeconds(window.ts[0] ?? 0),
      lastSettledAt: null,
      lastScheduledAt: null,
      settlements: [],
    },
    trades: [],
    costUsd: 0,
  };
  const seen: Seen[] = [];
  let breakers = CALM;
  for (let hour = 0; hour < window.ts.length; hour += 1) {
    const now = unixSeconds(window.ts[hour] ?? 0);
    const truth = truthAt(window, hour);
    const readings = ASSETS.map((asset) => readingsAt(window, asset, hour, fault));
    const judged = judgePrices(policy.oracles, ASSETS, readings, now);
    const real = books.loans.map((loan) => accountOf(loan, truth));
    const spotUsd = books.spot.reduce((sum, coins, i) => sum + coins * (truth[i] ?? 0), 0);
    const worth = real.reduce((sum, account) => sum + equityOf(account), spotUsd);
    breakers = counted(breakers, judged, now, worth);
    const believed = judged.assets.map(({ price }) => price ?? 0);
    const breaker = judgeBreakers(policy.breakers, breakers, now, judged.prices, ASSETS);
    const moment = { now, hour, truth, believed, readings };
    const mode = rounds(decider, books, moment, [breakers, breaker.next]);
    breakers = { ...breaker.next, pricesHourAgo: judged.prices };
    seen.push({
      hour,
      mode,
      tripped: breaker.tripped,
      untradable: judged.untradable,
      health: Math.min(...real.map(healthFactor)),
      leverage: Math.max(...real.map(leverageRatio)),
      worth,
    });
  }
  const { trades, costUsd } = books;
  return { seen, trades, costUsd, startUsd: SPOT_USD + 2 * EQUITY_USD };
}

interface Moment {
  readonly now: ReturnType<typeof unixSeconds>;
  readonly hour: number;
  readonly truth: readonly number[];
  readonly believed: readonly number[];
  readonly readings: PolicyState['prices'];
}

/**
 * Decides and does, until nothing is left that cannot wait an hour. The first decision sees the breakers
 * as they were, the others as it left them. Answers with the first one's mode.
 */
function rounds(
  decider: Decider,
  books: Books,
  moment: Moment,
  [before, after]: readonly [BreakerState, BreakerState],
): Decision['mode'] {
  let mode: Decision['mode'] = 'normal';
  for (let round = 0; round < ROUNDS_PER_HOUR; round += 1) {
    const state = stateOf(books, moment, round, round === 0 ? before : after);
    const decision = decider.decide(state);
    if (round === 0) mode = decision.mode;
    if (decision.leverageHistory !== undefined) {
      books.history = { ...books.history, leverage: decision.leverageHistory };
    }
    lever(decision, books, moment);
    rebalance(decision, books, moment);
    if (decision.leverage === null) break;
  }
  return mode;
}

function stateOf(books: Books, moment: Moment, round: number, breakers: BreakerState): PolicyState {
  const values = books.spot.map((coins, i) => coins * (moment.believed[i] ?? 0));
  const worthUsd = values.reduce((a, b) => a + b, 0);
  // Where a price is not known there are no weights; decide must stop before it reads them.
  const share = (value: number): number => (worthUsd > 0 ? value / worthUsd : 1 / values.length);
  return {
    now: unixSeconds(moment.now + round),
    weights: Float64Array.from(values, share),
    chainWeights: new Map(),
    worthUsd: worthUsd > 0 ? worthUsd : SPOT_USD,
    prices: moment.readings,
    forecast: { covariance: COVARIANCE, source: 'prior' },
    history: books.history,
    breakers,
    accounts: books.loans.map((loan) => accountOf(loan, moment.believed)),
    hedge: null,
    gasUsd: 1,
  };
}

function traded(
  moment: Moment,
  decision: Decision,
  i: number,
  cause: string,
  exposureUsd: number,
): Traded {
  const over = (at: number): number => (moment.believed[at] ?? 0) / (moment.truth[at] ?? 1);
  const { hour } = moment;
  const asset = ASSETS[i] ?? '';
  return {
    hour,
    asset,
    cause,
    exposureUsd,
    believedOverTrue: [over(i), over(2)],
    mode: decision.mode,
  };
}

function lever(decision: Decision, books: Books, moment: Moment): void {
  const trade = decision.leverage;
  if (trade === null) return;
  const loan = books.loans.find(({ asset }) => asset === trade.account);
  if (loan === undefined) throw new Error(`no account ${trade.account}`);
  const i = place(loan.asset);
  books.costUsd += settleLoan(loan, trade.exposureUsd / (moment.believed[i] ?? 1), moment.truth);
  books.trades.push(traded(moment, decision, i, trade.cause, trade.exposureUsd));
}

/** Goes to the landing; the optimizer that would choose how far is not in play here. */
function rebalance(decision: Decision, books: Books, moment: Moment): void {
  const { aim } = decision;
  if (aim === null) return;
  const { truth } = moment;
  const before = books.spot.map((coins, i) => coins * (truth[i] ?? 0));
  const total = before.reduce((a, b) => a + b, 0);
  const cost = aim.turnover * total * COST;
  for (const [i, worth] of before.entries()) {
    const weight = aim.landing[i] ?? 0;
    const moved = weight * total - worth;
    books.spot[i] = (weight * (total - cost)) / (truth[i] ?? 1);
    // Dollars are the other side of each trade and add no exposure.
    const exposure = ASSETS[i] === 'USDC' ? -Math.abs(moved) : moved;
    if (Math.abs(moved) < 1) continue;
    books.trades.push(traded(moment, decision, i, decision.cause ?? '', exposure));
  }
  books.costUsd += cost;
  const recent = books.history.settlements.filter(({ at }) => at > moment.now - 30 * 24 * HOUR);
  books.history = {
    ...books.history,
    lastSettledAt: moment.now,
    settlements: [...recent, { at: moment.now, cost: cost / total, turnover: aim.turnover }],
  };
}
