// The market's door: what is refused and with which code, that nothing of a bid shows before the
// closing, and that the record of a closed auction replays.

import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { bidDigest } from '../../contracts-abi/bidTypedData.ts';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, orderDigest } from '../../contracts-abi/typedData.ts';
import { instanceFromJson } from '../../solver/auction/instance.ts';
import { replay } from '../../solver/auction/record.ts';
import { createAuctioning } from '../../solver/settlement/auctioning.ts';
import { createMarket } from '../../solver/settlement/market.ts';
import { DEFAULT_SETTLEMENT_POLICY } from '../../solver/settlement/policy.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import type { AuctionId, SignedBid } from '../../solver/types/auction.ts';
import { chainId, evmAddress, type Hex, hash32, orderId } from '../../solver/types/ids.ts';
import { simAuctions } from './sim/auctions.ts';
import { SimChain } from './sim/chain.ts';
import { simRng } from './sim/rng.ts';
import { SimStore } from './sim/store.ts';
import { auctioneer, filler, owner, START, simMarket, simNetwork, simOrder } from './sim/world.ts';

const key = (digit: string): Hex => `0x${digit.repeat(64)}`;

/** A door with one auction that takes bids. */
async function opened() {
  const time = { ms: START * 1_000 };
  const nowMs = () => time.ms;
  const clock = {
    now: () => unixSeconds(Math.floor(nowMs() / 1_000)),
    nowMs,
    sleep: async () => {},
  };
  const store = new SimStore({ nowMs, mayCrash: () => {} });
  const auctions = simAuctions(store, nowMs);
  const door = createMarket({ auctions, orders: store, recover: recoverSigner, vouched: [] });
  const known = new Map();
  const chains = new Map([41, 42, 43].map((id) => [chainId(id), new SimChain(id, START, known)]));
  const lead = createAuctioning({
    ...{ store, auctions, auctioneer, clock, network: simNetwork(), market: simMarket(chains) },
    ...{ desk: filler.address, policy: DEFAULT_SETTLEMENT_POLICY },
  });
  const order = simOrder(simRng(5));
  const id = orderId(hashOrder(order));
  await store.admitOrder(
    {
      ...{ orderId: id, quoteId: null, owner: evmAddress(order.owner), nonce: '1' },
      ...{ state: 'created', reason: null, order: { ...orderToJson(order) }, award: null },
      ...{ signatureKind: 'eip712', facts: {} },
      ownerSignature: await owner.sign({ hash: orderDigest(order) }),
    },
    [],
    [{ kind: 'serve', key: id, runAtMs: 0 }],
  );
  const joined = present(await store.claimJob(['serve']), 'serve');
  await auctions.join(id, 1_000, 32, joined);
  const run = async () => {
    const lease = present(await store.claimJob(['auction']), 'auction job');
    const outcome = await lead(lease, new AbortController().signal);
    if ('done' in outcome) await store.completeJob(lease);
    else await store.rescheduleJob(lease, outcome.runAtMs);
  };
  time.ms += 1_100;
  await run();
  const [auction] = await auctions.list({ limit: 1 });
  const { auctionId, instance } = present(auction, 'the auction');
  const { orders } = instanceFromJson(instance);
  const sign = async (digit: string, more = 0n, change: Partial<SignedBid> = {}) => {
    const account = privateKeyToAccount(key(digit));
    const items = orders.map(({ orderId: of, outputs }) => ({
      orderId: of,
      amounts: outputs.map(({ minimum }) => minimum + more),
    }));
    const bid = { auctionId: present(auctionId, 'id'), filler: evmAddress(account.address), items };
    const message = { ...bid, ...change };
    const signature = await account.sign({ hash: bidDigest(message) });
    return { ...message, signature, ...change } as SignedBid;
  };
  return { time, auctions, store, door, run, sign, auctionId: present(auctionId, 'id'), id };
}

