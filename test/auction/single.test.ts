// The auction: score, ranking, ties, award and replay, by properties and against a second
// implementation in plain arithmetic.

import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { awardDigest, hashOrder, orderDigest } from '../../contracts-abi/typedData.ts';
import { signedAwardFromJson, signedAwardToJson } from '../../solver/auction/award.ts';
import {
  type AuctionInstance,
  auctionRecord,
  type Bid,
  bidHash,
  decideAuction,
  rankBids,
  replaysTo,
  scoreBids,
  signAward,
  unscored,
} from '../../solver/auction/single.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import { Defect } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { evmAddress, type Hex, orderId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { type SimRng, simRng } from '../settlement/sim/rng.ts';
import { auctioneer, signerOf, simOrder } from '../settlement/sim/world.ts';

const WAD = 10n ** 18n;
const address = (n: number) => evmAddress(`0x${n.toString(16).padStart(40, '0')}`);

function randomInstance(rng: SimRng): AuctionInstance {
  return {
    orderId: orderId(`0x${rng.seed.toString(16).padStart(64, '0')}`),
    openedAtMs: 1,
    openBy: 10,
    fillDeadline: 20,
    outputs: Array.from({ length: rng.int(1, 4) }, (_, i) => ({
      chainId: 41 + i,
      token: address(1_000 + i),
      decimals: rng.pick([6, 8, 18]),
      minimum: BigInt(rng.int(1, 10 ** 9)),
      priceWad: BigInt(rng.int(1, 10 ** 6)) * 10n ** 15n,
    })),
  };
}
/** Some below the minimum, some equal, some of the same filler. */
function randomBids(rng: SimRng, instance: AuctionInstance): Bid[] {
  return Array.from({ length: rng.int(1, 12) }, () => ({
    filler: address(rng.int(1, 6)),
    amounts: instance.outputs.map((o) => o.minimum + BigInt(rng.int(rng.chance(0.1) ? -1 : 0, 4))),
  }));
}
const shuffled = <T>(rng: SimRng, items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: rng.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Written from API.md alone: the winner's filler and score, or null. */
function twin(instance: AuctionInstance, bids: readonly Bid[]) {
  let best: { filler: Hex; score: bigint; hash: Hex } | null = null;
  for (const bid of bids) {
    let score = 0n;
    let valid = bid.amounts.length === instance.outputs.length;
    instance.outputs.forEach((o, i) => {
      const surplus = (bid.amounts[i] ?? 0n) - o.minimum;
      if (surplus < 0n) valid = false;
      score += (surplus * o.priceWad) / 10n ** BigInt(o.decimals);
    });
    if (!valid) continue;
    const hash = bidHash(instance.orderId, bid);
    if (best === null || score > best.score || (score === best.score && hash < best.hash)) {
      best = { filler: bid.filler, score, hash };
    }
  }
  return best;
}

describe('decideAuction', () => {
  it('property: agrees with a second implementation, and bid order never matters', () => {
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const rng = simRng(seed);
      const instance = randomInstance(rng);
      const bids = randomBids(rng, instance);
      const decided = decideAuction(instance, bids);
      const expected = twin(instance, bids);
      if (isRefusal(decided)) {
        expect(expected, `seed ${seed}`).toBeNull();
        continue;
      }
      const { winner } = decided;
      expect(
        { filler: winner.bid.filler, score: winner.score, hash: winner.hash },
        `seed ${seed}`,
      ).toEqual(expected);
      const again = decideAuction(instance, shuffled(rng, bids));
      if (isRefusal(again)) throw new Error(`seed ${seed}: refused when shuffled`);
      expect(auctionRecord(again), `seed ${seed}`).toEqual(auctionRecord(decided));
    }
  });

  it('behavior: ties go to the smaller bid hash', () => {
    const instance = randomInstance(simRng(4));
    const bids = [1, 2, 3, 4].map((n) => ({
      filler: address(n),
      amounts: instance.outputs.map((o) => o.minimum + 1n),
    }));
    const ranked = rankBids(scoreBids(instance, bids.map(unscored)));
    const hashes = ranked.ranking.map((bid) => bid.hash);
    expect(new Set(ranked.ranking.map((bid) => bid.score)).size).toBe(1);
    expect(hashes).toEqual(hashes.toSorted());
  });

  it('behavior: the score floors each output by itself', () => {
    const instance: AuctionInstance = {
      ...randomInstance(simRng(1)),
      outputs: [1, 2].map((i) => ({
        chainId: 41,
        token: address(i),
        decimals: 18,
        minimum: 10n,
        priceWad: WAD / 2n,
      })),
    };
    const { scored } = scoreBids(instance, [unscored({ filler: address(1), amounts: [11n, 11n] })]);
    expect(scored[0]?.score).toBe(0n);
  });

  it('behavior: the largest amounts neither overflow nor lose precision', () => {
    const instance = randomInstance(simRng(2));
    const huge = instance.outputs.map(() => 2n ** 256n - 1n);
    const less = instance.outputs.map(() => 2n ** 256n - 2n - 10n ** 18n);
    const bids = [
      { filler: address(1), amounts: less },
      { filler: address(2), amounts: huge },
    ];
    const decided = decideAuction(instance, bids);
    if (isRefusal(decided)) throw new Error(decided.message);
    expect(decided.winner.bid.filler).toBe(address(2));
    const reference = decided.ranked.referenceScore;
    expect(reference).toBe(decided.ranked.ranking[1]?.score);
  });

  it('error: bids that break the terms are refused, each with its reason', () => {
    const instance = randomInstance(simRng(3));
    const minimum = instance.outputs.map((o) => o.minimum);
    const bids: Bid[] = [
      { filler: address(0), amounts: minimum },
      { filler: address(1), amounts: minimum.slice(1) },
      { filler: address(2), amounts: minimum.map((amount) => amount - 1n) },
      { filler: address(3), amounts: minimum.map(() => 2n ** 256n) },
    ];
    const { scored, rejected } = scoreBids(instance, bids.map(unscored));
    expect(scored).toEqual([]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('zero address'),
      expect.stringContaining('amounts for'),
      expect.stringContaining('below the signed minimum'),
      expect.stringContaining('not a uint256'),
    ]);
    expect(decideAuction(instance, bids)).toMatchObject({ refused: 'noBid' });
    expect(decideAuction(instance, [])).toMatchObject({ refused: 'noBid' });
  });
});

