// The same hours through `decide` itself: a spot portfolio of 50/30/20 BTC/ETH/USDC, a levered ETH account
// whose policy recenters it, and a levered BTC account that is only watched. The keeper's part is played
// here: it builds the state from what sources say, does what was decided at true prices, and keeps the
// history and the breakers.

import { decide, prepare } from '../../../solver/policy/decide.ts';
import { judgeBreakers } from '../../../solver/policy/guards/judgeBreakers.ts';
import { judgePrices } from '../../../solver/policy/guards/judgePrices.ts';
import {
  type AccountHealth,
  healthFactor,
  leverageRatio,
} from '../../../solver/policy/leverage/accounts.ts';
import { parsePolicy } from '../../../solver/policy/parse.ts';
import type { Policy, PolicyHistory, PolicyState } from '../../../solver/policy/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import type { RiskKernel } from '../../../solver/types/risk.ts';
import type { Replay, Seen, Setup, Traded } from './replay.ts';
import { ASSETS, type Fault, HOUR, readingsAt, type Window } from './scenarios.ts';

const THRESHOLD = 0.8;
const COST = 0.003;
const EQUITY_USD = 1_000_000;
const SPOT_USD = 1_000_000;
/** BTC 65 %, ETH 85 %, correlation 0.8, USDC 0: POLICY.md's prior. */
const COVARIANCE = Float64Array.of(0.4225, 0.442, 0, 0.442, 0.7225, 0, 0, 0, 0);

export function policyOf(setup: Setup): Policy {
  const plain = parsePolicy({ targets: { BTC: '0.5', ETH: '0.3', USDC: '0.2' } });
  return {
    ...plain,
    leverage: { ...setup.leverage, account: 'ETH' },
    oracles: setup.oracles,
    breakers: setup.breakers,
  };
}

interface Loan {
  readonly asset: 'BTC' | 'ETH';
  coins: number;
  debt: number;
}

