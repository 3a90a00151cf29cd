// Replays two levered positions hour by hour through the real price judgement, breakers and leverage
// decision. At each hour: prices are read and judged, the breakers judged, each position's policy asked
// once, its trade done at that hour's true prices. Health is what the true prices make it, whatever the
// sources say. Information is hourly: nothing happens between two closes.

import { type BreakerState, CALM } from '../../../solver/policy/guards/breakers.ts';
import { judgeBreakers, stricter } from '../../../solver/policy/guards/judgeBreakers.ts';
import { judgePrices, type PriceJudgement } from '../../../solver/policy/guards/judgePrices.ts';
import { healthFactor, leverageRatio } from '../../../solver/policy/leverage/accounts.ts';
import { leverageDecision } from '../../../solver/policy/leverage/decide.ts';
import {
  type LeverageHistory,
  type LeveragePolicy,
  START_OF_LEVERAGE,
} from '../../../solver/policy/leverage/types.ts';
import type { Mode } from '../../../solver/policy/types.ts';
import { unixSeconds } from '../../../solver/types/amounts.ts';
import { ASSETS, type Fault, readingsAt, type Window } from './scenarios.ts';
import type { Setup } from './setups.ts';
import {
  accountOf,
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

interface Position {
  readonly loan: Loan;
  readonly policy: LeveragePolicy;
  history: LeverageHistory;
}
interface Due {
  readonly hour: number;
  readonly loan: Loan;
  readonly coins: number;
}

/** `delayHours`: hours between a decision and its trade; 0: within the hour. */
export function replay(window: Window, fault: Fault, setup: Setup, delayHours = 0): Replay {
  const positions = (['BTC', 'ETH'] as const).map(
    (asset): Position => ({
      loan: loanAt(asset, setup.leverage.target, truthAt(window, 0)),
      policy: { ...setup.leverage, account: asset },
      history: START_OF_LEVERAGE,
    }),
  );
  const seen: Seen[] = [];
  const trades: Traded[] = [];
  const due: Due[] = [];
  let costUsd = 0;
  let breakers = CALM;
  for (let hour = 0; hour < window.ts.length; hour += 1) {
    const now = unixSeconds(window.ts[hour] ?? 0);
    const truth = truthAt(window, hour);
    while (due[0] !== undefined && due[0].hour <= hour) {
      const one = due.shift();
      if (one !== undefined) costUsd += settleLoan(one.loan, one.coins, truth);
    }
    const readings = ASSETS.map((asset) => readingsAt(window, asset, hour, fault));
    const judged = judgePrices(setup.oracles, ASSETS, readings, now);
    const real = positions.map(({ loan }) => accountOf(loan, truth));
    const worth = real.reduce((sum, account) => sum + equityOf(account), 0);
    breakers = counted(breakers, judged, now, worth);
    const breaker = judgeBreakers(setup.breakers, breakers, now, judged.prices, ASSETS);
    breakers = { ...breaker.next, pricesHourAgo: judged.prices };
    const mode = stricter(judged.mode, breaker.mode);
    seen.push({
      hour,
      mode,
      tripped: breaker.tripped,
      untradable: judged.untradable,
      health: Math.min(...real.map(healthFactor)),
      leverage: Math.max(...real.map(leverageRatio)),
      worth,
    });
    for (const position of positions) {
      const trade = ask(position, positions, now, mode, judged, truth, hour);
      if (trade === null) continue;
      trades.push(trade.traded);
      if (delayHours === 0) costUsd += settleLoan(trade.loan, trade.coins, truth);
      else due.push({ hour: hour + delayHours, loan: trade.loan, coins: trade.coins });
    }
  }
  return { seen, trades, costUsd, startUsd: EQUITY_USD * positions.length };
}

/** Worth and the hour's move come from believed prices only; in the dark nothing is added. */
export function counted(
  breakers: BreakerState,
  judged: PriceJudgement,
  now: ReturnType<typeof unixSeconds>,
  worth: number,
): BreakerState {
  if (judged.prices === null) return breakers;
  return { ...breakers, worth: [...breakers.worth, { at: now, usd: worth }] };
}

/** Asks one position's policy, which sees all accounts valued at what is believed. */
function ask(
  position: Position,
  positions: readonly Position[],
  now: ReturnType<typeof unixSeconds>,
  mode: Mode,
  judged: PriceJudgement,
  truth: readonly number[],
  hour: number,
): { readonly traded: Traded; readonly loan: Loan; readonly coins: number } | null {
  const believed = judged.assets.map(({ price }) => price ?? 0);
  const accounts = positions.map(({ loan }) => accountOf(loan, believed));
  const limits = { mode, untradable: new Set(judged.untradable), minTradeUsd: 1_000 };
  const answer = leverageDecision(position.policy, accounts, now, position.history, limits);
  position.history = answer.history;
  const { trade } = answer;
  if (trade === null) return null;
  const loan = positions.find((one) => one.loan.asset === trade.account)?.loan ?? position.loan;
  const i = place(loan.asset);
  const over = (at: number): number => (believed[at] ?? 0) / (truth[at] ?? 1);
  return {
    traded: {
      hour,
      asset: loan.asset,
      cause: trade.cause,
      exposureUsd: trade.exposureUsd,
      believedOverTrue: [over(i), over(2)],
      mode,
    },
    loan,
    coins: trade.exposureUsd / (believed[i] ?? 1),
  };
}