describe('auctionRecord', () => {
  const instance = randomInstance(simRng(5));
  const bids = [1, 2].map((n) => ({
    filler: address(n),
    amounts: instance.outputs.map((o) => o.minimum + BigInt(n)),
  }));
  const decided = decideAuction(instance, bids);
  if (isRefusal(decided)) throw new Error(decided.message);
  const record = auctionRecord(decided);

  it('default: replays to itself, also after PostgreSQL reordered its keys', () => {
    const flipped = Object.fromEntries(Object.entries(record).toReversed()) as JsonObject;
    expect(replaysTo(JSON.parse(JSON.stringify(flipped)) as JsonObject)).toBe(true);
  });

  it('behavior: any amount, score, hash or winner altered makes it fail', () => {
    const text = JSON.stringify(record);
    const judged = text.slice(text.indexOf('"bids"'));
    const figures = [...judged.matchAll(/"(\d+|0x[0-9a-f]{64})"/g)];
    expect(figures.length).toBeGreaterThan(6);
    for (const { index, 1: figure = '' } of figures) {
      const at = text.length - judged.length + index + 1;
      const wrong = figure.startsWith('0x')
        ? `${figure.slice(0, -1)}${figure.endsWith('0') ? '1' : '0'}`
        : `${BigInt(figure) + 1n}`;
      const altered = text.slice(0, at) + wrong + text.slice(at + figure.length);
      expect(replaysTo(JSON.parse(altered) as JsonObject), `${figure} at ${at}`).toBe(false);
    }
  });
});

describe('signAward', () => {
  const order = simOrder(simRng(9));
  const instance: AuctionInstance = {
    orderId: orderId(hashOrder(order)),
    openedAtMs: 1,
    openBy: order.openDeadline,
    fillDeadline: order.fillDeadline,
    outputs: order.outputs.map((o) => ({
      chainId: Number(o.chainId),
      token: address(1),
      decimals: 18,
      minimum: o.amount,
      priceWad: WAD,
    })),
  };
  const bid = { filler: address(7), amounts: order.outputs.map((o) => o.amount) };
  const decided = decideAuction(instance, [bid]);
  if (isRefusal(decided)) throw new Error(decided.message);

  it('default: signed by the auctioneer over the award, and survives its JSON', async () => {
    const signed = await signAward(order, decided, auctioneer);
    expect(recoverSigner(awardDigest(signed.award), signed.signature)).toBe(auctioneer.address);
    expect(signedAwardFromJson(signedAwardToJson(signed))).toEqual(signed);
    const tampered = { ...signedAwardToJson(signed), amounts: ['1'] };
    expect(() => signedAwardFromJson(tampered)).toThrow(Defect);
  });

  it('error: another order or another auctioneer is a defect', async () => {
    const other = { ...order, nonce: order.nonce + 1n };
    await expect(signAward(other, decided, auctioneer)).rejects.toThrow(Defect);
    const stranger = signerOf(privateKeyToAccount(`0x${'9'.repeat(64)}`));
    await expect(signAward(order, decided, stranger)).rejects.toThrow(Defect);
  });
});

describe('recoverSigner', () => {
  it('default and errors: one signature has one form', async () => {
    const account = privateKeyToAccount(`0x${'8'.repeat(64)}`);
    const digest = orderDigest(simOrder(simRng(1)));
    const signature = await account.sign({ hash: digest });
    expect(recoverSigner(digest, signature)).toBe(account.address.toLowerCase());
    const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${signature.slice(66, 130)}`);
    const v = signature.endsWith('1b') ? '1c' : '1b';
    const highS: Hex = `0x${signature.slice(2, 66)}${(n - s).toString(16).padStart(64, '0')}${v}`;
    expect(recoverSigner(digest, highS)).toBeNull();
    expect(recoverSigner(digest, `${signature.slice(0, 130)}00` as Hex)).toBeNull();
    expect(recoverSigner(digest, `${signature}00`)).toBeNull();
    expect(recoverSigner(digest, `0x${'0'.repeat(128)}1b`)).toBeNull();
  });
});
