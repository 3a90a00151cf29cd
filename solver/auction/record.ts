// An auction's public record, version 2, and its replay: everything is computed again from the
// instance and the bids alone and compared byte for byte, every bid's signature and every award's is
// checked. Refuses, as a value that says where, a record that does not come out the same. What the
// signatures cannot cover is copied and said to be: `netting`, the built-in solver's own report.

import { awardToJson } from '../../contracts-abi/orderJson.ts';
import { awardDigest } from '../../contracts-abi/typedData.ts';
import { canonicalJson, pointerTo } from '../market/jsonText.ts';
import { type At, readArray, readInteger, readObject } from '../market/reader.ts';
import { present } from '../types/assert.ts';
import type { AuctionId, AuctionInstance } from '../types/auction.ts';
import { InvalidInput, isRefusal } from '../types/errors.ts';
import { type EvmAddress, evmAddress, type Hash32, type Hex } from '../types/ids.ts';
import type { Json, JsonObject } from '../types/json.ts';
import { type AwardedAuction, decideAuction, type SignedAward } from './award.ts';
import { bidFromJson, bidToJson, type RecoverSigner, type VerifiedBid, verifyBid } from './bid.ts';
import { instanceFromJson, instanceId, instanceToJson, readHex } from './instance.ts';
import { BID_LIMITS } from './quota.ts';
import type { RankedBid } from './rank.ts';
import type { RejectedBid } from './score.ts';

export interface RecordParts {
  readonly auctioneer: EvmAddress;
  /** The awards that were signed; a won order without one is recorded as withheld. */
  readonly signed: readonly SignedAward[];
  /** The built-in solver's batch report (netting.ts), where it made one. */
  readonly netting: Json | null;
}

/** The whole outcome as JSON. Bids stand by rank, then the rejected ones by hash. */
export function auctionRecord(decided: AwardedAuction, parts: RecordParts): JsonObject {
  const { ranked, winners, won } = decided;
  const signatures = new Map(parts.signed.map(({ awardId, signature }) => [awardId, signature]));
  return {
    version: 2,
    auctionId: instanceId(ranked.instance),
    auctioneer: parts.auctioneer,
    instance: instanceToJson(ranked.instance),
    bids: [...ranked.ranking.map(rankedToJson), ...ranked.rejected.map(rejectedToJson)],
    winners: winners.map(({ bid, hash, score }) => ({
      filler: bid.filler,
      bidHash: hash,
      score: score.toString(),
      orderIds: bid.items.map(({ orderId }) => orderId),
      referenceScore: present(ranked.referenceScores.get(bid.filler), 'reference').toString(),
    })),
    score: ranked.score.toString(),
    awards: won.map(({ award, awardId, amounts, bid }) => ({
      bidHash: bid.hash,
      award: { ...awardToJson(award) },
      awardId,
      amounts: amounts.map(String),
      // null: withheld, as an order of the bid was cancelled before its auction's end.
      signature: signatures.get(awardId) ?? null,
    })),
    netting: parts.netting,
  };
}

function rankedToJson({ bid, hash, score, pairScores, rank, won }: RankedBid): JsonObject {
  const pairs = [...pairScores].map(([pair, part]) => ({ pair, score: part.toString() }));
  return {
    bid: bidToJson(bid),
    hash,
    score: score.toString(),
    pairs: pairs.sort((a, b) => (a.pair < b.pair ? -1 : 1)),
    rank,
    won,
    rejected: null,
  };
}

function rejectedToJson({ bid, hash, score, rejection }: RejectedBid): JsonObject {
  const { code, message } = rejection;
  return {
    bid: bidToJson(bid),
    hash,
    score: score?.toString() ?? null,
    pairs: [],
    rank: null,
    won: false,
    rejected: { code, message },
  };
}

/** A record that came out the same. */
export interface Replayed {
  readonly ok: true;
  readonly auctionId: AuctionId;
  /** keccak256 of the .wasm the service ran. */
  readonly engine: Hash32;
  readonly instance: AuctionInstance;
  readonly decided: AwardedAuction;
  readonly withheld: number;
}
/** The first thing that did not. */
export interface Differs {
  readonly ok: false;
  /** RFC 6901 pointer into the record. */
  readonly path: string;
  readonly message: string;
}

