// What follows from a decided auction: the transition of every order won, with all its workflow will
// need, what is told to orders that nobody won, and the entries of the solvers' feed. Pure but for
// reading why our own desk did not bid.

import { awardToJson, orderToJson } from '../../contracts-abi/orderJson.ts';
import {
  type AwardedAuction,
  resultOf,
  type SignedAward,
  signedAwardToJson,
} from '../auction/award.ts';
import { present } from '../types/assert.ts';
import type { SignedBid } from '../types/auction.ts';
import type {
  AuctionStore,
  NewMarketEvent,
  OrderNote,
  StoredAuction,
  StoredBid,
} from '../types/auctionStore.ts';
import { type EvmAddress, evmAddress, type OrderId } from '../types/ids.ts';
import type { Json, JsonObject } from '../types/json.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { StoredOrder, Transition } from '../types/store.ts';
import { blocksToJson, parseOrder } from './awardedOrder.ts';
import { transition } from './lifecycle.ts';
import { chainConfig } from './rules.ts';

export interface ClosingDeps {
  readonly auctions: Pick<AuctionStore, 'noBidReasons'>;
  readonly network: NetworkConfig;
  /** Our own desk's account. */
  readonly desk: EvmAddress;
}

export interface Closed {
  readonly deps: ClosingDeps;
  readonly auction: StoredAuction;
  readonly decided: AwardedAuction;
  readonly signed: readonly SignedAward[];
  /** Orders that can be awarded now. */
  readonly rows: ReadonlyMap<OrderId, StoredOrder>;
  readonly bids: readonly StoredBid[];
}

/** Pauses after the n-th auction that an order was in without a winner, milliseconds. */
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 15_000;
const REASON_CHARS_MAX = 400;

export function awardTransition(closed: Closed, signed: SignedAward): Transition {
  const { auction, decided, rows, deps } = closed;
  const id = signed.award.orderId as OrderId;
  const row = present(rows.get(id), `order ${id}`);
  const winner = present(
    decided.won.find((won) => won.orderId === id),
    'the winning bid',
  );
  const own = closed.bids.find(({ hash }) => hash === winner.bid.hash);
  const private_ = present(own, 'the stored bid').notes.orders;
  const mine = isObject(private_) && isObject(private_[id]) ? private_[id] : {};
  return transition(row, 'awarded', 'serve', {
    award: signedAwardToJson(signed),
    facts: {
      auctionId: auction.auctionId,
      fromBlocks: blocksToJson(fillsCannotBeBefore(closed, row)),
      reserves: mine.reserves ?? {},
      bid: mine.bid ?? {},
      noBid: null,
      awards: countOf(row.facts.awards) + 1,
    },
    data: {
      auctionId: auction.auctionId,
      awardId: signed.awardId,
      filler: signed.award.filler,
      own: signed.award.filler === deps.desk,
      bids: bidsOn(decided, id),
      score: winner.bid.score.toString(),
      amounts: signed.amounts.map(String),
      openBy: signed.award.openBy,
    },
  });
}

/** The public bids that cover the order, best first: what its timeline shows. */
function bidsOn({ ranked }: AwardedAuction, id: OrderId): Json[] {
  return ranked.ranking
    .filter(({ bid }) => bid.items.some((item) => item.orderId === id))
    .map(({ bid, hash, score, rank, won }) => ({
      filler: bid.filler,
      hash,
      score: score.toString(),
      rank,
      won,
      orders: bid.items.length,
      amounts: amountsFor(bid, id),
    }));
}

const amountsFor = ({ items }: SignedBid, id: OrderId): readonly string[] =>
  items.find(({ orderId }) => orderId === id)?.amounts.map(String) ?? [];

/**
 * The award does not exist before its auction's blocks, so neither do its fills: where reading events
 * may begin. Those blocks were heads; a reorg may put a fill into a slightly lower one.
 */
function fillsCannotBeBefore({ decided, deps }: Closed, row: StoredOrder) {
  const ids = new Set(parseOrder(row).outputs.map((output) => Number(output.chainId)));
  const blocks = decided.ranked.instance.blocks.filter(({ chainId }) => ids.has(chainId));
  return new Map(
    blocks.map(({ chainId, number }) => {
      const depth = BigInt(chainConfig(deps.network, chainId)?.confirmations ?? 0);
      const from = BigInt(number) - depth;
      return [chainId, from > 0n ? from : 0n] as const;
    }),
  );
}

/** Why nobody won an order, kept for the case that its time runs out, and when it is tried again. */
export async function noBidNotes(
  { deps, auction, decided }: Closed,
  left: readonly StoredOrder[],
  nowMs: number,
): Promise<readonly OrderNote[]> {
  const ours = await deps.auctions.noBidReasons(auction.key);
  return left.map((row) => {
    const { orderId } = row;
    const rejected = decided.ranked.rejected
      .filter(({ bid }) => bid.items.some((item) => item.orderId === orderId))
      .map(({ bid, rejection }) => `${bid.filler}: ${rejection.message}`);
    const own = ours.get(orderId);
    const reasons = [
      ...(own === undefined ? [] : [`the filler does not bid: ${own}`]),
      ...rejected,
    ];
    const why = (reasons.join('; ') || 'nobody bid').slice(0, REASON_CHARS_MAX);
    const auctions = countOf(row.facts.auctionsWithoutWinner) + 1;
    const pause = Math.min(PAUSE_MS * 2 ** Math.min(auctions - 1, 20), PAUSE_MS_MAX);
    return {
      orderId,
      events: [{ type: 'order.noBid', data: { auctionId: auction.auctionId, why } }],
      facts: { noBid: why, nextAuctionAtMs: nowMs + pause, auctionsWithoutWinner: auctions },
    };
  });
}

export function closingEvents(closed: Closed, record: JsonObject): readonly NewMarketEvent[] {
  const { auction, decided, signed, rows, bids } = closed;
  const auctionId = present(auction.auctionId, 'auctionId');
  const winners = record.winners as readonly JsonObject[];
  const results = bids.map(({ bid, hash }): NewMarketEvent => {
    const result = resultOf(decided, hash);
    const { rank, gapBps, reason } = result ?? { rank: null, gapBps: null, reason: null };
    const orderIds = bid.items.map((item) => item.orderId);
    const data = { auctionId, bidHash: hash, orderIds, rank, gapBps, reason };
    return { auctionId, to: bid.filler, type: 'bid.result', data };
  });
  const awards = signed.map(({ award, awardId, amounts, signature }): NewMarketEvent => {
    const row = present(rows.get(award.orderId as OrderId), 'an awarded order');
    const data = {
      auctionId,
      orderId: row.orderId,
      order: { ...orderToJson(parseOrder(row)) },
      ownerSignature: row.ownerSignature,
      signatureKind: row.signatureKind,
      award: { ...awardToJson(award) },
      awardId,
      amounts: amounts.map(String),
      awardSignature: signature,
    };
    return {
      auctionId,
      to: evmAddress(award.filler),
      type: 'award',
      data,
    };
  });
  const closing = {
    auctionId,
    to: null,
    type: 'auction.closed',
    data: {
      auctionId,
      winners: [...winners],
      referenceScore: winners[0]?.referenceScore ?? null,
    },
  };
  return [closing, ...results, ...awards];
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const countOf = (fact: Json | undefined): number => (typeof fact === 'number' ? fact : 0);
