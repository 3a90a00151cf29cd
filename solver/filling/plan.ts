// With what one destination's outputs are paid: from inventory, or bought on the chain's own pools
// in the fill transaction, whichever costs less worth at feed prices. Pure but for the engine call.
// The plan spends nothing that is not free, and buys at least what inventory lacks.

import type { Engine } from '../engine/engine.ts';
import type { Refusal } from '../types/errors.ts';
import type { ProblemNode } from '../types/problem.ts';
import type { DeskMarket } from './deskMarket.ts';
import { buyAtLeast, sellExactly, type Trade } from './trade.ts';
import { type Amounts, dollars, worthDown, worthUp } from './value.ts';

/** Tokens tried as payment for one purchase, worthiest free balance first. */
const PAY_TOKENS_MAX = 3;
/** Shares of a received input that are tried as a sale, in halves. */
const HALVES = [2n, 1n] as const;

/** What a purchase may cost of its worth at feed prices, percent. */
const DEAR_PERCENT = 110n;

/** One more swap in the fill transaction, gas units. */
export const LEG_GAS = 150_000n;

export interface ChainPlan {
  /** Purchases in execution order; no two share a pool. */
  readonly trades: readonly Trade[];
  /** Net change of inventory by the fill transaction, negative where it shrinks. */
  readonly flows: Amounts;
  /** What inventory the transaction must hold at its start, per node. */
  readonly uses: Amounts;
  /** Worth given up at feed prices, 18-decimal dollars, rounded up; gas not included. */
  readonly costWad: bigint;
}

export interface PlanInput {
  readonly engine: Engine;
  readonly market: DeskMarket;
  /** Balances less reservations of other orders. */
  readonly free: Amounts;
  /** What must be delivered, per node. */
  readonly needs: Amounts;
  /** What the quote planned to buy, per node: tried as a further purchase size. */
  readonly hints: Amounts;
}

/** The cheapest way found, or what is lacking and cannot be bought. */
export function planChain(input: PlanInput): ChainPlan | Refusal<'insufficientInventory'> {
  const { market, needs } = input;
  const state = {
    left: new Map(input.free),
    owed: new Map(needs),
    used: new Set<string>(),
    trades: [] as Trade[],
    cost: 0n,
  };
  // What inventory cannot cover is bought first, while every pool is still free for it.
  const nodes = market.nodes
    .filter((node) => (needs.get(node.id) ?? 0n) > 0n)
    .sort((a, b) => compare(lackWorth(input, b), lackWorth(input, a)));
  for (const node of nodes) {
    const best = cheapest(input, node, state);
    if (best === null) return lacking(input, node, state.left);
    const { trade } = best;
    const bought = trade?.minOut ?? 0n;
    if (trade !== null) {
      state.trades.push(trade);
      for (const leg of trade.legs) state.used.add(leg.venue);
      take(state.left, trade.sell.id, trade.amountIn);
    }
    take(state.left, node.id, (needs.get(node.id) ?? 0n) - bought);
    state.owed.delete(node.id);
    state.cost += best.costWad;
  }
  return {
    trades: state.trades,
    flows: flowsOf(needs, state.trades),
    uses: usesOf(needs, state.trades),
    costWad: state.cost,
  };
}

interface Candidate {
  readonly trade: Trade | null;
  readonly costWad: bigint;
}

/** Where a plan in the making stands: inventory left, needs not yet covered, pools used up. */
interface Progress {
  readonly left: Amounts;
  readonly owed: Amounts;
  readonly used: ReadonlySet<string>;
}

function cheapest(input: PlanInput, node: ProblemNode, progress: Progress): Candidate | null {
  const { left, used } = progress;
  const need = input.needs.get(node.id) ?? 0n;
  const have = left.get(node.id) ?? 0n;
  const lack = need > have ? need - have : 0n;
  let best: Candidate | null = lack === 0n ? { trade: null, costWad: worthUp(need, node) } : null;
  for (const size of sizes(need, lack, input.hints.get(node.id) ?? 0n)) {
    for (const pay of payTokens(input, node, progress)) {
      const limit = spendable(pay, progress);
      const trade = buyAtLeast(input.engine, input.market, pay, node, size, limit, {
        exclude: used,
      });
      if (trade === null || isDear(trade)) continue;
      const costWad =
        worthUp(trade.amountIn, pay) +
        input.market.gasWad(LEG_GAS * BigInt(trade.legs.length)) +
        (need > trade.amountOut
          ? worthUp(need - trade.amountOut, node)
          : -worthDown(trade.amountOut - need, node));
      if (best === null || costWad < best.costWad) best = { trade, costWad };
    }
  }
  return best;
}

