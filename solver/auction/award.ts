// Ranked → Awarded: one award per order of a winning bid, as the chains check it, and the auctioneer's
// signature. Refuses (as a defect) an order that is not the instance's. It sends and stores nothing.
//
// Invariants: an order is awarded at most once (winners have disjoint pairs, and an order has one
// pair); the award's amounts are the winning bid's, each at least the signed minimum.

import { awardFromJson, awardToJson } from '../../contracts-abi/orderJson.ts';
import {
  type Award,
  awardDigest,
  hashAward,
  amountsHash as hashOfAmounts,
  hashOrder,
  type PortfolioOrder,
} from '../../contracts-abi/typedData.ts';
import { parseTokenAmount } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { AuctionInstance } from '../types/auction.ts';
import { type AwardId, awardId, type Hash32, type Hex, type OrderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Signer } from '../types/ports.ts';
import type { VerifiedBid } from './bid.ts';
import { type RankedAuction, type RankedBid, rankBids } from './rank.ts';
import { scoreBids } from './score.ts';

/** What settlement works with: the award, its id, its amounts and the auctioneer's signature. */
export interface SignedAward {
  readonly award: Award;
  readonly awardId: AwardId;
  /** One per output of the order, base units. */
  readonly amounts: readonly bigint[];
  readonly signature: Hex;
}

/** An award not yet signed, and the bid it came from. */
export interface WonOrder {
  readonly orderId: OrderId;
  readonly bid: RankedBid;
  readonly award: Award;
  readonly awardId: AwardId;
  readonly amounts: readonly bigint[];
}
export interface AwardedAuction {
  readonly stage: 'awarded';
  readonly ranked: RankedAuction;
  /** By score, best first; may be none. */
  readonly winners: readonly RankedBid[];
  /** Ascending by orderId. */
  readonly won: readonly WonOrder[];
}

/** Scores, ranks and awards. Pure: the same instance and bids give the same outcome, always. */
export function decideAuction(
  instance: AuctionInstance,
  bids: readonly VerifiedBid[],
): AwardedAuction {
  return awardWinners(rankBids(scoreBids(instance, bids)));
}

export function awardWinners(ranked: RankedAuction): AwardedAuction {
  const orders = new Map(ranked.instance.orders.map((order) => [order.orderId, order]));
  const winners = ranked.ranking.filter(({ won }) => won);
  const won = new Map<OrderId, WonOrder>();
  for (const winner of winners) {
    for (const { orderId, amounts } of winner.bid.items) {
      const order = present(orders.get(orderId), `order ${orderId}`);
      assert(!won.has(orderId), `order ${orderId} would be awarded twice`);
      assert(
        order.outputs.every(({ minimum }, j) => present(amounts[j], 'amount') >= minimum),
        `order ${orderId} would be awarded below its minimum`,
      );
      const award: Award = {
        orderId,
        filler: winner.bid.filler,
        fillDeadline: order.fillDeadline,
        openBy: order.openBy,
        amountsHash: hashOfAmounts(amounts),
      };
      const id = awardId(hashAward(award));
      won.set(orderId, { orderId, bid: winner, award, awardId: id, amounts });
    }
  }
  const ascending = [...won.values()].sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
  return { stage: 'awarded', ranked, winners, won: ascending };
}

/**
 * Signs the awards of `orders` with the auctioneer's key. Where one of a bid's orders is not among them
 * (cancelled meanwhile) all its awards are withheld: a bid is all or nothing. One award per order for ever: the caller stores them in the same
 * transaction that leaves `created`, and never calls this for an order that has one.
 */
export async function signAwards(
  { won }: AwardedAuction,
  orders: ReadonlyMap<OrderId, PortfolioOrder>,
  auctioneer: Signer,
): Promise<readonly SignedAward[]> {
  const signed: SignedAward[] = [];
  for (const { orderId, bid, award, awardId, amounts } of won) {
    if (bid.bid.items.some((item) => !orders.has(item.orderId))) continue;
    const order = present(orders.get(orderId), 'an order of the bid');
    assert(hashOrder(order) === orderId, 'the award is for another order');
    assert(order.auctioneer === auctioneer.address, 'the order names another auctioneer');
    assert(award.openBy <= order.openDeadline, 'openBy is after the open deadline');
    assert(award.fillDeadline === order.fillDeadline, "not the order's fill deadline");
    assert(
      amounts.length === order.outputs.length &&
        order.outputs.every(({ amount }, j) => present(amounts[j], 'amount') >= amount),
      'an awarded amount is below the signed one',
    );
    const signature = await auctioneer.signDigest(awardDigest(award));
    signed.push({ award, awardId, amounts, signature });
  }
  return signed;
}

/** What its bidder is told of a bid once the auction has closed. */
export interface BidResult {
  readonly rank: number | null;
  readonly won: boolean;
  /**
   * How much more its amounts would have had to be worth, in basis points of what they are worth at the
   * instance's prices, to reach the best of the winners that took its pairs; rounded up. null: it won,
   * or was rejected, or is worth nothing at these prices.
   */
  readonly gapBps: number | null;
  readonly reason: string | null;
}

export function resultOf({ ranked, winners }: AwardedAuction, hash: Hash32): BidResult | null {
  const own = ranked.ranking.find((bid) => bid.hash === hash);
  if (own?.won) return { rank: own.rank, won: true, gapBps: null, reason: null };
  if (own !== undefined) {
    const inWay = winners.filter((winner) =>
      [...own.pairScores.keys()].some((pair) => winner.pairScores.has(pair)),
    );
    // Winners come best first.
    const best = inWay[0]?.score ?? 0n;
    const gapBps = bpsOfWorth(ranked.instance, own, best - own.score);
    const reason = best === own.score ? 'lost a tie to the smaller bid hash' : 'outbid';
    return { rank: own.rank, won: false, gapBps, reason };
  }
  const rejected = ranked.rejected.find((bid) => bid.hash === hash);
  if (rejected === undefined) return null;
  return { rank: null, won: false, gapBps: null, reason: rejected.rejection.message };
}

/** The gap over what the bid's amounts are worth, basis points, rounded up. */
function bpsOfWorth(instance: AuctionInstance, { bid }: RankedBid, gap: bigint): number | null {
  const items = new Map(bid.items.map(({ orderId, amounts }) => [orderId, amounts]));
  const worth = instance.orders.reduce((sum, { orderId, outputs }) => {
    const amounts = items.get(orderId) ?? [];
    return outputs.reduce(
      (inner, o, j) => inner + ((amounts[j] ?? 0n) * o.priceWad) / 10n ** BigInt(o.decimals),
      sum,
    );
  }, 0n);
  if (worth === 0n) return null;
  const bps = (gap * 10_000n + worth - 1n) / worth;
  return bps > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(bps);
}

export function signedAwardToJson(signed: SignedAward): JsonObject {
  return {
    award: { ...awardToJson(signed.award) },
    awardId: signed.awardId,
    amounts: signed.amounts.map(String),
    signature: signed.signature,
  };
}

/** The inverse; a stored award that does not hash to its own id is a defect. */
export function signedAwardFromJson(json: JsonObject): SignedAward {
  const award = awardFromJson(json.award);
  assert(Array.isArray(json.amounts), 'a stored award has a list of amounts');
  const amounts = json.amounts.map((amount) => parseTokenAmount(String(amount)));
  const id = awardId(String(json.awardId));
  assert(hashAward(award) === id, 'stored award does not hash to its awardId');
  assert(award.amountsHash === hashOfAmounts(amounts), 'stored amounts do not match the award');
  return { award, awardId: id, amounts, signature: String(json.signature) as Hex };
}
