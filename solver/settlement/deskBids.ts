// Job kind `bid`: our own solver's bids in one auction, through the same door as everybody's and by
// the same clock. Winners exclude one another by directed pair, so it makes one bid per pair, over
// all of the pair's orders it can serve. It says of every other order why it does not bid. What it
// promises is reserved by the sealed bid itself, so no two bids count on the same inventory. Where
// orders of several pairs net, one more bid covers them all at uniform prices.

import { bidDigest } from '../../contracts-abi/bidTypedData.ts';
import { instanceFromJson } from '../auction/instance.ts';
import { present } from '../types/assert.ts';
import type { AuctionId, AuctionInstance, AuctionOrder, BidItem } from '../types/auction.ts';
import type { AuctionStore } from '../types/auctionStore.ts';
import { Fault, isRefusal, type Refusal } from '../types/errors.ts';
import type { Hash32, OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { JobLease, Store } from '../types/store.ts';
import { parseOrder } from './awardedOrder.ts';
import type { Market } from './market.ts';
import type { SettlementPolicy } from './policy.ts';
import type { FillerDesk, Reserves, SettlementDeps } from './ports.ts';
import { quotedPlan } from './quotedPlan.ts';
import { reserving, type Sharing } from './reserving.ts';
import { finished, type JobOutcome } from './steps.ts';

export interface DeskBidsDeps extends Pick<SettlementDeps, 'clock'>, Pick<Sharing, 'oneByOne'> {
  readonly store: Pick<Store, 'getOrder' | 'getQuote'>;
  readonly auctions: Pick<
    AuctionStore,
    'read' | 'nowMs' | 'noteNoBid' | 'liveReserves' | 'awardsOf'
  >;
  readonly market: Pick<Market, 'placeBid'>;
  readonly desk: FillerDesk;
  readonly policy: SettlementPolicy;
}

/** Plans of one bid that met others' reservations, before the pair is given up. */
const PLANS_MAX = 4;

/** A bid as the desk plans it. */
interface Planned {
  readonly items: readonly BidItem[];
  readonly reserves: Reserves;
  /** Per order, what settlement keeps when it wins. */
  readonly orders: JsonObject;
}

/** The handler of job kind `bid`; the job's key is the auction's row. */
export function createDeskBids(deps: DeskBidsDeps) {
  return async (lease: JobLease, signal: AbortSignal): Promise<JobOutcome> => {
    const auction = await deps.auctions.read(lease.key);
    if (auction?.state !== 'bidding' || auction.auctionId === null) return finished;
    const closesAtMs = present(auction.closesAtMs, 'closesAtMs');
    const instance = instanceFromJson(auction.instance);
    const known = await bidFor(deps);
    const barred = await awardedBefore(deps, instance);
    try {
      for (const pair of pairsOf(instance)) {
        const open = pair.filter(({ orderId }) => !known.has(orderId) && !barred.has(orderId));
        if (open.length === 0) continue;
        if (signal.aborted || (await deps.auctions.nowMs()) > closesAtMs) break;
        await bidOnPair(deps, lease.key, auction.auctionId, open);
      }
      if (!signal.aborted && (await deps.auctions.nowMs()) <= closesAtMs) {
        await bidOnAll(deps, auction.auctionId, instance, barred);
      }
      return finished;
    } catch (error) {
      if (!(error instanceof Fault) || !error.retryable) throw error;
      return { runAtMs: deps.clock.nowMs() + deps.policy.pollMs };
    }
  };
}

/** Orders our live bids cover: what an earlier run of this job did. */
async function bidFor({ auctions, desk }: DeskBidsDeps): Promise<ReadonlySet<OrderId>> {
  const live = await auctions.liveReserves(desk.address);
  return new Set(live.flatMap(({ orderIds }) => orderIds));
}

/** Orders our desk was awarded before: the door would refuse it. */
async function awardedBefore(
  { auctions, desk }: DeskBidsDeps,
  { orders }: AuctionInstance,
): Promise<ReadonlySet<OrderId>> {
  const before = await auctions.awardsOf(orders.map(({ orderId }) => orderId));
  return new Set(
    before.filter(({ filler }) => filler === desk.address).map(({ orderId }) => orderId),
  );
}

function pairsOf({ orders }: AuctionInstance): readonly (readonly AuctionOrder[])[] {
  const pairs = new Map<Hash32, AuctionOrder[]>();
  for (const order of orders) pairs.set(order.pair, [...(pairs.get(order.pair) ?? []), order]);
  return [...pairs.values()];
}

async function bidOnPair(
  deps: DeskBidsDeps,
  key: string,
  auctionId: AuctionId,
  pair: readonly AuctionOrder[],
): Promise<void> {
  const ids = pair.map(({ orderId }) => orderId);
  for (let plans = 0; plans < PLANS_MAX; plans += 1) {
    const kept = await reserving(
      ids,
      deps,
      () => planPair(deps, key, pair),
      async (planned) => {
        if (planned !== null) await place(deps, key, auctionId, planned);
        return 'kept' as const;
      },
    );
    if (kept !== null) return;
  }
  for (const id of ids) {
    await deps.auctions.noteNoBid(key, id, 'other orders keep taking the inventory it needs');
  }
}

/** One bid over orders that net, besides those for the pairs: whichever wins, its funds are there. */
async function bidOnAll(
  deps: DeskBidsDeps,
  auctionId: AuctionId,
  instance: AuctionInstance,
  barred: ReadonlySet<OrderId>,
): Promise<void> {
  const { desk, auctions, store } = deps;
  if (pairsOf(instance).length < 2) return;
  const ids = instance.orders.map(({ orderId }) => orderId).filter((id) => !barred.has(id));
  const rows = await Promise.all(ids.map((id) => store.getOrder(id)));
  const open = rows.filter((row) => row !== null).filter(({ state }) => state === 'created');
  const orders = open.map((row) => ({ orderId: row.orderId, order: parseOrder(row) }));
  await reserving(
    ids,
    deps,
    () => desk.bidBatch(orders).catch(nullIfDown),
    async (batch) => {
      if (batch === null) return;
      const live = await auctions.liveReserves(desk.address);
      const own = live.filter(({ orderIds }) => orderIds.some((id) => ids.includes(id)));
      const whole = Object.values(batch.orders).map(({ reserves }) => reserves);
      // The pairs' bids hold theirs already, and of two bids on an order one wins at most.
      const held = own.map(({ reserves }) => reserves);
      const reserves = excess(whole.reduce(sum, {}), held.reduce(sum, {}));
      const parts = Object.entries(batch.orders).map(
        ([id, { reserves: part, notes }]) => [id, { reserves: { ...part }, bid: notes }] as const,
      );
      const bid = { auctionId, filler: desk.address, items: batch.items };
      const signature = await desk.signer.signDigest(bidDigest(bid));
      const notes = { orders: Object.fromEntries(parts), netting: batch.netting };
      await deps.market.placeBid({ ...bid, signature }, { reserves, notes });
    },
  );
}

function nullIfDown(error: unknown): null {
  if (error instanceof Fault) return null;
  throw error;
}

/** What `a` needs beyond `b`. */
function excess(a: Reserves, b: Reserves): Reserves {
  const more = Object.entries(a).map(
    ([node, amount]) => [node, BigInt(amount) - BigInt(b[node] ?? '0')] as const,
  );
  return Object.fromEntries(
    more.filter(([, rest]) => rest > 0n).map(([node, rest]) => [node, rest.toString()]),
  );
}

/** Order by order, each on what the ones before leave. Null: it can serve none of them. */
async function planPair(
  deps: DeskBidsDeps,
  key: string,
  pair: readonly AuctionOrder[],
): Promise<Planned | null> {
  const items: BidItem[] = [];
  let reserves: Reserves = {};
  let orders: JsonObject = {};
  for (const { orderId } of pair) {
    const row = present(await deps.store.getOrder(orderId), `order ${orderId}`);
    if (row.state !== 'created') continue;
    const quote = await quotedPlan(deps.store, row);
    const request = { orderId, order: parseOrder(row), quote, held: reserves };
    const bid = await deps.desk.bid(request).catch(asRefusal);
    if (isRefusal(bid)) {
      await deps.auctions.noteNoBid(key, orderId, bid.message);
      continue;
    }
    items.push({ orderId, amounts: bid.amounts });
    reserves = sum(reserves, bid.reserves);
    orders = { ...orders, [orderId]: { reserves: { ...bid.reserves }, bid: bid.notes } };
  }
  return items.length === 0 ? null : { items, reserves, orders };
}

/** A chain or feed that is down keeps us from bidding on its orders alone. */
function asRefusal(error: unknown): Refusal {
  if (error instanceof Fault) return { refused: 'noBid', message: error.message };
  throw error;
}

async function place(
  { desk, market, auctions }: DeskBidsDeps,
  key: string,
  auctionId: AuctionId,
  { items, reserves, orders }: Planned,
): Promise<void> {
  const bid = { auctionId, filler: desk.address, items };
  const signature = await desk.signer.signDigest(bidDigest(bid));
  const placed = await market.placeBid({ ...bid, signature }, { reserves, notes: { orders } });
  if (!isRefusal(placed)) return;
  for (const { orderId } of items) await auctions.noteNoBid(key, orderId, placed.message);
}

function sum(a: Reserves, b: Reserves): Reserves {
  const nodes = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(
    nodes.map((node) => [node, (BigInt(a[node] ?? '0') + BigInt(b[node] ?? '0')).toString()]),
  );
}
