// `trimtab solver check`: what a solver would have bid in recorded auctions, and where that would have
// put it. The auction is decided again by the market's own rules with the solver's bids among the
// recorded ones. Prices, balances and fees are those of now: the record holds no old ones.

import type { Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { bidTypes } from '../../../contracts-abi/bidTypedData.ts';
import { domain } from '../../../contracts-abi/typedData.ts';
import { decideAuction, resultOf } from '../../../solver/auction/award.ts';
import {
  bidFromJson,
  isVerified,
  type VerifiedBid,
  verifyBid,
} from '../../../solver/auction/bid.ts';
import { instanceFromJson } from '../../../solver/auction/instance.ts';
import { recoverSigner } from '../../../solver/settlement/signature.ts';
import type { SignedBid } from '../../../solver/types/auction.ts';
import type { Auction, Offer, Tools } from '../../client/solver/index.ts';
import { offerFault } from '../../client/solver/index.ts';
import { readAuction } from '../../client/solver/verify.ts';
import type { SolverModule } from './module.ts';

/** A closed auction's page, as GET /v1/auctions/{id} answers. */
export interface AuctionPage {
  readonly auctionId: string;
  readonly instance: unknown;
  readonly orders: readonly unknown[];
  readonly record?: { readonly bids: readonly { readonly bid: unknown }[] };
}

export interface CheckedBid {
  readonly orderIds: readonly string[];
  readonly amounts: readonly (readonly string[])[];
  /** Null: a bid that the auction would have taken. */
  readonly fault: string | null;
  readonly rank: number | null;
  readonly won: boolean;
  readonly gapBps: number | null;
  readonly reason: string | null;
}
export interface CheckedAuction {
  readonly auctionId: string;
  readonly orders: number;
  /** Ranked bids on record. */
  readonly recorded: number;
  /** What bid() threw or returned instead of offers; null: it answered. */
  readonly error: string | null;
  readonly tookMs: number;
  readonly bids: readonly CheckedBid[];
}

/** The time a solver has is the auction's own, as long as bids were taken. */
export async function checkAuction(
  page: AuctionPage,
  solver: SolverModule,
  tools: Tools,
  account: PrivateKeyAccount,
): Promise<CheckedAuction> {
  const instance = instanceFromJson(page.instance);
  const allowedMs = instance.closesAtMs - instance.openedAtMs;
  const data = { ...page, closesAtMs: Date.now() + allowedMs };
  const auction = readAuction(tools.network, data, 0, () => {});
  const started = performance.now();
  const head = {
    auctionId: page.auctionId,
    orders: auction.orders.length,
    recorded: page.record?.bids.length ?? 0,
  };
  let offers: readonly (readonly Offer[])[];
  try {
    offers = offersIn(await solver.bid(auction, tools));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...head, error: why, tookMs: took(started), bids: [] };
  }
  const tookMs = took(started);
  const late = tookMs > allowedMs ? `took ${tookMs} ms of the auction's ${allowedMs}` : null;
  const others: VerifiedBid[] = [];
  for (const { bid } of page.record?.bids ?? []) {
    const verified = verifyBid(bidFromJson(bid), recoverSigner);
    if (isVerified(verified)) others.push(verified);
  }
  const signed = await Promise.all(offers.map((items) => sign(auction, items, account)));
  const own = signed.flatMap((bid) => {
    const verified = bid === null ? null : verifyBid(bid, recoverSigner);
    return verified !== null && isVerified(verified) ? [verified] : [];
  });
  const filler = account.address.toLowerCase();
  // A recorded bid of this very filler would stand against its new self.
  const rivals = others.filter(({ bid }) => bid.filler !== filler);
  const decided = decideAuction(instance, [...rivals, ...own]);
  const bids = offers.map((items): CheckedBid => {
    const fault = offerFault(auction, items) ?? late;
    const mine = own.find(({ bid }) => bid.items.map(key).join() === sorted(items).map(key).join());
    const result = mine === undefined || fault !== null ? null : resultOf(decided, mine.hash);
    return {
      orderIds: items.map(({ orderId }) => orderId),
      amounts: items.map(({ amounts }) => amounts.map(String)),
      fault,
      rank: result?.rank ?? null,
      won: result?.won ?? false,
      gapBps: result?.gapBps ?? null,
      reason: result?.reason ?? null,
    };
  });
  return { ...head, error: null, tookMs, bids };
}

const took = (started: number): number => Math.round(performance.now() - started);
const key = ({ orderId, amounts }: Offer): string => `${orderId}:${amounts.join()}`;
const sorted = (items: readonly Offer[]): readonly Offer[] =>
  [...items].sort((a, b) => (a.orderId < b.orderId ? -1 : 1));

/** Every bid as the list of its offers. Throws TypeError for what is no answer of bid(). */
function offersIn(answer: unknown): readonly (readonly Offer[])[] {
  if (answer === null || answer === undefined) return [];
  if (!Array.isArray(answer)) throw new TypeError('bid returned no list of offers, and not null');
  return answer.map((entry: unknown) => {
    const items = [entry].flat() as readonly Offer[];
    for (const item of items) {
      const fits =
        typeof item === 'object' &&
        item !== null &&
        typeof item.orderId === 'string' &&
        Array.isArray(item.amounts);
      if (!fits) throw new TypeError('an offer is { orderId, amounts: [bigint …] }');
    }
    return items;
  });
}

async function sign(
  auction: Auction,
  items: readonly Offer[],
  account: PrivateKeyAccount,
): Promise<SignedBid | null> {
  if (offerFault(auction, items) !== null) return null;
  const message = {
    auctionId: auction.auctionId,
    filler: account.address.toLowerCase() as Hex,
    items: sorted(items),
  };
  const signature = await account.signTypedData({
    domain,
    types: bidTypes,
    primaryType: 'Bid',
    message,
  });
  return { ...message, signature } as SignedBid;
}
