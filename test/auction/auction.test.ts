// Score, fairness filter, ranking, winners and awards: against an independent implementation on random
// auctions, by properties, and case by case.

import { describe, expect, it } from 'vitest';
import { hashBid } from '../../contracts-abi/bidTypedData.ts';
import { awardDigest, hashOrder } from '../../contracts-abi/typedData.ts';
import { loadKeccak } from '../../solver/adapters/keccak.ts';
import {
  type AwardedAuction,
  decideAuction,
  resultOf,
  signAwards,
  signedAwardFromJson,
  signedAwardToJson,
} from '../../solver/auction/award.ts';
import { MAX_SURPLUS_WAD, termsFault, type VerifiedBid } from '../../solver/auction/bid.ts';
import { instanceId, pairOf } from '../../solver/auction/instance.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import { Defect } from '../../solver/types/assert.ts';
import type { AuctionInstance, AuctionOrder, SignedBid } from '../../solver/types/auction.ts';
import { type Hash32, orderId } from '../../solver/types/ids.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { auctioneer, filler, simOrder } from '../settlement/sim/world.ts';
import { address, randomBids, randomInstance, shuffled, word } from './generate.ts';
import { twin } from './twin.ts';

// Ids of 10,000 auctions; the digest is the same.
await loadKeccak();

const SEED = 5_000_000;
const RUNS = 10_000;
const WAD = 10n ** 18n;

