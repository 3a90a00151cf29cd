// From a ranked auction to the signed award, and the auction's record: everything needed to run it
// again and compare byte for byte. Refuses an auction without a valid bid (as a value) and an
// instance that is not the order's (as a defect). It sends nothing and stores nothing.

import { awardFromJson, awardToJson } from '../../contracts-abi/orderJson.ts';
import {
  type Award,
  awardDigest,
  hashAward,
  amountsHash as hashOfAmounts,
  hashOrder,
  type PortfolioOrder,
} from '../../contracts-abi/typedData.ts';
import { assert, present } from '../types/assert.ts';
import type { Refusal } from '../types/errors.ts';
import { type AwardId, awardId, evmAddress, type Hex, orderId } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Signer } from '../types/ports.ts';
import type { AuctionInstance, Bid } from './bid.ts';
import { type RankedAuction, rankBids, type ScoredBid, scoreBids, unscored } from './rank.ts';

/** A winner and what it won, not yet signed. */
export interface AwardedAuction {
  readonly stage: 'awarded';
  readonly ranked: RankedAuction;
  readonly winner: ScoredBid;
  readonly award: Award;
}

/** What settlement works with: the award, its id, its amounts and the auctioneer's signature. */
export interface SignedAward {
  readonly award: Award;
  readonly awardId: AwardId;
  /** One per output of the order, base units. */
  readonly amounts: readonly bigint[];
  readonly signature: Hex;
}

/** The first of the ranking wins. `noBid` names why each bid was rejected. */
export function awardBest(ranked: RankedAuction): AwardedAuction | Refusal<'noBid'> {
  const winner = ranked.ranking[0];
  if (winner === undefined) {
    const reasons = ranked.rejected.map((r) => `${r.bid.filler}: ${r.reason}`);
    return {
      refused: 'noBid',
      message: reasons.length === 0 ? 'nobody bid' : `no valid bid (${reasons.join('; ')})`,
    };
  }
  const { instance } = ranked;
  const award: Award = {
    orderId: instance.orderId,
    filler: winner.bid.filler,
    fillDeadline: instance.fillDeadline,
    openBy: instance.openBy,
    amountsHash: hashOfAmounts(winner.bid.amounts),
  };
  return { stage: 'awarded', ranked, winner, award };
}

/** Scores, ranks and awards. Pure: the same instance and bids give the same award, always. */
export function decideAuction(
  instance: AuctionInstance,
  bids: readonly Bid[],
): AwardedAuction | Refusal<'noBid'> {
  return awardBest(rankBids(scoreBids(instance, bids.map(unscored))));
}

/**
 * Signs the award with the auctioneer's key. One award per order for ever: the caller stores it in
 * the same transaction that leaves `created`, and never calls this for an order that has one.
 */
export async function signAward(
  order: PortfolioOrder,
  decided: AwardedAuction,
  auctioneer: Signer,
): Promise<SignedAward> {
  const { award, winner } = decided;
  assert(hashOrder(order) === award.orderId, 'the award is for another order');
  assert(order.auctioneer === auctioneer.address, 'the order names another auctioneer');
  assert(award.openBy <= order.openDeadline, 'openBy is after the open deadline');
  assert(award.fillDeadline === order.fillDeadline, "not the order's fill deadline");
  return {
    award,
    awardId: awardId(hashAward(award)),
    amounts: winner.bid.amounts,
    signature: await auctioneer.signDigest(awardDigest(award)),
  };
}

/** The public record: the whole instance, every bid with its score or refusal, and the award. */
export function auctionRecord(decided: AwardedAuction): JsonObject {
  const { ranked, winner, award } = decided;
  return {
    version: 1,
    instance: instanceToJson(ranked.instance),
    bids: [
      ...ranked.ranking.map((b, index) => ({
        ...bidToJson(b.bid),
        hash: b.hash,
        score: b.score.toString(),
        rank: index + 1,
      })),
      ...ranked.rejected.map((b) => ({ ...bidToJson(b.bid), rejected: b.reason })),
    ],
    winner: winner.hash,
    score: winner.score.toString(),
    referenceScore: ranked.referenceScore.toString(),
    award: { ...awardToJson(award) },
  };
}

/**
 * Runs a record's auction again from its instance and bids alone. True when every byte of the record
 * comes out the same; a bid, a score, a price or the winner altered makes it false.
 */
export function replaysTo(record: JsonObject): boolean {
  const instance = instanceFromJson(record.instance);
  const bids = list(record.bids).map(bidFromJson);
  const decided = decideAuction(instance, bids);
  if ('refused' in decided) return false;
  return canonical(auctionRecord(decided)) === canonical(record);
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
  const amounts = list(json.amounts).map((amount) => BigInt(String(amount)));
  const id = awardId(String(json.awardId));
  assert(hashAward(award) === id, 'stored award does not hash to its awardId');
  assert(award.amountsHash === hashOfAmounts(amounts), 'stored amounts do not match the award');
  return { award, awardId: id, amounts, signature: String(json.signature) as Hex };
}

function instanceToJson(instance: AuctionInstance): JsonObject {
  return {
    orderId: instance.orderId,
    openedAtMs: instance.openedAtMs,
    openBy: instance.openBy,
    fillDeadline: instance.fillDeadline,
    outputs: instance.outputs.map((o) => ({
      chainId: o.chainId,
      token: o.token,
      decimals: o.decimals,
      minimum: o.minimum.toString(),
      priceWad: o.priceWad.toString(),
    })),
  };
}

function instanceFromJson(value: unknown): AuctionInstance {
  const at = object(value);
  return {
    orderId: orderId(String(at.orderId)),
    openedAtMs: Number(at.openedAtMs),
    openBy: Number(at.openBy),
    fillDeadline: Number(at.fillDeadline),
    outputs: list(at.outputs).map((value) => {
      const o = object(value);
      return {
        chainId: Number(o.chainId),
        token: evmAddress(String(o.token)),
        decimals: Number(o.decimals),
        minimum: BigInt(String(o.minimum)),
        priceWad: BigInt(String(o.priceWad)),
      };
    }),
  };
}

const bidToJson = (bid: Bid) => ({ filler: bid.filler, amounts: bid.amounts.map(String) });

function bidFromJson(value: unknown): Bid {
  const at = object(value);
  return {
    filler: evmAddress(String(at.filler)),
    amounts: list(at.amounts).map((amount) => BigInt(String(amount))),
  };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  assert(typeof value === 'object' && value !== null, 'a record holds an object here');
  return value as Readonly<Record<string, unknown>>;
}
function list(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), 'a record holds a list here');
  return present(value, 'list') as readonly unknown[];
}

/** Key order does not matter to PostgreSQL's jsonb, so it must not matter here. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