describe('placeBid', () => {
  it('default: a receipt; the same bid again is known, and a better one is another', async () => {
    const { door, sign } = await opened();
    const bid = await sign('8', 5n);
    const first = await door.placeBid(bid);
    expect(first).toMatchObject({ created: true });
    expect(await door.placeBid(bid)).toMatchObject({ ...first, created: false });
    expect(await door.placeBid(await sign('8', 6n))).toMatchObject({ created: true });
  });

  it('error: each refusal has its code', async () => {
    const { door, sign, time } = await opened();
    const unknown = { auctionId: hash32(key('f')) as AuctionId };
    expect(await door.placeBid(await sign('8', 1n, unknown))).toMatchObject({
      refused: 'auctionNotFound',
    });
    const other = await sign('8', 1n);
    const stolen = { ...other, filler: evmAddress(privateKeyToAccount(key('9')).address) };
    expect(await door.placeBid(stolen)).toMatchObject({ refused: 'wrongSigner' });
    expect(await door.placeBid(await sign('8', -1n))).toMatchObject({
      refused: 'malformedBid',
      details: { code: 'belowMinimum' },
    });
    time.ms += DEFAULT_SETTLEMENT_POLICY.biddingMs + 1;
    expect(await door.placeBid(other)).toMatchObject({ refused: 'auctionClosed' });
  });

  it('error: a filler in cooldown, with too many awards, or that let this order lapse', async () => {
    const { door, sign, auctions, time, id } = await opened();
    const [faded, busy, lapsed] = await Promise.all(['8', '9', 'a'].map((digit) => sign(digit)));
    const another = orderId(key('d'));
    const award = (bid: SignedBid | undefined, of = another) => ({
      ...{ orderId: of, filler: present(bid, 'bid').filler, outcome: null, atMs: null },
    });
    auctions.awards.push({ ...award(faded), outcome: 'faded', atMs: time.ms - 1_000 });
    for (let n = 0; n < 32; n += 1) auctions.awards.push(award(busy));
    auctions.awards.push({ ...award(lapsed, id), outcome: 'void', atMs: time.ms - 1_000 });
    expect(await door.placeBid(present(faded, ''))).toMatchObject({ refused: 'coolingDown' });
    expect(await door.placeBid(present(busy, ''))).toMatchObject({ refused: 'bidQuota' });
    expect(await door.placeBid(present(lapsed, ''))).toMatchObject({ refused: 'coolingDown' });
  });
});

describe('the public page and the feed', () => {
  it('behavior: sealed until the closing; then the record replays, and each bidder is told', async () => {
    const { door, sign, time, run, auctionId, id, store } = await opened();
    const [low, high] = [await sign('8', 3n), await sign('9', 7n)];
    await door.placeBid(low);
    await door.placeBid(high);
    const page = JSON.stringify(await door.get(auctionId));
    const list = JSON.stringify(await door.list({ limit: 10 }));
    const feed = JSON.stringify(await door.feed(low.filler, 0, 100));
    for (const text of [page, list, feed]) {
      expect(text).toContain(auctionId);
      expect(text).not.toContain(high.filler);
      expect(text).not.toContain(low.filler);
    }
    time.ms += DEFAULT_SETTLEMENT_POLICY.biddingMs + 1;
    await run();
    const closed = present(await door.get(auctionId), 'the page');
    expect(closed.state).toBe('closed');
    expect(replay(closed.record, recoverSigner)).toMatchObject({ ok: true, withheld: 0 });
    expect(store.orders.get(id)).toMatchObject({ state: 'awarded' });
    const told = async (bid: SignedBid) =>
      (await door.feed(bid.filler, 0, 100)).map(({ type }) => type);
    expect(await told(high)).toEqual(['auction.opened', 'auction.closed', 'bid.result', 'award']);
    expect(await told(low)).toEqual(['auction.opened', 'auction.closed', 'bid.result']);
    const [result] = (await door.feed(low.filler, 0, 100)).filter(
      ({ type }) => type === 'bid.result',
    );
    expect(result?.data).toMatchObject({ rank: 2, reason: 'outbid' });
    expect(await door.standing(high.filler)).toMatchObject({ won: 1, cooldownUntilMs: null });
  });
});
