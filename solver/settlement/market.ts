// The market's door: what solvers and the public see of auctions, and where bids come in, our own
// desk's as well. A bid is judged here by its signature, its terms, its filler's standing and quota;
// whether it is in time only the store says. It shows nothing of a bid before its auction has closed.

import { type RecoverSigner, termsOf, verifyBid } from '../auction/bid.ts';
import { instanceFromJson } from '../auction/instance.ts';
import { BID_LIMITS, bidRefusal } from '../auction/quota.ts';
import { HISTORY_MS, standingOf } from '../auction/standing.ts';
import type { AuctionId, SignedBid, SolverStanding } from '../types/auction.ts';
import type {
  AuctionService,
  BidReceipt,
  BidRefusal,
  BidRefusalCode,
  MarketEvent,
} from '../types/auctionService.ts';
import type {
  AuctionStore,
  BidLimits,
  FillerRecord,
  PlacedBid,
  StoredAuction,
  StoredBid,
} from '../types/auctionStore.ts';
import { isRefusal } from '../types/errors.ts';
import { type EvmAddress, evmAddress, type OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Store } from '../types/store.ts';

export interface MarketDeps {
  readonly auctions: AuctionStore;
  readonly orders: Pick<Store, 'getOrder'>;
  readonly recover: RecoverSigner;
  /**
   * Fillers the operator answers for, its own desk among them: no limit on awards under way and no
   * cooldown. Their bids are judged like everybody's, and their record is public too.
   */
  readonly vouched: readonly EvmAddress[];
}

/** What our own desk stores with a bid and nobody sees. */
export type Private = Pick<StoredBid, 'reserves' | 'notes'>;

export interface Market extends AuctionService {
  placeBid(bid: SignedBid, own?: Private): Promise<BidReceipt | BidRefusal>;
}

/** Terms of live auctions kept parsed, at most. */
const TERMS_KEPT_MAX = 64;

