// Runs a solver: listens, has `bid` decide, signs and sends, and serves what it wins to the released
// escrow. Owns the bookkeeping between those: which bids are live, what is promised of which balance,
// which awards are being served. Strategy is the caller's; safety is verify.ts's and serve.ts's.

import type { Address, Hex, LocalAccount } from 'viem';
import { recoverAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { signedBidFromJson } from '../../../contracts-abi/bidJson.ts';
import { type BidMessage, bidDigest, bidTypes } from '../../../contracts-abi/bidTypedData.ts';
import { domain } from '../../../contracts-abi/typedData.ts';
import { createChainClient, pause } from './chain.ts';
import { addressOf, type Chains, outputsOf } from './facts.ts';
import { openJournal } from './journal.ts';
import { getJson, loadNetwork } from './network.ts';
import { type ServeTiming, serveAward } from './serve.ts';
import { createLine, type FeedEntry, type Line } from './socket.ts';
import { createTools, holdingKey, type Tools } from './tools.ts';
import type {
  Auction,
  FillNeed,
  Offer,
  Offers,
  Purchase,
  SolverEvent,
  SolverNetwork,
  WonAward,
} from './types.ts';
import { readAuction, readAward } from './verify.ts';

export interface SolverOptions {
  /** Of the service, e.g. http://127.0.0.1:8787. */
  readonly url: string;
  /** The filler's key; or `account`. Its address is who wins, pays and is repaid. */
  readonly privateKey?: Hex;
  readonly account?: LocalAccount;
  /** Nodes by chain id, where the service offers none or yours are better. */
  readonly rpcUrls?: Readonly<Record<number, string>>;
  /** Called once before the first auction: whatever takes longer than an auction lasts. */
  readonly prepare?: (tools: Tools) => Promise<void>;
  /** What to offer in an auction; null or nothing: no bid. Called once per auction. */
  readonly bid: (auction: Auction, tools: Tools) => Promise<Offers | null> | Offers | null;
  /** How to get what one chain's outputs need; null: from the balance. */
  readonly buy?: (need: FillNeed, tools: Tools) => Promise<Purchase | null>;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SolverEvent) => void;
  /** A file that remembers bids and awards over restarts. */
  readonly journal?: string;
  readonly timing?: Partial<ServeTiming>;
}

/** Entries of the feed read again at a start without a journal: awards of minutes ago are in them. */
const REPLAY_ENTRIES = 2_000;
/** Awards served at once; further ones wait in the feed's order. */
const AWARDS_MAX = 64;
/** An award follows its auction's end at once: until then a bid keeps what it promised. */
const AWARD_GRACE_MS = 3_000;
/** A closed auction's record is asked for so often, and this far apart. */
const RECORD_TRIES = 5;
const RECORD_PAUSE_MS = 1_000;
/** A closed auction nobody told of any more; its promises lapse. */
const FORGET_MS = 60_000;

/** The tools alone, with nothing promised: for looking at auctions without bidding in them. */
export async function openTools(
  options: Pick<SolverOptions, 'url' | 'privateKey' | 'account' | 'rpcUrls'>,
): Promise<Tools> {
  const account = accountOf(options);
  const network = await loadNetwork(options.url.replace(/\/+$/, ''), options.rpcUrls);
  const chains: Chains = new Map(
    network.chains.map((config) => [config.chainId, createChainClient(config, account, () => {})]),
  );
  const filler = account.address.toLowerCase() as Address;
  return createTools({ network, chains, filler, promised: () => new Map(), nowMs: Date.now });
}

/** Resolves when `signal` aborts; throws Error when the service or a chain cannot be reached at all. */
export async function runSolver(options: SolverOptions): Promise<void> {
  const { signal = new AbortController().signal, onEvent = () => {} } = options;
  const account = accountOf(options);
  const url = options.url.replace(/\/+$/, '');
  const network = await loadNetwork(url, options.rpcUrls);
  const chains: Chains = new Map(
    network.chains.map((config) => [
      config.chainId,
      createChainClient(config, account, (event) => onEvent({ type: 'transaction', ...event })),
    ]),
  );
  const solver = createSolver({ options, account, url, network, chains, signal, onEvent });
  await solver.run();
}

interface SolverDeps {
  readonly options: SolverOptions;
  readonly account: LocalAccount;
  readonly url: string;
  readonly network: SolverNetwork;
  readonly chains: Chains;
  readonly signal: AbortSignal;
  readonly onEvent: (event: SolverEvent) => void;
}

interface LiveBids {
  readonly offers: Offer[];
  readonly promised: Map<string, bigint>;
  forgetAtMs: number;
}