/**
 * Runs a record's auction again. Never throws on a record's content: one that cannot be read differs at
 * the place of the fault.
 */
export function replay(record: unknown, recover: RecoverSigner): Replayed | Differs {
  try {
    return replayed(record, recover);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return differs(error.pointer, error.message);
  }
}

const RECORD_KEYS = [
  ...['version', 'auctionId', 'auctioneer', 'instance', 'bids', 'winners', 'score', 'awards'],
  'netting',
];
const BID_KEYS = ['bid', 'hash', 'score', 'pairs', 'rank', 'won', 'rejected'];
const AWARD_KEYS = ['bidHash', 'award', 'awardId', 'amounts', 'signature'];

function replayed(record: unknown, recover: RecoverSigner): Replayed | Differs {
  const at = readObject({ value: record, pointer: '' }, RECORD_KEYS);
  readInteger(at.field('version'), 2, 2);
  const instanceAt = at.field('instance');
  const instance = instanceFromJson(instanceAt.value, instanceAt.pointer);
  const auctioneer = evmAddress(readHex(at.field('auctioneer'), 20));
  const bids: VerifiedBid[] = [];
  for (const item of readArray(at.field('bids'), 0, BID_LIMITS.perAuction)) {
    const bid = readObject(item, BID_KEYS).field('bid');
    const verified = verifyBid(bidFromJson(bid.value, bid.pointer), recover);
    if (isRefusal(verified)) {
      return differs(`${bid.pointer}${verified.pointer ?? ''}`, verified.message);
    }
    bids.push(verified);
  }
  const decided = decideAuction(instance, bids);
  const signed = signedAwards(decided, readArray(at.field('awards'), 0, instance.orders.length));
  const netting = at.field('netting').value as Json;
  const again = auctionRecord(decided, { auctioneer, signed, netting });
  const path = firstDifference(again, record, '');
  if (path !== null) {
    const [expected, found] = [again, record].map((value) => shown(value, path));
    return differs(path, `replayed ${expected}, recorded ${found}`);
  }
  for (const [index, { award, signature }] of signed.entries()) {
    const signer = recover(awardDigest(award), signature);
    if (signer === auctioneer) continue;
    const message = `the award is signed by ${signer ?? 'nobody'}, not by ${auctioneer}`;
    const place = decided.won.findIndex(({ award: own }) => own === award);
    return differs(`/awards/${place < 0 ? index : place}/signature`, message);
  }
  const withheld = decided.won.length - signed.length;
  const { engine } = instance;
  return { ok: true, auctionId: instanceId(instance), engine, instance, decided, withheld };
}

/** The replayed awards with the recorded signatures: those alone cannot be computed again. */
function signedAwards({ won }: AwardedAuction, recorded: readonly At[]): SignedAward[] {
  return won.flatMap(({ award, awardId, amounts }, index) => {
    const item = recorded[index];
    if (item === undefined) return [];
    const signature = readObject(item, AWARD_KEYS).field('signature');
    if (signature.value === null) return [];
    return [{ award, awardId, amounts, signature: readHex(signature, 65) as Hex }];
  });
}

const differs = (path: string, message: string): Differs => ({ ok: false, path, message });

/** Where two JSON values first differ, as canonical JSON would order them; null: nowhere. */
function firstDifference(a: Json, b: unknown, path: string): string | null {
  if (canonicalJson(a) === canonicalJson(b)) return null;
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return path;
  const [left, right] = [a, b] as readonly Readonly<Record<string, Json | undefined>>[];
  const keys = new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})]);
  const ordered = Array.isArray(a) ? [...keys] : [...keys].sort();
  for (const key of ordered) {
    const [one, other] = [left?.[key], right?.[key]];
    if (one === undefined || other === undefined) return pointerTo(path, key);
    const below = firstDifference(one, other, pointerTo(path, key));
    if (below !== null) return below;
  }
  return path;
}

const isContainer = (value: unknown): value is object =>
  typeof value === 'object' && value !== null;

const SHOWN_MAX = 200;
function shown(value: unknown, path: string): string {
  let at: unknown = value;
  for (const token of path.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    at = isContainer(at) ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at === undefined ? 'nothing' : canonicalJson(at).slice(0, SHOWN_MAX);
}