/** Everything of an outcome that anybody could see. */
const seen = ({ ranked, won, winners }: AwardedAuction) =>
  JSON.stringify(
    [
      ranked.ranking.map(({ hash, score, rank, won }) => [hash, score, rank, won]),
      ranked.rejected.map(({ hash, bid, rejection, score }) => [
        ...[hash, bid.signature, rejection, score],
      ]),
      [...ranked.referenceScores],
      won,
      winners.map(({ hash }) => hash),
    ],
    (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value instanceof Map ? [...value] : value,
  );

/** Keys in one order, bigints as text. */
const plain = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

/** One order per entry: `pair` small numbers, surplus of one dollar per base unit over minimum 10. */
function instanceOf(pairs: readonly number[]): AuctionInstance {
  const orders = pairs.map(
    (pair, i): AuctionOrder => ({
      orderId: orderId(word(i + 1)),
      pair: word(pair),
      openBy: 10,
      fillDeadline: 20,
      outputs: [{ chainId: 1, token: address(9), decimals: 0, minimum: 10n, priceWad: WAD }],
    }),
  );
  return { ...randomInstance(simRng(1)), orders };
}
/** `offers`: surplus in dollars by order number from 1. */
function bidOf(
  instance: AuctionInstance,
  by: number,
  offers: Readonly<Record<number, number>>,
  hash: Hash32 = word(0xabc000 + by),
): VerifiedBid {
  const items = Object.entries(offers).map(([n, surplus]) => ({
    orderId: orderId(word(Number(n))),
    amounts: [10n + BigInt(surplus)],
  }));
  const signature = `0x${'1'.repeat(128)}1b` as const;
  const bid: SignedBid = { auctionId: instanceId(instance), filler: address(by), items, signature };
  return { stage: 'unscored', bid, hash };
}
const winnersOf = (decided: AwardedAuction) =>
  decided.winners.map(({ bid, score }) => [Number(bid.filler), Number(score / WAD)]);
const codesOf = (decided: AwardedAuction) =>
  decided.ranked.rejected.map(({ rejection }) => rejection.code);

describe('decideAuction', () => {
  it(`property: agrees with an independent implementation on ${RUNS} auctions, in any order of bids`, () => {
    const count = { bids: 0, winners: 0, several: 0, unfair: 0, ties: 0, rejected: 0 };
    for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
      const rng = simRng(seed);
      const instance = randomInstance(rng);
      const id = instanceId(instance);
      const bids = randomBids(rng, instance, id);
      const decided = decideAuction(instance, bids);
      const { winners, ranked, won } = decided;
      const mine = {
        winners: winners.map(({ hash }) => hash).sort(),
        score: ranked.score,
        awards: Object.fromEntries(
          won.map(({ orderId, award, amounts }) => [orderId, `${award.filler} ${amounts}`]),
        ),
        rejected: ranked.rejected.map(({ hash, bid }) => `${hash}/${bid.signature}`).sort(),
        reference: Object.fromEntries(ranked.referenceScores),
      };
      const flat = bids.map(({ bid, hash }) => ({ ...bid, hash }));
      const theirs = twin(id, instance.orders, flat);
      // Far faster than toEqual, which then says what differs.
      if (plain(mine) !== plain(theirs)) expect(mine, `seed ${seed}`).toEqual(theirs);
      if (seed % 4 === 0) {
        const again = decideAuction(instance, shuffled(rng, bids));
        if (seen(again) !== seen(decided)) throw new Error(`seed ${seed}: the bids' order matters`);
      }
      tally(count, decided, bids.length);
    }
    console.log(`seeds ${SEED} … ${SEED + RUNS - 1}: ${JSON.stringify(count)}`);
    // The generator reaches what it is meant to.
    for (const [what, n] of Object.entries(count)) expect(n, what).toBeGreaterThan(500);
  }, 240_000);

  it('behavior: the score floors each output by itself', () => {
    const base = instanceOf([1]);
    const half = { chainId: 1, token: address(1), decimals: 18, minimum: 10n, priceWad: WAD / 2n };
    const orders = base.orders.map((order) => ({ ...order, outputs: [half, half] }));
    const instance = { ...base, orders };
    const bid = bidOf(instance, 1, { 1: 1 });
    const items = bid.bid.items.map((item) => ({ ...item, amounts: [11n, 11n] }));
    const { ranked } = decideAuction(instance, [{ ...bid, bid: { ...bid.bid, items } }]);
    expect(ranked.ranking.map(({ score }) => score)).toEqual([0n]);
  });

  it('behavior: ties go to the smaller bid hash', () => {
    const instance = instanceOf([1]);
    const bids = [3, 1, 2].map((n) => bidOf(instance, n, { 1: 5 }, word(n)));
    expect(winnersOf(decideAuction(instance, bids))).toEqual([[1, 5]]);
  });

  it('behavior: pairs are won apart; one filler may win several', () => {
    const instance = instanceOf([1, 2, 3]);
    const bids = [
      bidOf(instance, 1, { 1: 5 }, word(1)),
      bidOf(instance, 1, { 2: 4 }, word(2)),
      bidOf(instance, 2, { 3: 3 }),
      bidOf(instance, 3, { 1: 4 }),
    ];
    const decided = decideAuction(instance, bids);
    expect(winnersOf(decided)).toEqual([
      [1, 5],
      [1, 4],
      [2, 3],
    ]);
    expect(decided.won.map(({ award }) => Number(award.filler))).toEqual([1, 1, 2]);
    expect(decided.ranked.referenceScores.get(address(1))).toBe(7n * WAD);
    expect(decided.ranked.referenceScores.get(address(2))).toBe(9n * WAD);
  });

  it('behavior: a bid over two pairs is dropped if one of them does better alone', () => {
    const instance = instanceOf([1, 2]);
    const both = bidOf(instance, 1, { 1: 4, 2: 90 });
    const alone = bidOf(instance, 2, { 1: 5 });
    const decided = decideAuction(instance, [both, alone]);
    expect(winnersOf(decided)).toEqual([[2, 5]]);
    expect(codesOf(decided)).toEqual(['unfair']);
    // What the lone bid kept away counts as what the auction would bring without it.
    expect(decided.ranked.referenceScores.get(address(2))).toBe(94n * WAD);
    const equal = decideAuction(instance, [bidOf(instance, 1, { 1: 5, 2: 9 }), alone]);
    expect(winnersOf(equal)).toEqual([[1, 14]]);
  });

  it('behavior: the baseline counts whichever orders of the pair a lone bid covers', () => {
    // Orders 1 and 2 are one pair. Leaving out order 1 does not dodge the lone bid for it.
    const instance = instanceOf([1, 1, 2]);
    const lone = bidOf(instance, 2, { 1: 6 });
    const dodging = bidOf(instance, 1, { 2: 5, 3: 50 });
    expect(codesOf(decideAuction(instance, [lone, dodging]))).toEqual(['unfair']);
    const covering = bidOf(instance, 1, { 1: 2, 2: 4, 3: 50 });
    expect(winnersOf(decideAuction(instance, [lone, covering]))).toEqual([[1, 56]]);
  });

  it('behavior: of one bid signed twice one counts, always the same', () => {
    const instance = instanceOf([1]);
    const bid = bidOf(instance, 1, { 1: 5 });
    const signature = `0x${'2'.repeat(128)}1b` as const;
    const twice = [{ ...bid, bid: { ...bid.bid, signature } }, bid];
    const decided = decideAuction(instance, twice);
    expect(decided.winners[0]?.bid.signature).toBe(bid.bid.signature);
    expect(codesOf(decided)).toEqual(['duplicate']);
  });

  it('behavior: no amount overflows, and none beyond belief wins', () => {
    const instance = instanceOf([1]);
    const top = MAX_SURPLUS_WAD / WAD;
    const bidFor = (by: number, amount: bigint) => {
      const bid = bidOf(instance, by, { 1: 0 });
      const items = [{ orderId: orderId(word(1)), amounts: [amount] }];
      return { ...bid, bid: { ...bid.bid, items } };
    };
    const bids = [
      bidFor(1, 2n ** 256n - 1n),
      bidFor(2, 2n ** 256n + 10n),
      bidFor(3, 10n + top + 1n),
      bidFor(4, 10n + top),
      bidFor(5, 10n + top - 1n),
    ];
    const decided = decideAuction(instance, bids);
    expect(decided.winners.map(({ bid }) => Number(bid.filler))).toEqual([4]);
    expect(codesOf(decided)).toEqual(['notCredible', 'notUint256', 'notCredible']);
  });

  it('error: bids that break the terms are rejected, each with its rule', () => {
    const instance = instanceOf([1, 2]);
    const good = bidOf(instance, 1, { 1: 1, 2: 1 }).bid;
    const [first, second] = good.items;
    if (first === undefined || second === undefined) throw new Error('two items');
    const broken: readonly (readonly [string, SignedBid])[] = [
      ['anotherAuction', { ...good, auctionId: word(7) }],
      ['zeroFiller', { ...good, filler: address(0) }],
      ['noItems', { ...good, items: [] }],
      ['notAscending', { ...good, items: [second, first] }],
      ['notAscending', { ...good, items: [first, first] }],
      ['unknownOrder', { ...good, items: [{ ...first, orderId: orderId(word(99)) }] }],
      ['amountCount', { ...good, items: [{ ...first, amounts: [] }] }],
      ['amountCount', { ...good, items: [{ ...first, amounts: [11n, 11n] }] }],
      ['notUint256', { ...good, items: [{ ...first, amounts: [-1n] }] }],
      ['belowMinimum', { ...good, items: [first, { ...second, amounts: [9n] }] }],
    ];
    for (const [code, bid] of broken) {
      expect(termsFault(instance, bid)?.code).toBe(code);
      const { winners, ranked } = decideAuction(instance, [
        { stage: 'unscored', bid, hash: word(1) },
      ]);
      expect([winners, ranked.rejected[0]?.rejection.code]).toEqual([[], code]);
    }
    expect(termsFault(instance, good)).toBeNull();
  });

  it('error: an instance the rules cannot be run over is a defect', () => {
    const instance = instanceOf([1, 2]);
    const reversed = { ...instance, orders: instance.orders.toReversed() };
    expect(() => decideAuction(reversed, [])).toThrow(Defect);
    expect(() => decideAuction({ ...instance, orders: [] }, [])).toThrow(Defect);
  });
});