function createSolver(deps: SolverDeps) {
  const { options, account, url, network, chains, signal, onEvent } = deps;
  const filler = account.address.toLowerCase() as Address;
  const journal = openJournal(options.journal ?? null);
  const live = new Map<Hex, LiveBids>();
  const serving = new Map<Hex, WonAward>();
  const ended = new Set<Hex>();
  const running = new Set<Promise<unknown>>();

  const tools = createTools({
    network,
    chains,
    filler,
    promised: () => promisedBy(live, serving),
    nowMs: () => Date.now(),
  });
  const line: Line = createLine({
    url,
    account,
    startAfter: (newest) => journal.seen ?? newest - Math.min(newest, REPLAY_ENTRIES),
    onEntry: (entry) => follow(take(entry)),
    onState: (connected, detail) =>
      onEvent({ type: connected ? 'connected' : 'disconnected', filler, detail }),
    onProblem: (code, reason) => onEvent({ type: 'problem', code, reason }),
  });
  const nowMs = () => Date.now() + line.clockOffsetMs();

  const follow = (work: Promise<unknown>) => {
    const kept: Promise<unknown> = work
      .catch((error: unknown) => onEvent({ type: 'problem', code: 'client', reason: text(error) }))
      .finally(() => running.delete(kept));
    running.add(kept);
  };

  async function take({ seq, type, data }: FeedEntry): Promise<void> {
    forget(live);
    if (type === 'auction.opened') await onAuction(data);
    else if (type === 'auction.closed') {
      const bids = live.get(String(data.auctionId) as Hex);
      if (bids !== undefined) bids.forgetAtMs = Date.now() + AWARD_GRACE_MS;
      onEvent({ type: 'auction.closed', ...data });
    } else if (type === 'bid.result') onEvent({ type: 'bid.result', ...data });
    else if (type === 'award') {
      await onAward(data);
      journal.see(seq);
    } else if (type === 'award.outcome') onEvent({ type: 'award.outcome', ...data });
  }

  async function onAuction(data: FeedEntry['data']): Promise<void> {
    // The clock that closes auctions is the database's: the entry says how late it is there.
    const { serverTimeMs } = data;
    const offsetMs =
      typeof serverTimeMs === 'number' ? serverTimeMs - Date.now() : line.clockOffsetMs();
    // Replayed: long over.
    if (Number(data.closesAtMs) - offsetMs <= Date.now()) return;
    const refused = (orderId: string, reason: string) =>
      onEvent({ type: 'auction.refused', auctionId: data.auctionId, orderId, reason });
    const auction = readAuction(network, data, offsetMs, refused);
    if (auction.orders.length === 0) return;
    onEvent({ type: 'auction', auctionId: auction.auctionId, orders: auction.orders.length });
    await tools.refresh();
    const offers = (await options.bid(auction, tools)) ?? [];
    await Promise.all(offers.map((entry) => send(auction, [entry].flat() as readonly Offer[])));
  }

  async function send(auction: Auction, items: readonly Offer[]): Promise<void> {
    const { auctionId } = auction;
    const fault = offerFault(auction, items);
    if (fault !== null) return onEvent({ type: 'bid.unsent', auctionId, reason: fault });
    const message: BidMessage = {
      auctionId,
      filler,
      items: [...items].sort((a, b) => (a.orderId < b.orderId ? -1 : 1)),
    };
    remember(live, auction, items);
    journal.bid(auctionId, items);
    const signature = await account.signTypedData({
      domain,
      types: bidTypes,
      primaryType: 'Bid',
      message,
    });
    if (Date.now() > auction.closesAtMs) {
      return onEvent({ type: 'bid.unsent', auctionId, reason: 'the auction closed meanwhile' });
    }
    const amounts = message.items.map((item) => item.amounts.map(String));
    onEvent({ type: 'bid.sent', auctionId, amounts });
    const answer = await line.bid({ ...message, signature });
    if (answer === null) return;
    const { accepted, ...rest } = answer;
    onEvent({ type: accepted ? 'bid.accepted' : 'bid.rejected', auctionId, ...rest });
  }

  async function onAward(data: unknown): Promise<void> {
    const json = data as Readonly<Record<string, unknown>>;
    const refuse = (reason: string) =>
      onEvent({ type: 'award.refused', awardId: json.awardId, orderId: json.orderId, reason });
    let award: WonAward;
    try {
      award = await readAward(network, filler, json);
    } catch (error) {
      return refuse(text(error));
    }
    const { awardId, orderId } = award;
    if (serving.has(awardId) || ended.has(awardId)) return;
    if (!(await isOwn(award))) return refuse('no bid of this filler offered these amounts');
    while (serving.size >= AWARDS_MAX && !signal.aborted) await Promise.race(running);
    serving.set(awardId, award);
    journal.award(awardId, data);
    onEvent({ type: 'award', awardId, orderId, amounts: award.amounts.map(String) });
    // Not awaited: the feed goes on, and so do other awards.
    follow(serve(award));
  }

  async function serve(award: WonAward): Promise<void> {
    const { awardId, orderId } = award;
    const end = await serveAward(
      {
        network,
        chains,
        account,
        buy: options.buy === undefined ? null : (need) => buyWith(need),
        now: () => Math.floor(nowMs() / 1_000),
        onProblem: (_, reason) => onEvent({ type: 'problem', code: 'serving', awardId, reason }),
        ...(options.timing === undefined ? {} : { timing: options.timing }),
      },
      award,
      signal,
    );
    if (end === 'stopped') return;
    serving.delete(awardId);
    ended.add(awardId);
    journal.end(awardId, end);
    const type = end === 'settled' || end === 'declined' ? end : 'ended';
    onEvent({ type, awardId, orderId, end });
  }

  const buyWith = async (need: FillNeed) => (await options.buy?.(need, tools)) ?? null;

  /** Whether a bid of this filler offered exactly these amounts: remembered, or proven by its record. */
  async function isOwn(award: WonAward): Promise<boolean> {
    const known = [
      ...(live.get(award.auctionId)?.offers ?? []),
      ...(journal.bids.get(award.auctionId) ?? []),
    ];
    if (known.some((offer) => offers(offer, award))) return true;
    return provenByRecord(url, filler, award);
  }

  return {
    async run(): Promise<void> {
      await tools.refresh();
      await options.prepare?.(tools);
      for (const data of journal.unfinished) follow(onAward(data));
      await line.run(signal);
      await Promise.all(running);
    },
  };
}

