// The auction of one order as it was before batches (records of version 1): settlement's present
// caller. It goes as soon as settlement runs the auctions of award.ts.

import { keccak_256 } from '@noble/hashes/sha3.js';
import { awardToJson } from '../../contracts-abi/orderJson.ts';
import {
  type Award,
  awardDigest,
  hashAward,
  amountsHash as hashOfAmounts,
  hashOrder,
  type PortfolioOrder,
} from '../../contracts-abi/typedData.ts';
import { MAX_UINT256, mulDivDown } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { Refusal } from '../types/errors.ts';
import {
  awardId,
  type EvmAddress,
  evmAddress,
  type Hash32,
  type Hex,
  type OrderId,
  orderId,
} from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { Signer } from '../types/ports.ts';
import type { SignedAward } from './award.ts';

/** One output of the order as the auction sees it. */
export interface AuctionOutput {
  readonly chainId: number;
  /** Token address, lower case. */
  readonly token: Hex;
  readonly decimals: number;
  /** The signed minimum, base units. */
  readonly minimum: bigint;
  /** 18-decimal dollars per whole token, at the instance's time. */
  readonly priceWad: bigint;
}

/** Everything the score depends on besides the bids. */
export interface AuctionInstance {
  readonly orderId: OrderId;
  readonly openedAtMs: number;
  /** The last second at which an escrow may open under the award. */
  readonly openBy: number;
  readonly fillDeadline: number;
  /** In the order's own (canonical) order. */
  readonly outputs: readonly AuctionOutput[];
}

/** A filler's offer: one amount per output, each at least the signed minimum. */
export interface Bid {
  readonly filler: EvmAddress;
  readonly amounts: readonly bigint[];
}

/**
 * keccak256(orderId ‖ filler, left-padded ‖ one uint256 per amount). Ties between equal scores go to
 * the smaller hash, so neither arrival nor listing order can matter.
 */
export function bidHash(orderId: OrderId, bid: Bid): Hash32 {
  const words = [BigInt(orderId), BigInt(bid.filler), ...bid.amounts];
  const bytes = new Uint8Array(words.length * 32);
  words.forEach((word, index) => {
    assert(word >= 0n && word < 2n ** 256n, 'a bid holds only uint256 words');
    bytes.set(wordBytes(word), index * 32);
  });
  return `0x${toHex(keccak_256(bytes))}` as Hash32;
}

function wordBytes(word: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(word.toString(16).padStart(64, '0'), 'hex'));
}
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Bids taken into one auction; further ones are refused at the door by whoever collects them. */
export const MAX_BIDS = 256;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;

export interface UnscoredBid {
  readonly stage: 'unscored';
  readonly bid: Bid;
}
export interface ScoredBid {
  readonly stage: 'scored';
  readonly bid: Bid;
  readonly hash: Hash32;
  /** 18-decimal dollars. */
  readonly score: bigint;
}
export interface RejectedBid {
  readonly stage: 'rejected';
  readonly bid: Bid;
  readonly reason: string;
}
export interface ScoredAuction {
  readonly stage: 'scored';
  readonly instance: AuctionInstance;
  readonly scored: readonly ScoredBid[];
  readonly rejected: readonly RejectedBid[];
}
export interface RankedAuction {
  readonly stage: 'ranked';
  readonly instance: AuctionInstance;
  /** Best first: score descending, then hash ascending. One entry per filler, its best bid. */
  readonly ranking: readonly ScoredBid[];
  readonly rejected: readonly RejectedBid[];
  /** The best score were the winner absent: 0 with fewer than two fillers. */
  readonly referenceScore: bigint;
}

export const unscored = (bid: Bid): UnscoredBid => ({ stage: 'unscored', bid });

/** Scores every bid that keeps the order's terms and rejects the others, with the reason. */
export function scoreBids(instance: AuctionInstance, bids: readonly UnscoredBid[]): ScoredAuction {
  assert(bids.length <= MAX_BIDS, `at most ${MAX_BIDS} bids, got ${bids.length}`);
  const scored: ScoredBid[] = [];
  const rejected: RejectedBid[] = [];
  for (const { bid } of bids) {
    const reason = violation(instance, bid);
    if (reason !== null) {
      rejected.push({ stage: 'rejected', bid, reason });
      continue;
    }
    const hash = bidHash(instance.orderId, bid);
    scored.push({ stage: 'scored', bid, hash, score: scoreOf(instance, bid) });
  }
  return { stage: 'scored', instance, scored, rejected };
}

/** Ranks scored bids. The result does not depend on the order in which bids came. */
export function rankBids(auction: ScoredAuction): RankedAuction {
  const bestOf = new Map<EvmAddress, ScoredBid>();
  const superseded: RejectedBid[] = [];
  for (const candidate of [...auction.scored].sort(compareBids)) {
    if (!bestOf.has(candidate.bid.filler)) bestOf.set(candidate.bid.filler, candidate);
    else {
      const reason = 'superseded by a better bid of the same filler';
      superseded.push({ stage: 'rejected', bid: candidate.bid, reason });
    }
  }
  const ranking = [...bestOf.values()];
  return {
    stage: 'ranked',
    instance: auction.instance,
    ranking,
    rejected: [...auction.rejected, ...superseded].sort(compareRejected),
    referenceScore: ranking[1]?.score ?? 0n,
  };
}

/** Negative when `a` ranks before `b`. Equal only for the same bid. */
export function compareBids(a: ScoredBid, b: ScoredBid): number {
  if (a.score !== b.score) return a.score > b.score ? -1 : 1;
  if (a.hash === b.hash) return 0;
  return a.hash < b.hash ? -1 : 1;
}

function compareRejected(a: RejectedBid, b: RejectedBid): number {
  const key = ({ bid, reason }: RejectedBid) => `${bid.filler} ${bid.amounts.join()} ${reason}`;
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
}

function scoreOf(instance: AuctionInstance, bid: Bid): bigint {
  return instance.outputs.reduce((sum, output, index) => {
    const surplus = (bid.amounts[index] ?? 0n) - output.minimum;
    return sum + mulDivDown(surplus, output.priceWad, 10n ** BigInt(output.decimals));
  }, 0n);
}

function violation(instance: AuctionInstance, bid: Bid): string | null {
  if (bid.filler === ZERO_ADDRESS) return 'the filler is the zero address';
  if (bid.amounts.length !== instance.outputs.length) {
    return `${bid.amounts.length} amounts for ${instance.outputs.length} outputs`;
  }
  for (const [index, output] of instance.outputs.entries()) {
    const amount = bid.amounts[index];
    if (amount === undefined || amount < 0n || amount > MAX_UINT256) {
      return `amount ${index} is not a uint256`;
    }
    if (amount < output.minimum) {
      return `amount ${index} is ${amount}, below the signed minimum ${output.minimum}`;
    }
  }
  return null;
}

/** A winner and what it won, not yet signed. */
export interface AwardedAuction {
  readonly stage: 'awarded';
  readonly ranked: RankedAuction;
  readonly winner: ScoredBid;
  readonly award: Award;
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