/** `setup.delayHours` is not used: what is decided is done within the hour. */
export function replayDecide(
  window: Window,
  fault: Fault,
  setup: Setup,
  kernel: RiskKernel,
): Replay {
  const policy = policyOf(setup);
  const decider = prepare(policy, kernel);
  const at = (hour: number): number[] => ASSETS.map((asset) => window.prices[asset][hour] ?? 0);
  const first = at(0);
  const spot = [0.5, 0.3, 0.2].map((weight, i) => (SPOT_USD * weight) / (first[i] ?? 1));
  const loans = (['ETH', 'BTC'] as const).map(
    (asset): Loan => ({
      asset,
      coins: (EQUITY_USD * setup.leverage.target) / (first[ASSETS.indexOf(asset)] ?? 1),
      debt: (EQUITY_USD * (setup.leverage.target - 1)) / (first[2] ?? 1),
    }),
  );
  let history: PolicyHistory = {
    armedAt: unixSeconds(window.ts[0] ?? 0),
    lastSettledAt: null,
    lastScheduledAt: null,
    settlements: [],
  };
  let breakers: PolicyState['breakers'] = {
    worth: [],
    pricesHourAgo: null,
    consecutiveFailures: 0,
    messagingDownSince: null,
    failedVenues: [],
    tripped: null,
  };
  const seen: Seen[] = [];
  const trades: Traded[] = [];
  let costUsd = 0;
  const equity = (prices: readonly number[]): number =>
    spot.reduce((sum, coins, i) => sum + coins * (prices[i] ?? 0), 0) +
    loans
      .map((loan) => accountOf(loan, prices))
      .reduce((sum, one) => sum + (one.collateral[0]?.valueUsd ?? 0) - one.debtUsd, 0);

  for (let hour = 0; hour < window.ts.length; hour += 1) {
    const now = unixSeconds(window.ts[hour] ?? 0);
    const truth = at(hour);
    const prices = ASSETS.map((asset) => readingsAt(window, asset, hour, fault));
    const judged = judgePrices(policy.oracles, ASSETS, prices, now);
    const believed = judged.assets.map(({ price }, i) => price ?? truth[i] ?? 0);
    const worth = equity(truth);
    if (judged.prices !== null) {
      breakers = { ...breakers, worth: [...breakers.worth, { at: now, usd: worth }] };
    }
    const values = spot.map((coins, i) => coins * (believed[i] ?? 0));
    const worthUsd = values.reduce((a, b) => a + b, 0);
    const state: PolicyState = {
      now,
      weights: Float64Array.from(values, (value) => value / worthUsd),
      chainWeights: new Map(),
      worthUsd,
      prices,
      forecast: { covariance: COVARIANCE, source: 'prior' },
      history,
      breakers,
      accounts: loans.map((loan) => accountOf(loan, believed)),
      hedge: null,
      gasUsd: 1,
    };
    const decision = decider.decide(state);
    if (hour === 0) {
      // One decision without preparation, so that both doors are walked through.
      const once = decide(policy, state, { kernel });
      if (JSON.stringify(once) !== JSON.stringify(decision)) throw new Error('decide ≠ prepare');
    }
    const breaker = judgeBreakers(policy.breakers, breakers, now, judged.prices, ASSETS);
    breakers = { ...breaker.next, pricesHourAgo: judged.prices };
    const real = loans.map((loan) => accountOf(loan, truth));
    seen.push({
      hour,
      mode: decision.mode,
      oracleMode: judged.mode,
      tripped: breaker.tripped,
      resumesAt: breaker.resumesAt,
      holding: decision.reasons.map(({ code }) => code),
      untradable: judged.untradable,
      health: Math.min(...real.map(healthFactor)),
      leverage: Math.max(...real.map(leverageRatio)),
      worth,
    });
    if (decision.leverageHistory !== undefined) {
      history = { ...history, leverage: decision.leverageHistory };
    }
    const ratio = (i: number): number => (believed[i] ?? 0) / (truth[i] ?? 1);
    const lever = decision.leverage;
    if (lever !== null) {
      const loan = loans.find(({ asset }) => asset === lever.account);
      if (loan === undefined) throw new Error(`no account ${lever.account}`);
      const i = ASSETS.indexOf(loan.asset);
      const coins = lever.exposureUsd / (believed[i] ?? 1);
      const notional = Math.abs(coins) * (truth[i] ?? 0);
      loan.coins += coins;
      loan.debt = Math.max(
        0,
        loan.debt + (coins * (truth[i] ?? 0) + notional * COST) / (truth[2] ?? 1),
      );
      costUsd += notional * COST;
      trades.push({
        hour,
        asset: loan.asset,
        cause: lever.cause,
        exposureUsd: lever.exposureUsd,
        believedOverTrue: [ratio(i), ratio(2)],
        mode: decision.mode,
      });
    }
    if (decision.aim !== null) {
      const before = spot.map((coins, i) => coins * (truth[i] ?? 0));
      const total = before.reduce((a, b) => a + b, 0);
      const { landing, turnover } = decision.aim;
      const cost = turnover * total * COST;
      for (let i = 0; i < spot.length; i += 1) {
        spot[i] = ((landing[i] ?? 0) * (total - cost)) / (truth[i] ?? 1);
        const moved = (landing[i] ?? 0) * total - (before[i] ?? 0);
        if (Math.abs(moved) < 1) continue;
        trades.push({
          hour,
          asset: ASSETS[i] ?? '',
          cause: decision.cause ?? '',
          // What is bought with or sold for dollars adds no exposure of its own.
          exposureUsd: ASSETS[i] === 'USDC' ? -Math.abs(moved) : moved,
          believedOverTrue: [ratio(i), ratio(2)],
          mode: decision.mode,
        });
      }
      costUsd += cost;
      history = {
        ...history,
        lastSettledAt: now,
        settlements: [
          ...history.settlements.filter((one) => one.at > now - 30 * 24 * HOUR),
          { at: now, cost: cost / total, turnover },
        ],
      };
    }
  }
  const startUsd = SPOT_USD + 2 * EQUITY_USD;
  return { seen, trades, costUsd, startUsd, endUsd: equity(at(window.ts.length - 1)) };
}

function accountOf(loan: Loan, prices: readonly number[]): AccountHealth {
  const price = prices[ASSETS.indexOf(loan.asset)] ?? 0;
  return {
    account: loan.asset,
    collateral: [
      { asset: loan.asset, valueUsd: loan.coins * price, liquidationThreshold: THRESHOLD },
    ],
    debtUsd: loan.debt * (prices[2] ?? 0),
    debtAsset: 'USDC',
  };
}
