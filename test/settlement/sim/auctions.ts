// The AuctionStore in memory, with PostgreSQL's promises: each write is one transaction with a crash
// before or after it, a bid counts only before the end and before the seal, an award's outcome is
// counted once. It shares the orders, jobs and clock of the simulated store.

import { present } from '../../../solver/types/assert.ts';
import type { AwardOutcome } from '../../../solver/types/auction.ts';
import type { MarketEvent } from '../../../solver/types/auctionService.ts';
import type {
  AuctionStore,
  FillerRecord,
  NewMarketEvent,
  StoredAuction,
  StoredBid,
} from '../../../solver/types/auctionStore.ts';
import type { EvmAddress, OrderId } from '../../../solver/types/ids.ts';
import type { SimStore } from './store.ts';

interface Auction extends StoredAuction {
  readonly sealed: boolean;
  readonly live: boolean;
}
interface AwardRow {
  readonly orderId: OrderId;
  readonly filler: EvmAddress;
  outcome: AwardOutcome | null;
  atMs: number | null;
}

export interface SimAuctions extends AuctionStore {
  readonly auctions: Map<string, Auction>;
  readonly bids: Map<string, StoredBid[]>;
  readonly awards: AwardRow[];
  readonly market: MarketEvent[];
}

export function simAuctions(store: SimStore, nowMs: () => number): SimAuctions {
  const auctions = new Map<string, Auction>();
  const bids = new Map<string, StoredBid[]>();
  const noBids = new Map<string, Map<OrderId, string>>();
  const awards: AwardRow[] = [];
  const market: MarketEvent[] = [];
  const change = (key: string, update: Partial<Auction>) => {
    auctions.set(key, { ...present(auctions.get(key), `auction ${key}`), ...update });
  };
  const tell = (events: readonly NewMarketEvent[]) => {
    for (const event of events) market.push({ ...event, seq: market.length + 1, atMs: nowMs() });
  };
  const find = (auctionId: string) =>
    [...auctions.values()].find((auction) => auction.auctionId === auctionId) ?? null;
  store.onOutcome = (orderId, outcome) => {
    const row = awards.find((award) => award.orderId === orderId && award.outcome === null);
    if (row === undefined) return;
    row.outcome = outcome;
    row.atMs = nowMs();
    const data = { orderId, outcome };
    tell([{ auctionId: null, to: row.filler, type: 'award.outcome', data }]);
  };
  const recordOf = (filler: EvmAddress, sinceMs: number): FillerRecord => {
    const mine = awards.filter((award) => award.filler === filler);
    const count = (outcome: AwardOutcome | null) =>
      mine.filter((award) => award.outcome === outcome).length;
    return {
      filler,
      won: mine.length,
      filled: count('filled'),
      faded: count('faded'),
      late: count('late'),
      open: count(null),
      recent: mine.flatMap(({ outcome, atMs }) =>
        outcome === null || atMs === null || atMs < sinceMs ? [] : [{ outcome, atMs }],
      ),
    };
  };

  return {
    auctions,
    bids,
    awards,
    market,
    nowMs: async () => nowMs(),
    join: (orderId, gatherMs, ordersMax, lease) =>
      store.write(() => {
        store.checkLease(lease);
        const all = [...auctions.values()];
        const known = all.find((a) => a.live && a.orderIds.includes(orderId));
        if (known !== undefined) return known.key;
        const open = all.find(
          (a) =>
            a.state === 'gathering' && a.gatherUntilMs > nowMs() && a.orderIds.length < ordersMax,
        );
        if (open !== undefined) {
          change(open.key, { orderIds: [...open.orderIds, orderId].sort() });
          return open.key;
        }
        const key = String(auctions.size + 1);
        const nothing = { auctionId: null, openedAtMs: null, closesAtMs: null, closedAtMs: null };
        auctions.set(key, {
          ...{ key, state: 'gathering', gatherUntilMs: nowMs() + gatherMs, ...nothing },
          ...{ instance: null, record: null, orderIds: [orderId], sealed: false, live: true },
        });
        store.addJobs([{ kind: 'auction', key, runAtMs: nowMs() + gatherMs }]);
        return key;
      }),
    read: async (key) => auctions.get(key) ?? null,
    find: async (auctionId) => find(auctionId),
    open: (opening, lease) =>
      store.write(() => {
        store.checkLease(lease);
        const { key, instance, auctionId } = opening;
        const auction = present(auctions.get(key), 'auction');
        if (auction.state !== 'gathering') return 'alreadyApplied';
        const members = auction.orderIds.filter((id) => !opening.dropped.includes(id));
        const expected = instance.orders.map((order) => order.orderId);
        const created = expected.every((id) => store.orders.get(id)?.state === 'created');
        if (members.join() !== expected.join() || !created) return 'changed';
        const { openedAtMs, closesAtMs } = instance;
        if (nowMs() >= closesAtMs) return 'changed';
        const fixed = { auctionId, openedAtMs, closesAtMs, instance: opening.instanceJson };
        change(key, { state: 'bidding', ...fixed, orderIds: members });
        for (const id of members) store.addEvents(id, opening.orderEvents);
        store.addJobs(opening.jobs);
        tell([opening.event]);
        return 'applied';
      }),
    abandon: (key, lease) =>
      store.write(() => {
        store.checkLease(lease);
        change(key, { state: 'closed', live: false, orderIds: [] });
      }),
    place: (stored, limits) =>
      store.write(() => {
        const auction = find(stored.bid.auctionId);
        if (auction === null) return 'notFound';
        const all = bids.get(auction.key) ?? [];
        if (all.some(({ hash }) => hash === stored.hash)) return 'known';
        const mine = all.filter(({ bid }) => bid.filler === stored.bid.filler);
        if (mine.length >= limits.perFiller) return 'fillerFull';
        if (all.length >= limits.perAuction) return 'full';
        const open = auction.state === 'bidding' && !auction.sealed;
        if (!open || nowMs() > (auction.closesAtMs ?? 0)) return 'closed';
        bids.set(auction.key, [...all, stored]);
        return 'added';
      }),
    noteNoBid: (key, orderId, reason) =>
      store.write(() => {
        noBids.set(key, new Map(noBids.get(key)).set(orderId, reason));
      }),
    noBidReasons: async (key) => noBids.get(key) ?? new Map(),
    seal: (key, lease) =>
      store.write(() => {
        store.checkLease(lease);
        const auction = present(auctions.get(key), 'auction');
        if (!auction.sealed && nowMs() <= (auction.closesAtMs ?? 0)) return null;
        change(key, { sealed: true });
        return bids.get(key) ?? [];
      }),
    close: (closing, lease) =>
      store.write(() => {
        store.checkLease(lease);
        const { key, record } = closing;
        const auction = present(auctions.get(key), 'auction');
        if (auction.state !== 'bidding' || !auction.sealed) return 'alreadyApplied';
        const rows = closing.transitions.map((t) => present(store.orders.get(t.orderId), 'order'));
        if (rows.some(({ state }, i) => state !== closing.transitions[i]?.from)) return 'changed';
        for (const award of closing.awards) {
          const open = awards.some((a) => a.orderId === award.orderId && a.outcome === null);
          if (open) throw new Error(`two open awards of ${award.orderId}`);
          awards.push({ ...award, outcome: null, atMs: null });
        }
        change(key, { state: 'closed', record, closedAtMs: nowMs(), live: false });
        for (const t of closing.transitions)
          store.move(present(store.orders.get(t.orderId), ''), t);
        for (const { orderId, events, facts } of closing.notes) {
          const row = present(store.orders.get(orderId), 'order');
          if (row.state !== 'created') continue;
          store.orders.set(orderId, { ...row, facts: { ...row.facts, ...facts } });
          store.addEvents(orderId, events);
        }
        store.addJobs(closing.jobs);
        tell(closing.events);
        return 'applied';
      }),
    liveReserves: async (filler) =>
      [...auctions.values()]
        .filter(({ state }) => state === 'bidding')
        .flatMap(({ key }) => bids.get(key) ?? [])
        .filter(({ bid }) => bid.filler === filler)
        .map(({ bid, reserves }) => ({
          orderIds: bid.items.map((item) => item.orderId),
          reserves,
        })),
    awardsOf: async (orderIds) => awards.filter(({ orderId }) => orderIds.includes(orderId)),
    list: async () => [...auctions.values()].filter((a) => a.auctionId !== null).reverse(),
    feed: async (filler, after, limit) =>
      market.filter(({ seq, to }) => seq > after && (to === null || to === filler)).slice(0, limit),
    newest: async () => market.length,
    onMarket: () => () => {},
    record: async (filler, sinceMs) => {
      const bid = [...bids.values()].flat().some((stored) => stored.bid.filler === filler);
      const record = recordOf(filler, sinceMs);
      return bid || record.won > 0 ? record : null;
    },
    records: async (sinceMs) =>
      [...new Set(awards.map(({ filler }) => filler))].map((filler) => recordOf(filler, sinceMs)),
  };
}
