// Scored → Ranked: the fairness filter, the ranking, the winners and what the auction would have
// brought without each of them. The rules are CoW Protocol's (CIP-67), stated for orders of any shape:
//
//   baseline of a pair  the best score any valid bid has whose items are all of that pair, whichever
//                       of the pair's orders it covers. Winners exclude one another by pair, so this
//                       is what the pair's owners together would get from that bid instead. Comparing
//                       only bids that cover the same orders could be dodged by adding or leaving out
//                       one order.
//   fairness            a bid over several pairs is dropped if on any of them it scores below baseline.
//   winners             by score descending, ties by hash ascending, each whose pairs are all free yet.
//                       A filler may win with several bids.
//   reference score     of a winning filler: the total score of the same auction, filter included, run
//                       without any of its bids.
//
// It refuses nothing: scoring has. Order and time of arrival do not enter.

import type { AuctionInstance, SignedBid } from '../types/auction.ts';
import type { EvmAddress, Hash32 } from '../types/ids.ts';
import type { Rejection } from './bid.ts';
import { compareText, type RejectedBid, type ScoredAuction, type ScoredBid } from './score.ts';

export interface RankedBid {
  readonly stage: 'ranked';
  readonly bid: SignedBid;
  readonly hash: Hash32;
  readonly score: bigint;
  readonly pairScores: ReadonlyMap<Hash32, bigint>;
  /** From 1; the winners need not be the first ones, as pairs exclude one another. */
  readonly rank: number;
  readonly won: boolean;
}
export interface RankedAuction {
  readonly stage: 'ranked';
  readonly instance: AuctionInstance;
  /** Best first. */
  readonly ranking: readonly RankedBid[];
  /** By hash, then signature. */
  readonly rejected: readonly RejectedBid[];
  /** Best single-pair score by pair. */
  readonly baselines: ReadonlyMap<Hash32, bigint>;
  /** Sum of the winners' scores. */
  readonly score: bigint;
  /** By winning filler: the auction's score without it. */
  readonly referenceScores: ReadonlyMap<EvmAddress, bigint>;
}

export function rankBids(auction: ScoredAuction): RankedAuction {
  const { ordered, unfair, baselines } = filtered(auction.scored);
  const won = new Set(winnersOf(ordered));
  const ranking = ordered.map(
    (scored, index): RankedBid => ({
      ...scored,
      stage: 'ranked',
      rank: index + 1,
      won: won.has(scored),
    }),
  );
  const winners = new Set([...won].map(({ bid }) => bid.filler));
  return {
    stage: 'ranked',
    instance: auction.instance,
    ranking,
    rejected: [...auction.rejected, ...unfair].sort(
      (a, b) => compareText(a.hash, b.hash) || compareText(a.bid.signature, b.bid.signature),
    ),
    baselines,
    score: total([...won]),
    referenceScores: new Map(
      [...winners].sort().map((filler) => [filler, scoreWithout(auction.scored, filler)]),
    ),
  };
}

function scoreWithout(scored: readonly ScoredBid[], filler: EvmAddress): bigint {
  return total(winnersOf(filtered(scored.filter(({ bid }) => bid.filler !== filler)).ordered));
}

interface Filtered {
  readonly ordered: readonly ScoredBid[];
  readonly unfair: readonly RejectedBid[];
  readonly baselines: ReadonlyMap<Hash32, bigint>;
}

function filtered(scored: readonly ScoredBid[]): Filtered {
  const baselines = new Map<Hash32, bigint>();
  for (const { pairScores } of scored) {
    if (pairScores.size !== 1) continue;
    for (const [pair, score] of pairScores) {
      if (score > (baselines.get(pair) ?? -1n)) baselines.set(pair, score);
    }
  }
  const fair: ScoredBid[] = [];
  const unfair: RejectedBid[] = [];
  for (const candidate of scored) {
    const { bid, hash, score } = candidate;
    const rejection = unfairness(candidate, baselines);
    if (rejection === null) fair.push(candidate);
    else unfair.push({ stage: 'rejected', bid, hash, score, rejection });
  }
  return { ordered: fair.sort(compareBids), unfair, baselines };
}

function unfairness(
  { pairScores }: ScoredBid,
  baselines: ReadonlyMap<Hash32, bigint>,
): Rejection | null {
  if (pairScores.size === 1) return null;
  for (const pair of [...pairScores.keys()].sort()) {
    const score = pairScores.get(pair) ?? 0n;
    const baseline = baselines.get(pair) ?? 0n;
    if (score < baseline) {
      const message = `pair ${pair}: it scores ${score}, the best bid for it alone ${baseline}`;
      return { code: 'unfair', message };
    }
  }
  return null;
}

/** Greedily; `ordered` is best first. */
function winnersOf(ordered: readonly ScoredBid[]): readonly ScoredBid[] {
  const taken = new Set<Hash32>();
  return ordered.filter(({ pairScores }) => {
    const pairs = [...pairScores.keys()];
    if (pairs.some((pair) => taken.has(pair))) return false;
    for (const pair of pairs) taken.add(pair);
    return true;
  });
}

/** Negative when `a` ranks before `b`. Zero only for one bid: hashes are unique after scoring. */
function compareBids(a: ScoredBid, b: ScoredBid): number {
  if (a.score !== b.score) return a.score > b.score ? -1 : 1;
  return compareText(a.hash, b.hash);
}

const total = (bids: readonly ScoredBid[]): bigint =>
  bids.reduce((sum, { score }) => sum + score, 0n);
