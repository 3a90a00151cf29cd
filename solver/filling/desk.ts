// Our own filler: bids, plans its fills and its resales, and counts what it made. It implements
// settlement's FillerDesk. It decides with what an output is paid for; that nothing is paid before
// it is safe is settlement's business, and that nothing is signed or sent from here is the point:
// every plan leaves as calldata for the TxSender.

import type { FillItem } from '../../contracts-abi/calls.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import type { Engine } from '../engine/engine.ts';
import type { MarketSource } from '../market/source.ts';
import { allowanceCall, amountOf } from '../settlement/contracts.ts';
import type {
  BidRequest,
  DeskBid,
  DeskCall,
  FillerDesk,
  FillPlan,
  FillRequest,
  ReconsiderRequest,
} from '../settlement/ports.ts';
import { present } from '../types/assert.ts';
import type { AuctionStore } from '../types/auctionStore.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import { type ChainId, chainId, fromBytes32Address } from '../types/ids.ts';
import type { NetworkConfig } from '../types/network.ts';
import { type Chain, type Clock, Reverted, type Signer } from '../types/ports.ts';
import type { Store } from '../types/store.ts';
import { batchBid } from './batchBid.ts';
import { hintsOf, type Judged, judge, needsOf, RESTORE_BASE_GAS } from './bidding.ts';
import { approvalCall, encodePlan, type Spending } from './deskCalls.ts';
import { type DeskMarket, deskMarket, nodeOfToken } from './deskMarket.ts';
import { freeInventory, hold, reservedNow } from './inventory.ts';
import { type ChainPlan, describePlan, planChain, planSale, type Restore } from './plan.ts';
import { profitAndLoss } from './pnl.ts';
import { rehearse } from './rehearsal.ts';
import { type Amounts, dollars, worthUp } from './value.ts';

export interface DeskDeps {
  readonly engine: Engine;
  readonly source: MarketSource;
  readonly chains: ReadonlyMap<ChainId, Chain>;
  readonly store: Pick<Store, 'listOrders'>;
  readonly bids: Pick<AuctionStore, 'liveReserves'>;
  readonly network: NetworkConfig;
  readonly clock: Clock;
  /** The account that holds the inventory; the TxSender has its key too. */
  readonly signer: Signer;
  /** A bid is made from this expected profit up, 18-decimal dollars; default 0: never at a loss. */
  readonly minProfitWad?: bigint;
}

/** One output that a quote is about to promise. */
export interface FundRequest {
  readonly chainId: ChainId;
  /** Token address. */
  readonly token: string;
  /** Base units. */
  readonly amount: bigint;
}

export interface Desk extends FillerDesk {
  /** Null when inventory and pools can deliver all of it now; says what is lacking otherwise. */
  canFund(outputs: readonly FundRequest[]): Promise<Refusal<'insufficientInventory'> | null>;
  /** Reads every chain's market and plans on it once, so that the first bid is not late. */
  warmUp(): Promise<void>;
}

/** A resale accepts this much less than planned, in hundredths of a percent, if still a gain. */
const RESALE_SLIPPAGE_BPS = 30n;

/** A desk keeps its word down to this loss on what it delivers; beyond it gives the order back. */
const BEARABLE_LOSS_BPS = 100n;

export function createDesk(deps: DeskDeps): Desk {
  const { signer } = deps;
  return {
    address: signer.address,
    signer,
    reserved: (except) => reservedNow(booksOf(deps), except),
    bid: (request) => bid(deps, request),
    async bidBatch(orders) {
      const markets = await marketsOf(
        deps,
        orders.flatMap(({ order }) => chainsOf(order)),
      );
      const reserved = await reservedNow(
        booksOf(deps),
        orders.map(({ orderId }) => orderId),
      );
      const { engine, minProfitWad = 0n } = deps;
      return batchBid({ engine, orders, markets, reserved, minProfitWad });
    },
    reconsider: (request) => reconsider(deps, request),
    planFill: (request) => planFill(deps, request),
    planRestore: (request) => planRestore(deps, request),
    async profitAndLoss({ order, txs }) {
      const ids = [...chainsOf(order), ...txs.map((tx) => tx.chainId)];
      const markets = await marketsOf(deps, ids);
      return profitAndLoss({ order, txs, markets, filler: signer.address });
    },
    canFund: (outputs) => canFund(deps, outputs),
    async warmUp() {
      await reservedNow(booksOf(deps), []);
      const ids = deps.network.chains.map((chain) => chain.chainId);
      const markets = await marketsOf(deps, ids);
      for (const market of markets.values()) rehearse(deps.engine, market);
    },
  };
}

const booksOf = ({ store, bids, signer }: DeskDeps) => ({
  orders: store,
  bids,
  filler: signer.address,
});

