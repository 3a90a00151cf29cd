// An AuctionService in memory for tests of the solvers' interface: auctions are opened and closed by
// the test, bids are taken with the checks that the door makes, the feed is a list.

import { recoverAddress } from 'viem';
import { bidDigest, hashBid } from '../../contracts-abi/bidTypedData.ts';
import type { SignedBid, SolverStanding } from '../../solver/types/auction.ts';
import type { AuctionService, BidRefusal, MarketEvent } from '../../solver/types/auctionService.ts';
import { type EvmAddress, hash32 } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';

export interface MemoryAuctions extends AuctionService {
  readonly bids: SignedBid[];
  readonly standingsList: SolverStanding[];
  readonly pages: Map<string, JsonObject>;
  refuse: BidRefusal | Error | null;
  /** Whether hints reach listeners. */
  hints: boolean;
  readonly listeners: Set<() => void>;
  push(type: string, data: JsonObject, to?: EvmAddress | null): MarketEvent;
}

export function memoryAuctions(): MemoryAuctions {
  const entries: MarketEvent[] = [];
  const memory: MemoryAuctions = {
    bids: [],
    standingsList: [],
    pages: new Map(),
    refuse: null,
    hints: true,
    listeners: new Set(),
    push(type, data, to = null) {
      const auctionId = typeof data.auctionId === 'string' ? hash32(data.auctionId) : null;
      const entry = { seq: entries.length + 1, atMs: Date.now(), type, auctionId, to, data };
      entries.push(entry);
      if (memory.hints) for (const listener of memory.listeners) listener();
      return entry;
    },
    get: async (id) => memory.pages.get(id) ?? null,
    list: async ({ limit }) => ({
      auctions: [...memory.pages.values()].slice(0, limit),
      nextCursor: null,
    }),
    async placeBid(bid) {
      if (memory.refuse instanceof Error) throw memory.refuse;
      if (memory.refuse !== null) return memory.refuse;
      const { signature } = bid;
      const signer = await recoverAddress({ hash: bidDigest(bid), signature }).catch(() => null);
      if (signer?.toLowerCase() !== bid.filler) {
        return { refused: 'wrongSigner', message: 'the bid is not signed by its filler' };
      }
      const bidHash = hash32(hashBid(bid));
      const created = !memory.bids.some((known) => hashBid(known) === bidHash);
      if (created) memory.bids.push(bid);
      return { auctionId: bid.auctionId, bidHash, created };
    },
    feed: async (filler, afterSeq, limit) =>
      entries
        .filter(({ seq, to }) => seq > afterSeq && (to === null || to === filler))
        .slice(0, limit),
    newest: async () => entries.length,
    subscribe(listener) {
      memory.listeners.add(listener);
      return () => memory.listeners.delete(listener);
    },
    standings: async (limit) => memory.standingsList.slice(0, limit),
    standing: async (filler) =>
      memory.standingsList.find((standing) => standing.filler === filler) ?? null,
  };
  return memory;
}