describe('resultOf', () => {
  it('default: rank, and the gap to the winner over what was offered', () => {
    const instance = instanceOf([1, 2]);
    const bids = [
      bidOf(instance, 1, { 1: 90 }),
      bidOf(instance, 2, { 1: 89 }),
      bidOf(instance, 3, { 2: 1 }),
      bidOf(instance, 4, { 1: 9, 2: 9 }),
      bidOf(instance, 5, { 1: 90 }),
    ];
    const decided = decideAuction(instance, bids);
    const of = (n: number) => resultOf(decided, word(0xabc000 + n));
    expect(of(1)).toEqual({ rank: 1, won: true, gapBps: null, reason: null });
    // A dollar short of 99 offered: ⌈10,000 / 99⌉ basis points.
    expect(of(2)).toEqual({ rank: 3, won: false, gapBps: 102, reason: 'outbid' });
    expect(of(3)).toMatchObject({ won: true });
    expect(of(4)).toMatchObject({ rank: null, gapBps: null });
    expect(of(5)).toMatchObject({ rank: 2, gapBps: 0, reason: expect.stringContaining('tie') });
    expect(resultOf(decided, word(5))).toBeNull();
  });
});

describe('signAwards', () => {
  const orders = [simOrder(simRng(9)), simOrder(simRng(11))];
  const ids = orders.map((order) => orderId(hashOrder(order)));
  const byId = new Map(orders.map((order) => [orderId(hashOrder(order)), order]));
  const instance: AuctionInstance = {
    ...randomInstance(simRng(1)),
    orders: [...byId]
      .map(([id, order]) => ({
        orderId: id,
        pair: pairOf(order),
        openBy: order.openDeadline,
        fillDeadline: order.fillDeadline,
        outputs: order.outputs.map((o) => ({
          chainId: Number(o.chainId),
          token: address(1),
          decimals: 18,
          minimum: o.amount,
          priceWad: WAD,
        })),
      }))
      .sort((a, b) => (a.orderId < b.orderId ? -1 : 1)),
  };
  const bid: SignedBid = {
    auctionId: instanceId(instance),
    filler: filler.address,
    items: instance.orders.map((order) => ({
      orderId: order.orderId,
      amounts: order.outputs.map(({ minimum }) => minimum + 1n),
    })),
    signature: '0x',
  };
  const hash = hashBid(bid) as Hash32;
  const decided = decideAuction(instance, [{ stage: 'unscored', bid, hash }]);

  it('default: signed by the auctioneer over each award, and survives its JSON', async () => {
    const signed = await signAwards(decided, byId, auctioneer);
    expect(signed.map(({ award }) => award.orderId).sort()).toEqual([...ids].sort());
    for (const one of signed) {
      expect(recoverSigner(awardDigest(one.award), one.signature)).toBe(auctioneer.address);
      expect(signedAwardFromJson(signedAwardToJson(one))).toEqual(one);
      const tampered = { ...signedAwardToJson(one), amounts: ['1'] };
      expect(() => signedAwardFromJson(tampered)).toThrow(Defect);
    }
  });

  it('behavior: a bid one of whose orders is gone is withheld whole', async () => {
    const left = new Map([...byId].slice(0, 1));
    expect(await signAwards(decided, left, auctioneer)).toEqual([]);
  });

  it('error: another order or another auctioneer is a defect', async () => {
    const other = new Map([...byId].map(([id, order]) => [id, { ...order, nonce: 1n }]));
    await expect(signAwards(decided, other, auctioneer)).rejects.toThrow(Defect);
    await expect(signAwards(decided, byId, filler)).rejects.toThrow(Defect);
  });
});