/**
 * A pool that asks so much more than the feeds say is empty, broken or being played with; a fill
 * that has to be made must not be what pays for it.
 */
const isDear = ({ amountIn, sell, amountOut, buy }: Trade): boolean =>
  worthUp(amountIn, sell) * 100n > worthDown(amountOut, buy) * DEAR_PERCENT;

/** Purchases tried even where inventory would do: pools may be cheaper than the feeds. */
function sizes(need: bigint, lack: bigint, hint: bigint): readonly bigint[] {
  // The quote's plan has found the optimum; without one, halves.
  const guess = hint > 0n ? hint : need / 2n;
  const all = [lack, guess < need ? guess : need, need];
  return [...new Set(all)].filter((size) => size > 0n && size >= lack);
}

function payTokens(input: PlanInput, buy: ProblemNode, progress: Progress): readonly ProblemNode[] {
  const worth = (node: ProblemNode) => worthDown(spendable(node, progress), node);
  return input.market.nodes
    .filter((node) => node.id !== buy.id && spendable(node, progress) > 0n)
    .sort((a, b) => compare(worth(b), worth(a)))
    .slice(0, PAY_TOKENS_MAX);
}

/** Free balance that no output of this chain needs itself. */
function spendable(node: ProblemNode, { left, owed }: Progress): bigint {
  const rest = (left.get(node.id) ?? 0n) - (owed.get(node.id) ?? 0n);
  return rest > 0n ? rest : 0n;
}

function lackWorth(input: PlanInput, node: ProblemNode): bigint {
  const lack = (input.needs.get(node.id) ?? 0n) - (input.free.get(node.id) ?? 0n);
  return lack > 0n ? worthUp(lack, node) : 0n;
}

function lacking(
  input: PlanInput,
  node: ProblemNode,
  left: Amounts,
): Refusal<'insufficientInventory'> {
  const need = input.needs.get(node.id) ?? 0n;
  const have = left.get(node.id) ?? 0n;
  return {
    refused: 'insufficientInventory',
    message:
      `${node.id}: ${need} needed, ${have} free, and the pools do not sell the rest ` +
      'for what else is free',
    details: { node: node.id, need: need.toString(), have: have.toString() },
  };
}

function flowsOf(needs: Amounts, trades: readonly Trade[]): Amounts {
  const flows = new Map<string, bigint>();
  for (const [id, need] of needs) take(flows, id, need);
  for (const trade of trades) {
    take(flows, trade.sell.id, trade.amountIn);
    take(flows, trade.buy.id, -trade.amountOut);
  }
  return flows;
}

/** Payments, and of each delivered token what the purchases need not bring. */
function usesOf(needs: Amounts, trades: readonly Trade[]): Amounts {
  const uses = new Map<string, bigint>();
  for (const trade of trades) take(uses, trade.sell.id, -trade.amountIn);
  for (const [id, need] of needs) {
    const bought = trades.filter((t) => t.buy.id === id).reduce((sum, t) => sum + t.minOut, 0n);
    if (need > bought) take(uses, id, bought - need);
  }
  return uses;
}

export interface Restore {
  readonly trade: Trade;
  /** Worth gained at feed prices, gas deducted, 18-decimal dollars, rounded down; positive. */
  readonly gainWad: bigint;
}

/**
 * The sale of (part of) a received input that raises worth at feed prices most, or null when none
 * does: an order's plan sells where the pools pay more than the feeds say, and so must we.
 */
export function planSale(
  engine: Engine,
  market: DeskMarket,
  sell: ProblemNode,
  amount: bigint,
  fixedGas: bigint,
  used: ReadonlySet<string> = new Set(),
): Restore | null {
  let best: Restore | null = null;
  for (const buy of market.nodes) {
    if (buy.id === sell.id) continue;
    for (const half of HALVES) {
      const part = (amount * half) / 2n;
      const trade = sellExactly(engine, market, sell, buy, part, { exclude: used });
      if (trade === null) continue;
      const gas = market.gasWad(fixedGas + LEG_GAS * BigInt(trade.legs.length));
      const gain = worthDown(trade.amountOut, buy) - worthUp(trade.amountIn, sell) - gas;
      if (gain > 0n && (best === null || gain > best.gainWad)) best = { trade, gainWad: gain };
    }
  }
  return best;
}

export function describePlan(plan: ChainPlan): { readonly [key: string]: string } {
  return {
    cost: `${dollars(plan.costWad)} USD at feed prices, gas not included`,
    purchases: plan.trades
      .map((t) => `${t.amountIn} ${t.sell.id} → ${t.amountOut} ${t.buy.id}`)
      .join('; '),
  };
}

function take(from: Map<string, bigint>, id: string, amount: bigint): void {
  from.set(id, (from.get(id) ?? 0n) - amount);
}
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
