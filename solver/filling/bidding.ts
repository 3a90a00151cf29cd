// Whether and what to bid: the quoted amounts if they can still be funded at no loss, else the signed
// minimum, else nothing. Judged on fresh markets by the same plans that would be executed: what is
// delivered or bought, what is received and worth selling, gas and message fees.

import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import type { Engine } from '../engine/engine.ts';
import { parseResultText } from '../market/resultFile.ts';
import { present } from '../types/assert.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import { fromBytes32Address } from '../types/ids.ts';
import { overheadWad } from './costs.ts';
import { type DeskMarket, nodeOfToken } from './deskMarket.ts';
import { type ChainPlan, planChain, planSale } from './plan.ts';
import { type Amounts, dollars, worthDown } from './value.ts';

/** A swap transaction besides its legs: calls, pulls and returns, gas units. */
export const RESTORE_BASE_GAS = 90_000n;

export interface BidContext {
  readonly engine: Engine;
  readonly order: PortfolioOrder;
  /** Every chain the order names. */
  readonly markets: ReadonlyMap<number, DeskMarket>;
  /** Free inventory per chain. */
  readonly free: ReadonlyMap<number, Amounts>;
  readonly hints: Amounts;
}

export interface Judged {
  readonly amounts: readonly bigint[];
  readonly plans: ReadonlyMap<number, ChainPlan>;
  /** Expected change of the desk's worth at feed prices, 18-decimal dollars; may be negative. */
  readonly profitWad: bigint;
  readonly parts: Readonly<Record<string, string>>;
}

/** What serving the order at these amounts would do to the desk's worth. */
export function judge(
  context: BidContext,
  amounts: readonly bigint[],
): Judged | Refusal<'insufficientInventory'> {
  const { order, markets } = context;
  const plans = new Map<number, ChainPlan>();
  for (const [id, market] of markets) {
    const needs = needsOf(order, market, amounts);
    if (needs.size === 0) continue;
    const plan = planChain({
      engine: context.engine,
      market,
      free: context.free.get(id) ?? new Map(),
      needs,
      hints: context.hints,
    });
    if (isRefusal(plan)) return plan;
    plans.set(id, plan);
  }
  const { received, gain } = receipts(context, plans);
  const cost = [...plans.values()].reduce((sum, plan) => sum + plan.costWad, 0n);
  const { gasWad, messagesWad } = overheadWad(order, markets);
  const profitWad = received + gain - cost - gasWad - messagesWad;
  return {
    amounts,
    plans,
    profitWad,
    parts: {
      received: dollars(received),
      resaleGain: dollars(gain),
      delivered: dollars(cost),
      gas: dollars(gasWad),
      messages: dollars(messagesWad),
      profit: dollars(profitWad),
    },
  };
}

/** Worth of the released inputs, and what selling them on their own chains would add. */
function receipts(context: BidContext, plans: ReadonlyMap<number, ChainPlan>) {
  let received = 0n;
  let gain = 0n;
  for (const origin of context.order.origins) {
    const market = present(context.markets.get(Number(origin.chainId)), 'origin market');
    // A pool that the fill on this chain moves is not there for the resale at the same price.
    const used = new Set(
      plans.get(Number(origin.chainId))?.trades.flatMap((t) => t.legs.map((leg) => leg.venue)),
    );
    for (const { token, amount } of origin.inputs) {
      const node = present(nodeOfToken(market, token), `node of ${token}`);
      received += worthDown(amount, node);
      const sale = planSale(context.engine, market, node, amount, RESTORE_BASE_GAS, used);
      if (sale === null) continue;
      gain += sale.gainWad;
      for (const leg of sale.trade.legs) used.add(leg.venue);
    }
  }
  return { received, gain };
}

/** Base units to deliver on the market's chain, per node. */
export function needsOf(
  order: Pick<PortfolioOrder, 'outputs'>,
  market: DeskMarket,
  amounts: readonly bigint[],
): Amounts {
  const needs = new Map<string, bigint>();
  for (const [index, output] of order.outputs.entries()) {
    if (Number(output.chainId) !== market.chainId) continue;
    const node = present(
      nodeOfToken(market, fromBytes32Address(output.token)),
      `node of ${output.token}`,
    );
    const amount = present(amounts[index], `amount ${index}`);
    needs.set(node.id, (needs.get(node.id) ?? 0n) + amount);
  }
  return needs;
}

/** What the quote's plan buys on each chain's own pools, net, per node. */
export function hintsOf(result: string | null): Amounts {
  const hints = new Map<string, bigint>();
  if (result === null) return hints;
  const chainOf = (node: string) => node.slice(0, node.indexOf(':'));
  for (const leg of parseResultText(result).legs) {
    if (chainOf(leg.in.node) !== chainOf(leg.out.node)) continue;
    hints.set(leg.out.node, (hints.get(leg.out.node) ?? 0n) + BigInt(leg.out.amount));
    hints.set(leg.in.node, (hints.get(leg.in.node) ?? 0n) - BigInt(leg.in.amount));
  }
  return hints;
}
