// From what was observed to a decision: which prices are believed, what the breakers say, what is
// forecast, and the policy's own word. Owns the order of these, and what of them is remembered.
// `write: false` leaves no trace, for a dry run.

import type { BreakerState } from '../policy/guards/breakers.ts';
import { judgeBreakers } from '../policy/guards/judgeBreakers.ts';
import { judgePrices } from '../policy/guards/judgePrices.ts';
import type { Decision, Forecast, Policy, PolicyState } from '../policy/types.ts';
import { unixSeconds } from '../types/amounts.ts';
import type { ChainId } from '../types/ids.ts';
import type { StoredOrder } from '../types/store.ts';
import { countedReadings, memorablePrices } from './counted.ts';
import { averages, forecastOf, pricesHourAgo, recordPrices } from './history.ts';
import { executionAfter, historyOf, type Memory, withWorth } from './memory.ts';
import type { Observed } from './observe.ts';
import type { KeeperDeps } from './ports.ts';

export interface Judged {
  readonly decision: Decision;
  readonly forecast: Forecast;
  /** With today's worth and the breakers' state. */
  readonly memory: Memory;
}

type JudgeDeps = Pick<KeeperDeps, 'store' | 'orders' | 'kernel' | 'decide' | 'forecasts'>;

export async function judge(
  deps: JudgeDeps,
  policy: Policy,
  seen: Observed,
  memory: Memory,
  write: boolean,
): Promise<Judged> {
  const { now } = seen;
  const twap =
    policy.oracles.maxTwapGapBps === null ? null : await averages(deps.store, policy, now);
  const { assets, oracles } = policy;
  const readings = countedReadings(policy, seen);
  const { prices } = judgePrices(oracles, assets, readings, now, twap ?? []);
  if (write) {
    await recordPrices(deps.store, policy, memorablePrices(assets, seen.prices, now), now);
  }
  const window = policy.breakers.drawdown?.windowSeconds ?? 0;
  // A worth at prices that nobody believes is no worth: it would trip a drawdown that never was.
  const worth =
    prices === null ? memory.worth : withWorth(memory.worth, now, seen.worthUsd, window);
  const breakers: BreakerState = {
    worth,
    pricesHourAgo: await pricesHourAgo(deps.store, policy, now),
    consecutiveFailures: memory.consecutiveFailures,
    messagingDownSince: await messagingDownSince(deps, policy),
    failedVenues: seen.failedVenues,
    tripped: memory.tripped,
  };
  const { next } = judgeBreakers(policy.breakers, breakers, now, prices, policy.assets);
  const forecast = await forecastOf(deps, policy, now);
  const state: PolicyState = {
    now,
    weights: seen.weights,
    chainWeights: seen.chainWeights,
    worthUsd: seen.worthUsd,
    prices: readings,
    ...(twap === null ? {} : { twap }),
    forecast,
    history: historyOf(memory, now),
    breakers,
    accounts: [],
    hedge: null,
    gasUsd: seen.gasUsd,
  };
  const decision = deps.decide(policy, state, { kernel: deps.kernel });
  const answered = decision.reasons.some(({ code }) => code === 'slotAnswered');
  return {
    decision,
    forecast,
    memory: {
      ...memory,
      worth: next.worth,
      tripped: next.tripped,
      consecutiveFailures: next.consecutiveFailures,
      execution: executionAfter(memory.execution, decision),
      // A slot that asks for a trade is answered when the trade is signed: until then it is wanted.
      lastScheduledAt: answered && decision.kind === 'idle' ? decision.at : memory.lastScheduledAt,
    },
  };
}

/** Orders looked at to find one whose proof does not arrive. */
const PROVING_MAX = 100;

/**
 * Since when at the longest a message has been on its way: the admission of the oldest order that
 * is still being proven. That is before its message was sent, so it errs on the careful side by the
 * order's age.
 */
async function messagingDownSince(
  { orders }: Pick<KeeperDeps, 'orders'>,
  { breakers, chains }: Policy,
): Promise<BreakerState['messagingDownSince']> {
  if (breakers.maxMessagingOutageSeconds === null) return null;
  const all = await orders.listOrders({ states: ['proving'], limit: PROVING_MAX });
  const proving = all.filter((order) => chains === null || touches(order, chains));
  if (proving.length === 0) return null;
  return unixSeconds(Math.floor(Math.min(...proving.map((o) => o.createdAtMs)) / 1_000));
}

/** Whether the order takes from or brings to one of these chains: others' messages are not ours. */
function touches({ order }: StoredOrder, chains: readonly ChainId[]): boolean {
  const legs = [order.origins, order.outputs].flat() as unknown as readonly { chainId: string }[];
  return legs.some(({ chainId: id }) => chains.some((chain) => String(chain) === String(id)));
}