export function createMarket(deps: MarketDeps): Market {
  const { auctions, orders } = deps;
  const terms = new Map<AuctionId, ReturnType<typeof termsOf>>();
  const termsFor = (auctionId: AuctionId, instance: JsonObject) => {
    const known = terms.get(auctionId);
    if (known !== undefined) return known;
    const made = termsOf(instanceFromJson(instance));
    const oldest = terms.keys().next();
    if (terms.size >= TERMS_KEPT_MAX && oldest.done !== true) terms.delete(oldest.value);
    terms.set(auctionId, made);
    return made;
  };

  return {
    async get(auctionId) {
      const auction = await auctions.find(auctionId);
      if (auction === null) return null;
      const members = await Promise.all(auction.orderIds.map((id) => shownOrder(orders, id)));
      return {
        ...summary(auction),
        instance: auction.instance,
        orders: members,
        ...(auction.record === null ? {} : { record: auction.record }),
      };
    },
    async list({ orderId, cursor, limit }) {
      const found = await auctions.list({
        ...(orderId === undefined ? {} : { orderId }),
        ...(cursor === undefined ? {} : { before: cursor }),
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      return {
        auctions: page.map((auction) => ({
          ...summary(auction),
          orderIds: [...auction.orderIds],
          ...(auction.record === null ? {} : { winners: auction.record.winners ?? [] }),
        })),
        nextCursor: found.length > limit ? (page.at(-1)?.key ?? null) : null,
      };
    },
    async placeBid(bid, own = { reserves: {}, notes: {} }) {
      const auction = await auctions.find(bid.auctionId);
      if (auction === null || auction.instance === null) {
        return refuse('auctionNotFound', `no auction ${bid.auctionId}`);
      }
      if (auction.state === 'closed') return refuse('auctionClosed', 'the auction has closed');
      const verified = verifyBid(bid, deps.recover);
      if (isRefusal(verified)) return verified;
      const fault = termsFor(bid.auctionId, auction.instance)(bid);
      if (fault !== null) {
        return { ...refuse('malformedBid', fault.message), details: { code: fault.code } };
      }
      const barred = await barredFrom(deps, bid);
      if (barred !== null) return barred;
      const limits = {
        perAuction: BID_LIMITS.perAuction,
        perFiller: BID_LIMITS.perFiller + auction.orderIds.length,
      };
      const placed = await auctions.place({ hash: verified.hash, bid, ...own }, limits);
      const refused = refusalOf(placed, limits);
      if (refused !== null) return refused;
      return { auctionId: bid.auctionId, bidHash: verified.hash, created: placed === 'added' };
    },
    async feed(filler, afterSeq, limit) {
      const events = await auctions.feed(filler, afterSeq, limit);
      return Promise.all(events.map((event) => asOfNow(deps, event)));
    },
    newest: () => auctions.newest(),
    subscribe: (listener) => auctions.onMarket(listener),
    async standings(limit) {
      const now = await auctions.nowMs();
      const records = await auctions.records(now - HISTORY_MS, limit);
      return records.map((record) => standingAt(deps, record, now));
    },
    async standing(filler) {
      const now = await auctions.nowMs();
      const record = await auctions.record(filler, now - HISTORY_MS);
      return record === null ? null : standingAt(deps, record, now);
    },
  };
}

const summary = (auction: StoredAuction): JsonObject => ({
  auctionId: auction.auctionId,
  state: auction.state,
  openedAtMs: auction.openedAtMs,
  closesAtMs: auction.closesAtMs,
  ...(auction.closedAtMs === null ? {} : { closedAtMs: auction.closedAtMs }),
});

async function shownOrder(orders: MarketDeps['orders'], orderId: OrderId): Promise<JsonObject> {
  const row = await orders.getOrder(orderId);
  return { orderId, order: row?.order ?? null };
}

function standingAt(
  { vouched }: MarketDeps,
  { recent, open: _open, ...totals }: FillerRecord,
  nowMs: number,
): SolverStanding {
  const standing = standingOf(totals, recent, nowMs);
  return vouched.includes(totals.filler) ? { ...standing, cooldownUntilMs: null } : standing;
}

/** Cooldown, awards under way, and orders that this filler was awarded before and let lapse. */
async function barredFrom(deps: MarketDeps, bid: SignedBid): Promise<BidRefusal | null> {
  const { auctions, vouched } = deps;
  const now = await auctions.nowMs();
  const record = await auctions.record(bid.filler, now - HISTORY_MS);
  const { cooldownUntilMs } =
    record === null ? { cooldownUntilMs: null } : standingAt(deps, record, now);
  const trusted = vouched.includes(bid.filler);
  // The store counts bids exactly; here only what it does not know.
  const counts = {
    ofAuction: 0,
    ofFiller: 0,
    unfilledAwards: trusted ? 0 : (record?.open ?? 0),
    items: trusted ? 1 : bid.items.length,
    orders: bid.items.length,
  };
  const refusal = bidRefusal(counts, cooldownUntilMs, now);
  if (refusal !== null) return refusal;
  const before = await auctions.awardsOf(bid.items.map(({ orderId }) => orderId));
  const lapsed = before.find(({ filler }) => filler === bid.filler);
  if (lapsed === undefined) return null;
  const message = `order ${lapsed.orderId} was awarded to this filler before, and lapsed`;
  return { ...refuse('coolingDown', message), details: { orderId: lapsed.orderId } };
}

function refusalOf(placed: PlacedBid, limits: BidLimits): BidRefusal | null {
  switch (placed) {
    case 'added':
    case 'known':
      return null;
    case 'notFound':
      return refuse('auctionNotFound', 'no such auction');
    case 'closed':
      return refuse('auctionClosed', 'it arrived after closesAtMs, by the service’s clock');
    case 'full':
      return refuse('bidQuota', `the auction has all the bids it takes (${limits.perAuction})`);
    case 'fillerFull':
      return refuse('bidQuota', `the filler has placed all its bids here (${limits.perFiller})`);
  }
}

/** What is only true when it is read: the service's time, and a filler's standing. */
async function asOfNow(deps: MarketDeps, event: MarketEvent): Promise<MarketEvent> {
  if (event.type === 'auction.opened') {
    return { ...event, data: { ...event.data, serverTimeMs: await deps.auctions.nowMs() } };
  }
  if (event.type !== 'award.outcome' || event.to === null) return event;
  const now = await deps.auctions.nowMs();
  const record = await deps.auctions.record(evmAddress(event.to), now - HISTORY_MS);
  if (record === null) return event;
  return { ...event, data: { ...event.data, standing: { ...standingAt(deps, record, now) } } };
}

const refuse = (refused: BidRefusalCode, message: string): BidRefusal => ({ refused, message });
