// A planned trade → the quote as it is stored: its order built, what it takes found to be there, its answer
// written. Every offer comes from here, a rebalance's and a swap's. Refuses trades that do not fit in one
// order and those that our filler cannot fund.

import { bytesToHex } from '@noble/hashes/utils.js';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { canonicalJson } from '../market/jsonText.ts';
import { joinText } from '../market/sharedProblem.ts';
import type { UnixSeconds } from '../types/amounts.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import type { FillTimes } from '../types/fillTimes.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { Clock, Rng } from '../types/ports.ts';
import type { ProblemResult } from '../types/problem.ts';
import type { StoredQuote } from '../types/store.ts';
import { buildOrder, type OrderTerms } from './orderBuilder.ts';
import type { Plan } from './planner.ts';
import type { QuotePolicy } from './policy.ts';
import { type QuoteParts, quoteResponse } from './response.ts';
import type { Scene } from './scene.ts';
import { type QuoteRefusal, refuse } from './scope.ts';

export interface OfferDeps {
  readonly network: NetworkConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Signs awards; named in every order. */
  readonly auctioneer: EvmAddress;
  /** Whether our filler can deliver these amounts now: filling's word, null for yes. */
  readonly canFund: (request: {
    readonly order: PortfolioOrder;
    readonly amounts: readonly bigint[];
    readonly result: ProblemResult;
  }) => Promise<Refusal | null>;
  /** Absent: ETAs are the model's. */
  readonly fillTimes?: FillTimes;
}
export interface Planned extends Plan {
  readonly scene: Scene;
  readonly validUntil: UnixSeconds;
}

/** Stores nothing. `respond` writes the answer. */
export async function offerOf(
  deps: OfferDeps,
  policy: QuotePolicy,
  planned: Planned,
  terms: Pick<OrderTerms, 'owner' | 'slippageBps' | 'recipient' | 'minimums'>,
  respond: (parts: QuoteParts) => JsonObject = quoteResponse,
): Promise<StoredQuote | QuoteRefusal> {
  const { scene, built, result, trade, validUntil } = planned;
  const { owner, slippageBps } = terms;
  const order = buildOrder(
    trade,
    { ...terms, auctioneer: deps.auctioneer, targets: scene.targets, validUntil },
    deps.network,
    policy,
    deps.rng,
  );
  if (isRefusal(order)) return order;
  const unfunded = await deps.canFund({ order: order.order, amounts: order.quotedAmounts, result });
  if (unfunded !== null) {
    const details = { reason: unfunded.refused, ...unfunded.details };
    return refuse('insufficientInventory', unfunded.message, undefined, details);
  }
  const quoteId = `q-${bytesToHex(deps.rng.bytes(16))}`;
  const text = built.text();
  const { fillTimes } = deps;
  const problem = built.parsed();
  const parts = { ...planned, quoteId, owner, problem, order, slippageBps, fillTimes };
  return {
    quoteId,
    createdAtMs: deps.clock.nowMs(),
    validUntilMs: validUntil * 1000,
    order: { ...orderToJson(order.order) },
    quotedAmounts: order.quotedAmounts.map(String),
    problem: joinText(text),
    problemText: text,
    result: canonicalJson(result),
    response: respond(parts),
  };
}
