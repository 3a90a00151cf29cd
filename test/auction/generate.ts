// Random auctions: several orders, shared pairs, scores that tie, hostile amounts, several bids of one
// filler. Bids come with made-up hashes and signatures: scoring looks at neither; record.test.ts signs.

import type { VerifiedBid } from '../../solver/auction/bid.ts';
import type {
  AuctionId,
  AuctionInstance,
  AuctionOrder,
  BidItem,
  SignedBid,
} from '../../solver/types/auction.ts';
import { evmAddress, hash32, orderId } from '../../solver/types/ids.ts';
import type { SimRng } from '../settlement/sim/rng.ts';

export const word = (n: number | bigint) => hash32(`0x${n.toString(16).padStart(64, '0')}`);
export const address = (n: number) => evmAddress(`0x${n.toString(16).padStart(40, '0')}`);
export const randomWord = (rng: SimRng) =>
  hash32(`0x${Array.from({ length: 8 }, () => eight(rng)).join('')}`);
const eight = (rng: SimRng) => rng.int(0, 0xffffffff).toString(16).padStart(8, '0');
const MAX = 2n ** 256n - 1n;

export function randomInstance(rng: SimRng): AuctionInstance {
  const pairs = Array.from({ length: rng.int(1, 4) }, (_, i) => word(0x900 + i));
  const ids = new Set(Array.from({ length: rng.int(1, 6) }, () => rng.int(1, 5_000)));
  return {
    version: 2,
    orders: [...ids].sort((a, b) => a - b).map((id) => randomOrder(rng, id, rng.pick(pairs))),
    openedAtMs: 1_000,
    closesAtMs: 1_800,
    snapshotDigest: randomWord(rng),
    blocks: [{ chainId: 41, number: '7', hash: randomWord(rng) }],
    engine: word(0xe),
  };
}

function randomOrder(rng: SimRng, id: number, pair: AuctionOrder['pair']): AuctionOrder {
  return {
    orderId: orderId(word(id)),
    pair,
    openBy: 10 + rng.int(0, 3),
    fillDeadline: 20,
    outputs: Array.from({ length: rng.int(1, 3) }, (_, i) => ({
      chainId: 41 + i,
      token: address(1_000 + i),
      decimals: rng.pick([0, 6, 8, 18]),
      minimum: rng.chance(0.05) ? MAX - 5n : BigInt(rng.int(0, 10 ** 9)),
      priceWad: rng.chance(0.1) ? 0n : BigInt(rng.int(1, 10 ** 6)) * 10n ** BigInt(rng.int(0, 18)),
    })),
  };
}

/** A surplus small enough that equal scores are common. */
function randomAmount(rng: SimRng, { minimum, decimals }: AuctionOrder['outputs'][number]): bigint {
  const lot = rng.next();
  if (lot < 0.02) return minimum - 1n;
  if (lot < 0.03) return MAX;
  if (lot < 0.035) return MAX + 1n;
  if (lot < 0.04) return -1n;
  if (lot < 0.3) return minimum;
  return minimum + BigInt(rng.int(0, 4)) * 10n ** BigInt(rng.pick([0, decimals]));
}

export function randomBids(
  rng: SimRng,
  instance: AuctionInstance,
  auctionId: AuctionId,
): readonly VerifiedBid[] {
  const fillers = rng.int(1, 6);
  const bids = Array.from({ length: rng.int(0, 14) }, (): VerifiedBid => {
    const bid: SignedBid = {
      auctionId: rng.chance(0.02) ? word(3) : auctionId,
      filler: address(rng.chance(0.02) ? 0 : rng.int(1, fillers)),
      items: randomItems(rng, instance),
      signature: `0x${randomWord(rng).slice(2).repeat(2)}1b`,
    };
    return { stage: 'unscored', bid, hash: randomWord(rng) };
  });
  // The same bid once more, signed with another nonce.
  if (bids[0] !== undefined && rng.chance(0.1)) {
    const signature = `0x${randomWord(rng).slice(2).repeat(2)}1c` as const;
    bids.push({ ...bids[0], bid: { ...bids[0].bid, signature } });
  }
  return bids;
}

function randomItems(rng: SimRng, { orders }: AuctionInstance): readonly BidItem[] {
  const share = rng.pick([0.2, 0.5, 0.9]);
  const some = orders.filter(() => rng.chance(share));
  const chosen = some.length === 0 && !rng.chance(0.05) ? [rng.pick(orders)] : some;
  const items = chosen.map(({ orderId: id, outputs }) => {
    const amounts = outputs.map((output) => randomAmount(rng, output));
    return {
      orderId: rng.chance(0.01) ? orderId(word(6_000)) : id,
      amounts: rng.chance(0.01) ? amounts.slice(1) : amounts,
    };
  });
  if (rng.chance(0.02)) items.reverse();
  if (items[0] !== undefined && rng.chance(0.02)) items.push(items[0]);
  return items;
}

export const shuffled = <T>(rng: SimRng, items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: rng.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