async function bid(deps: DeskDeps, request: BidRequest): Promise<DeskBid | Refusal> {
  const { order, quote, orderId, held = {} } = request;
  const markets = await marketsOf(deps, chainsOf(order));
  const reserved = await reservedNow(booksOf(deps), [orderId]);
  const holding = reserved === null ? null : new Map(reserved);
  if (holding !== null) hold(holding, held);
  const free = new Map([...markets].map(([id, m]) => [id, freeInventory(m, holding)]));
  const hints = hintsOf(quote?.result ?? null);
  const minimum = order.outputs.map((output) => output.amount);
  const quoted = quote?.amounts ?? minimum;
  const atLeastMinimum =
    quoted.length === minimum.length && minimum.every((amount, i) => (quoted[i] ?? 0n) >= amount);
  const offers = [...(atLeastMinimum ? [quoted] : []), minimum];
  const reasons: string[] = [];
  for (const amounts of offers) {
    const judged = judge({ engine: deps.engine, order, markets, free, hints }, amounts);
    if (isRefusal(judged)) reasons.push(judged.message);
    else if (judged.profitWad >= (deps.minProfitWad ?? 0n)) {
      return asBid(judged, amounts === quoted ? 'quoted' : 'minimum');
    } else reasons.push(`it would lose ${dollars(-judged.profitWad)} USD`);
  }
  return { refused: 'noBid', message: [...new Set(reasons)].join('; ') };
}

function asBid(judged: Judged, basis: 'quoted' | 'minimum'): DeskBid {
  const reserves = Object.assign({}, ...[...judged.plans.values()].map(reservesOf));
  return { amounts: judged.amounts, reserves, notes: { basis, ...judged.parts } };
}

const reservesOf = ({ uses }: ChainPlan): Readonly<Record<string, string>> =>
  Object.fromEntries([...uses].map(([node, amount]) => [node, amount.toString()]));

async function reconsider(deps: DeskDeps, request: ReconsiderRequest): Promise<Refusal | null> {
  const { order, amounts, quote, orderId } = request;
  const markets = await marketsOf(deps, chainsOf(order));
  const reserving = await reservedNow(booksOf(deps), [orderId]);
  const free = new Map([...markets].map(([id, m]) => [id, freeInventory(m, reserving)]));
  const hints = hintsOf(quote?.result ?? null);
  const judged = judge({ engine: deps.engine, order, markets, free, hints }, amounts);
  if (isRefusal(judged)) return judged;
  const bearable = (deliveredWad(order, markets, amounts) * BEARABLE_LOSS_BPS) / 10_000n;
  if (judged.profitWad >= -bearable) return null;
  return {
    refused: 'marketMoved',
    message:
      `since the award the market has moved: serving the order would now lose ` +
      `${dollars(-judged.profitWad)} USD, more than the ${dollars(bearable)} the filler bears`,
  };
}

/** Worth of the outputs at feed prices, 18-decimal dollars, rounded up. */
function deliveredWad(
  order: PortfolioOrder,
  markets: ReadonlyMap<number, DeskMarket>,
  amounts: readonly bigint[],
): bigint {
  return order.outputs.reduce((sum, output, i) => {
    const market = present(markets.get(Number(output.chainId)), 'output market');
    const node = present(nodeOfToken(market, fromBytes32Address(output.token)), output.token);
    return sum + worthUp(present(amounts[i], 'amount'), node);
  }, 0n);
}

async function planFill(deps: DeskDeps, request: FillRequest): Promise<FillPlan | Refusal> {
  const { award, outputs, orderId } = request;
  const market = await marketOf(deps, request.chainId);
  const reserving = await reservedNow(booksOf(deps), [orderId]);
  const needs = needsOf(
    { outputs },
    market,
    outputs.map((output) => output.amount),
  );
  const plan = planChain({
    engine: deps.engine,
    market,
    free: freeInventory(market, reserving),
    needs,
    hints: hintsOf(request.quote?.result ?? null),
  });
  if (isRefusal(plan)) return plan;
  const { fillDeadline } = award.award;
  const items = outputs.map((output): FillItem => ({ id: award.awardId, output, fillDeadline }));
  const { to, data, spending } = encodePlan(market, deps.signer.address, plan, items, fillDeadline);
  return {
    call: { key: 'fill', to, data, value: 0n, summary: describePlan(plan) },
    approvals: await approvalsFor(deps, market, spending),
    risk: riskOf(market, plan),
    reserves: reservesOf(plan),
  };
}

/** A fill that trades can fail by a pool that moves; one from inventory hardly ever does. */
function riskOf(market: DeskMarket, plan: ChainPlan): number {
  const bought = plan.trades.reduce((sum, t) => sum + worthUp(t.amountIn, t.sell), 0n);
  const spent = [...plan.uses].reduce((sum, [id, amount]) => {
    const node = market.nodes.find((n) => n.id === id);
    return sum + (node === undefined ? 0n : worthUp(amount, node));
  }, 0n);
  if (plan.trades.length === 0 || spent === 0n) return 0.05;
  return Math.min(0.95, 0.1 + 0.8 * (Number((bought * 1_000n) / spent) / 1_000));
}