describe('pairOf', () => {
  it('behavior: the same tokens given and wanted are one pair; amounts and direction apart', () => {
    const order = simOrder(simRng(21));
    const more = {
      ...order,
      nonce: order.nonce + 1n,
      outputs: order.outputs.map((o) => ({ ...o, amount: o.amount + 1n })),
    };
    expect(pairOf(more)).toBe(pairOf(order));
    const [origin] = order.origins;
    const [output] = order.outputs;
    if (origin === undefined || output === undefined) throw new Error('an order has both');
    const twice = { ...order, outputs: [...order.outputs, output] };
    expect(pairOf(twice)).toBe(pairOf(order));
    const elsewhere = { ...order, origins: [{ ...origin, chainId: 999n }] };
    expect(pairOf(elsewhere)).not.toBe(pairOf(order));
  });
});

function tally(count: Record<string, number>, decided: AwardedAuction, bids: number): void {
  const add = (what: string, n: number) => {
    count[what] = (count[what] ?? 0) + n;
  };
  const { ranked, winners } = decided;
  add('bids', bids);
  add('winners', winners.length);
  add('several', Number(new Set(winners.map(({ bid }) => bid.filler)).size < winners.length));
  add('unfair', ranked.rejected.filter(({ rejection }) => rejection.code === 'unfair').length);
  add('rejected', ranked.rejected.length);
  add('ties', Number(new Set(ranked.ranking.map((b) => b.score)).size < ranked.ranking.length));
}
