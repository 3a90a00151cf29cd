// Job kind `auction`: leads one auction from gathering to its record. It fixes what is auctioned with
// prices at named blocks, announces it, waits for the end by the database's clock, decides by
// auction/'s pure functions over the sealed bids, signs the awards, and writes everything that follows
// in one transaction. Every step can be repeated after a crash: prices are asked again until they are
// fixed, and after the seal the same bids give the same outcome. It bids nothing itself.

import { orderToJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import {
  type AwardedAuction,
  decideAuction,
  type SignedAward,
  signAwards,
} from '../auction/award.ts';
import { instanceFromJson, instanceId, instanceToJson, pairOf } from '../auction/instance.ts';
import { auctionRecord } from '../auction/record.ts';
import { present } from '../types/assert.ts';
import type { AuctionInstance, AuctionOrder } from '../types/auction.ts';
import type { AuctionStore, StoredAuction, StoredBid } from '../types/auctionStore.ts';
import { Fault } from '../types/errors.ts';
import type { EvmAddress, OrderId } from '../types/ids.ts';
import type { Json } from '../types/json.ts';
import type { Signer } from '../types/ports.ts';
import type { JobLease, Store, StoredOrder } from '../types/store.ts';
import { parseOrder } from './awardedOrder.ts';
import { awardTransition, type ClosingDeps, closingEvents, noBidNotes } from './closing.ts';
import { BID_JOB, SERVE_JOB } from './kinds.ts';
import type { SettlementPolicy } from './policy.ts';
import type { AuctionMarket, SettlementDeps } from './ports.ts';
import { openTimeNeeded, timesFault } from './rules.ts';
import { finished, type JobOutcome } from './steps.ts';

export interface AuctioningDeps extends ClosingDeps, Pick<SettlementDeps, 'clock'> {
  readonly store: Pick<Store, 'getOrder'>;
  readonly auctions: AuctionStore;
  readonly market: AuctionMarket;
  readonly auctioneer: Signer;
  readonly policy: SettlementPolicy;
}

/** Steps of one auction taken in one run of its job. */
const STEPS_PER_RUN_MAX = 8;
/** A pause up to this long is slept out in the job's own slot, so that windows end on time. */
const SLEEP_MS_MAX = 5_000;

/** The handler of job kind `auction`; the job's key is the auction's row. */
export function createAuctioning(deps: AuctioningDeps) {
  return async (lease: JobLease, signal: AbortSignal): Promise<JobOutcome> => {
    try {
      for (let steps = 0; steps < STEPS_PER_RUN_MAX && !signal.aborted; steps += 1) {
        const outcome = await auctionStep(deps, lease, signal);
        if (outcome !== 'goOn') return outcome;
      }
      return { runAtMs: await deps.auctions.nowMs() };
    } catch (error) {
      if (!(error instanceof Fault) || !error.retryable) throw error;
      return { runAtMs: deps.clock.nowMs() + deps.policy.faultRetryMs };
    }
  };
}

type StepOutcome = JobOutcome | 'goOn';

async function auctionStep(
  deps: AuctioningDeps,
  lease: JobLease,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const auction = await deps.auctions.read(lease.key);
  if (auction === null || auction.state === 'closed') return finished;
  if (auction.state === 'gathering') {
    const wait = await waitUntil(deps, auction.gatherUntilMs, signal);
    return wait ?? open(deps, auction, lease);
  }
  const wait = await waitUntil(deps, present(auction.closesAtMs, 'closesAtMs'), signal);
  return wait ?? close(deps, auction, lease);
}

/** Null once the database's clock is past `atMs`; otherwise when to look again. */
async function waitUntil(
  { auctions, clock }: AuctioningDeps,
  atMs: number,
  signal: AbortSignal,
): Promise<JobOutcome | null> {
  const left = atMs + 1 - (await auctions.nowMs());
  if (left <= 0) return null;
  if (left <= SLEEP_MS_MAX) {
    await clock.sleep(left, signal);
    if ((await auctions.nowMs()) > atMs) return null;
  }
  return { runAtMs: atMs + 1 };
}

/** Bidding lasts at most so many times longer than its policy says. */
const PATIENCE_MAX = 8;

/**
 * Twice as long per auction that every order of it has been in without a winner: solvers that were too
 * slow, on a busy machine or a slow chain, are waited for before the orders' time is used up. Every
 * order, so that one nobody wants cannot keep the others waiting.
 */
function biddingMs(policy: SettlementPolicy, rows: readonly StoredOrder[]): number {
  const missed = rows.map(({ facts }) => Number(facts.auctionsWithoutWinner ?? 0));
  return policy.biddingMs * Math.min(2 ** Math.min(...missed), PATIENCE_MAX);
}

async function open(
  deps: AuctioningDeps,
  auction: StoredAuction,
  lease: JobLease,
): Promise<StepOutcome> {
  const { auctions, market, policy } = deps;
  const rows = await ordersOf(deps, auction.orderIds);
  const alive = rows.filter((row) => inTime(deps, row));
  const asked = alive.map((row) => ({ orderId: row.orderId, order: parseOrder(row) }));
  const priced = await market.price(asked);
  const kept = asked.filter(({ orderId }) => priced.prices.has(orderId));
  if (kept.length === 0) {
    await auctions.abandon(auction.key, lease);
    return finished;
  }
  const openedAtMs = await auctions.nowMs();
  const closesAtMs = openedAtMs + biddingMs(policy, alive);
  const instance: AuctionInstance = {
    version: 2,
    orders: kept
      .map(({ orderId, order }) => {
        const openBy = openByOf(order, closesAtMs, policy);
        return auctioned(orderId, order, openBy, priced.prices.get(orderId));
      })
      .sort((a, b) => (a.orderId < b.orderId ? -1 : 1)),
    openedAtMs,
    closesAtMs,
    snapshotDigest: priced.snapshotDigest,
    blocks: priced.blocks,
    engine: market.engine,
  };
  const auctionId = instanceId(instance);
  const members = kept.map(({ orderId }) => orderId);
  await auctions.open(
    {
      key: auction.key,
      auctionId,
      instance,
      instanceJson: instanceToJson(instance),
      dropped: auction.orderIds.filter((id) => !members.includes(id)),
      event: {
        auctionId,
        to: null,
        type: 'auction.opened',
        data: {
          auctionId,
          instance: instanceToJson(instance),
          orders: kept.map(({ orderId, order }) => ({ orderId, order: { ...orderToJson(order) } })),
          closesAtMs,
        },
      },
      orderEvents: [
        { type: 'order.auction', data: { auctionId, closesAtMs, orders: members.length } },
      ],
      jobs: [{ kind: BID_JOB, key: auction.key, runAtMs: openedAtMs }],
    },
    lease,
  );
  return 'goOn';
}

/** Unix seconds; at most the order's own openDeadline. */
function openByOf(
  { openDeadline }: PortfolioOrder,
  closesAtMs: number,
  { openSecondsMin }: SettlementPolicy,
): number {
  const closes = Math.ceil(closesAtMs / 1_000);
  const half = Math.floor((openDeadline - closes) / 2);
  return half < openSecondsMin ? openDeadline : closes + half;
}

function auctioned(
  orderId: OrderId,
  order: PortfolioOrder,
  openBy: number,
  prices: readonly { readonly decimals: number; readonly priceWad: bigint }[] | undefined,
): AuctionOrder {
  return {
    orderId,
    pair: pairOf(order),
    openBy,
    fillDeadline: order.fillDeadline,
    outputs: order.outputs.map((output, i) => ({
      chainId: Number(output.chainId),
      token: `0x${output.token.slice(26)}`,
      minimum: output.amount,
      ...present(prices?.[i], 'a price per output'),
    })),
  };
}

async function close(
  deps: AuctioningDeps,
  auction: StoredAuction,
  lease: JobLease,
): Promise<StepOutcome> {
  const { auctions, auctioneer } = deps;
  const bids = await auctions.seal(auction.key, lease);
  if (bids === null) return { runAtMs: present(auction.closesAtMs, 'closesAtMs') + 1 };
  const instance = instanceFromJson(auction.instance);
  // Verified at the door, each by its own hash.
  const decided = decideAuction(
    instance,
    bids.map(({ bid, hash }) => ({ stage: 'unscored', bid, hash })),
  );
  const rows = await ordersOf(deps, auction.orderIds);
  const alive = new Map(
    rows.filter((row) => inTime(deps, row)).map((row) => [row.orderId, row] as const),
  );
  const orders = new Map([...alive].map(([id, row]) => [id, parseOrder(row)]));
  const signed = await signAwards(decided, orders, auctioneer);
  const netting = nettingOf(deps, decided, bids);
  const record = auctionRecord(decided, { auctioneer: auctioneer.address, signed, netting });
  const awarded = new Set(signed.map(({ award }) => award.orderId));
  const left = [...alive.values()].filter((row) => !awarded.has(row.orderId as SignedOrderId));
  const now = await auctions.nowMs();
  const outcome = { auction, decided, signed, rows: alive, bids, deps };
  await auctions.close(
    {
      key: auction.key,
      record,
      transitions: signed.map((award) => awardTransition(outcome, award)),
      notes: left.length === 0 ? [] : await noBidNotes(outcome, left, now),
      awards: signed.map(({ award, awardId }) => ({
        orderId: award.orderId as OrderId,
        filler: award.filler as EvmAddress,
        awardId,
      })),
      events: closingEvents(outcome, record),
      jobs: rows.map(({ orderId }) => ({ kind: SERVE_JOB, key: orderId, runAtMs: now })),
    },
    lease,
  );
  return 'goOn';
}
type SignedOrderId = SignedAward['award']['orderId'];

/** The desk's own report on its batch, if that won. */
function nettingOf(
  { desk }: AuctioningDeps,
  { winners }: AwardedAuction,
  bids: readonly StoredBid[],
): Json | null {
  const won = new Set(winners.filter(({ bid }) => bid.filler === desk).map(({ hash }) => hash));
  const reports = bids.flatMap(({ hash, notes }) => (won.has(hash) ? [notes.netting ?? null] : []));
  return reports.find((report) => report !== null) ?? null;
}

async function ordersOf(
  { store }: AuctioningDeps,
  orderIds: readonly OrderId[],
): Promise<readonly StoredOrder[]> {
  const rows = await Promise.all(orderIds.map((id) => store.getOrder(id)));
  return rows.map((row, i) => present(row, `order ${orderIds[i]}`));
}

/** Still waiting for an award, with the time left to open and fill it. */
function inTime({ clock, network, policy }: AuctioningDeps, row: StoredOrder): boolean {
  if (row.state !== 'created') return false;
  const order = parseOrder(row);
  const now = clock.now();
  if (timesFault(order, network, now) !== null) return false;
  return order.fillDeadline - now >= openTimeNeeded(order, network, policy.minFillSeconds);
}