async function planRestore(
  deps: DeskDeps,
  request: Parameters<FillerDesk['planRestore']>[0],
): ReturnType<FillerDesk['planRestore']> {
  const market = await marketOf(deps, request.chainId);
  const free = freeInventory(market, await reservedNow(booksOf(deps), [request.orderId]));
  const sales: Restore[] = [];
  const used = new Set<string>();
  for (const { token, amount } of request.received) {
    const node = nodeOfToken(market, token);
    if (node === null) continue;
    const available = free.get(node.id) ?? 0n;
    const size = available < amount ? available : amount;
    const sale = planSale(deps.engine, market, node, size, RESTORE_BASE_GAS, used);
    if (sale === null) continue;
    for (const leg of sale.trade.legs) used.add(leg.venue);
    sales.push(sale);
  }
  if (sales.length === 0) return null;
  const trades = sales.map(({ trade, gainWad }) => {
    // Never below what keeps the sale a gain, and not far below the plan.
    const worth = worthUp(trade.amountOut, trade.buy);
    const slack = (worth * RESALE_SLIPPAGE_BPS) / 10_000n;
    const give = gainWad < slack ? gainWad : slack;
    const minOut = worth === 0n ? 0n : trade.amountOut - (trade.amountOut * give) / worth;
    return { ...trade, minOut };
  });
  const uses = new Map<string, bigint>();
  for (const trade of trades) {
    uses.set(trade.sell.id, (uses.get(trade.sell.id) ?? 0n) + trade.amountIn);
  }
  const deadline = deps.clock.now() + 3_600;
  const encoded = encodePlan(market, deps.signer.address, { trades, uses }, [], deadline);
  const gain = sales.reduce((sum, sale) => sum + sale.gainWad, 0n);
  const summary = {
    sales: trades.map((t) => `${t.amountIn} ${t.sell.id} → ${t.amountOut} ${t.buy.id}`),
    gainUsd: dollars(gain),
  };
  return {
    call: { key: 'restore', to: encoded.to, data: encoded.data, value: 0n, summary },
    approvals: await approvalsFor(deps, market, encoded.spending),
  };
}

/** Approvals that the spending lacks now; see deskCalls.ts for why they are standing and bounded. */
async function approvalsFor(
  deps: DeskDeps,
  market: DeskMarket,
  { spender, needs }: Spending,
): Promise<readonly DeskCall[]> {
  const chain = present(deps.chains.get(market.chainId), `chain ${market.chainId}`);
  const tokens = [...needs.keys()];
  const owner = deps.signer.address;
  const allowances = await chain.read(
    tokens.map((token) => allowanceCall(token, owner, spender)),
    await chain.block('latest'),
  );
  const lacking: DeskCall[] = [];
  for (const [i, token] of tokens.entries()) {
    const need = needs.get(token) ?? 0n;
    const allowed = amountOf(allowances[i]);
    if (allowed >= need) continue;
    const node = present(nodeOfToken(market, token), `node of ${token}`);
    const balance = market.balances.get(node.id) ?? 0n;
    const symbol = node.id.slice(node.id.indexOf(':') + 1);
    const amount = balance > need ? balance : need;
    const wanted = approvalCall(token, symbol, spender, amount);
    const refusesChange = allowed > 0n && (await reverts(chain, owner, wanted));
    lacking.push(refusesChange ? approvalCall(token, symbol, spender, 0n) : wanted);
  }
  return lacking;
}

async function reverts(chain: Chain, from: Signer['address'], call: DeskCall): Promise<boolean> {
  try {
    await chain.estimateGas({ from, to: call.to, data: call.data, value: 0n });
    return false;
  } catch (error) {
    if (error instanceof Reverted) return true;
    throw error;
  }
}

async function canFund(
  deps: DeskDeps,
  outputs: readonly FundRequest[],
): Promise<Refusal<'insufficientInventory'> | null> {
  const markets = await marketsOf(
    deps,
    outputs.map((output) => output.chainId),
  );
  const reserving = await reservedNow(booksOf(deps), []);
  for (const [id, market] of markets) {
    const needs = new Map<string, bigint>();
    for (const { token, amount } of outputs.filter((output) => output.chainId === id)) {
      const node = present(nodeOfToken(market, token), `node of ${token}`);
      needs.set(node.id, (needs.get(node.id) ?? 0n) + amount);
    }
    const free = freeInventory(market, reserving);
    const plan = planChain({ engine: deps.engine, market, free, needs, hints: NO_HINTS });
    if (isRefusal(plan)) return plan;
  }
  return null;
}

const NO_HINTS: Amounts = new Map();

function chainsOf(order: PortfolioOrder): readonly ChainId[] {
  return [...order.origins, ...order.outputs].map((part) => chainId(Number(part.chainId)));
}

async function marketsOf(
  deps: DeskDeps,
  ids: readonly ChainId[],
): Promise<ReadonlyMap<number, DeskMarket>> {
  const unique = [...new Set(ids)];
  const markets = await Promise.all(unique.map((id) => marketOf(deps, id)));
  return new Map(markets.map((market) => [market.chainId, market]));
}

async function marketOf(deps: DeskDeps, id: ChainId): Promise<DeskMarket> {
  const config = present(
    deps.network.chains.find((chain) => chain.chainId === id),
    `chain ${id} in the network`,
  );
  return deskMarket(config, await deps.source.chain(id), deps.clock.now());
}