const offers = ({ orderId, amounts }: Offer, award: WonAward): boolean =>
  orderId === award.orderId && amounts.join() === award.amounts.join();

/** The public record shows the bid with this filler's own signature. */
async function provenByRecord(url: string, filler: Address, award: WonAward): Promise<boolean> {
  const record = await recordOf(`${url}/v1/auctions/${award.auctionId}`);
  for (const { bid: json } of record?.bids ?? []) {
    const bid = signedBidFromJson(json);
    if (bid.filler !== filler || bid.auctionId !== award.auctionId) continue;
    if (!bid.items.some((item) => offers(item, award))) continue;
    const hash = bidDigest(bid);
    const signer = await recoverAddress({ hash, signature: bid.signature }).catch(() => null);
    if (signer?.toLowerCase() === filler) return true;
  }
  return false;
}

/** An award must not be turned down because the service was busy for a moment. */
async function recordOf(url: string) {
  for (let tries = 0; tries < RECORD_TRIES; tries += 1) {
    const page = await getJson<{
      readonly record?: { readonly bids?: readonly { readonly bid: unknown }[] };
    }>(url).catch(() => null);
    if (page?.record !== undefined) return page.record;
    await pause(RECORD_PAUSE_MS);
  }
  return null;
}

/** Why the offer is none that an auction takes, or null. */
export function offerFault(auction: Auction, items: readonly Offer[]): string | null {
  if (items.length === 0) return 'an offer names no order';
  const seen = new Set<string>();
  for (const { orderId, amounts } of items) {
    const order = auction.orders.find((one) => one.orderId === orderId);
    if (order === undefined) return `order ${orderId} is not in the auction`;
    if (seen.has(orderId)) return `order ${orderId} is named twice`;
    seen.add(orderId);
    if (amounts.length !== order.outputs.length) {
      return `${amounts.length} amounts for ${order.outputs.length} outputs`;
    }
    for (const [i, { minimum }] of order.outputs.entries()) {
      const amount = amounts[i];
      if (typeof amount !== 'bigint') return `amount ${i} is not a bigint`;
      if (amount < minimum) return `amount ${i} is ${amount}, below the signed minimum ${minimum}`;
      if (amount >= 2n ** 256n) return `amount ${i} is no uint256`;
    }
  }
  return null;
}

function remember(live: Map<Hex, LiveBids>, auction: Auction, items: readonly Offer[]): void {
  const known = live.get(auction.auctionId);
  const bids = known ?? {
    offers: [],
    promised: new Map<string, bigint>(),
    forgetAtMs: auction.closesAtMs + FORGET_MS,
  };
  // Bids for one order replace each other: only the largest promise of each can come due.
  for (const offer of items) {
    const order = auction.orders.find(({ orderId }) => orderId === offer.orderId);
    const before = bids.offers.some(({ orderId }) => orderId === offer.orderId);
    bids.offers.push(offer);
    if (before) continue;
    for (const [i, { token }] of (order?.outputs ?? []).entries()) {
      const key = holdingKey(token.chainId, token.address);
      bids.promised.set(key, (bids.promised.get(key) ?? 0n) + (offer.amounts[i] ?? 0n));
    }
  }
  live.set(auction.auctionId, bids);
}

function forget(live: Map<Hex, LiveBids>): void {
  for (const [auctionId, { forgetAtMs }] of live) {
    if (Date.now() > forgetAtMs) live.delete(auctionId);
  }
}

function promisedBy(
  live: ReadonlyMap<Hex, LiveBids>,
  serving: ReadonlyMap<Hex, WonAward>,
): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  const add = (key: string, amount: bigint) => sums.set(key, (sums.get(key) ?? 0n) + amount);
  for (const { promised } of live.values()) {
    for (const [key, amount] of promised) add(key, amount);
  }
  for (const award of serving.values()) {
    for (const { chainId, token, amount } of outputsOf(award)) {
      add(holdingKey(Number(chainId), addressOf(token)), amount);
    }
  }
  return sums;
}

function accountOf({
  account,
  privateKey,
}: Pick<SolverOptions, 'privateKey' | 'account'>): LocalAccount {
  if (account !== undefined) return account;
  if (privateKey === undefined) throw new Error('give privateKey or account');
  return privateKeyToAccount(privateKey);
}

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));
