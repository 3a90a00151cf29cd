// The public record: it replays to itself, byte for byte, and nothing in it can be altered unseen but
// the built-in solver's own report.

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { bidFromJson, bidToJson, verifyBid } from '../../solver/auction/bid.ts';
import { instanceFromJson, instanceId, instanceToJson } from '../../solver/auction/instance.ts';
import { replay } from '../../solver/auction/record.ts';
import { recoverSigner } from '../../solver/settlement/signature.ts';
import type { SignedBid } from '../../solver/types/auction.ts';
import { InvalidInput, isRefusal } from '../../solver/types/errors.ts';
import type { Hex } from '../../solver/types/ids.ts';
import type { Json, JsonObject } from '../../solver/types/json.ts';
import { accounts, bids, byId, instance, record, recordOf, verified } from './closed.ts';
import { address, word } from './generate.ts';

interface Place {
  readonly path: readonly string[];
  readonly value: Json;
}
function placesOf(value: Json, path: readonly string[] = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const below = Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]));
  return below.length === 0 ? [{ path, value }] : below;
}
function altered(path: readonly string[], value: Json): JsonObject {
  const copy = structuredClone(record) as unknown as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ''] = value;
  return copy as unknown as JsonObject;
}
/** Another value of the same kind: the last digit changed, the number next to it, the other truth. */
function other(value: Json): Json {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return 'x';
  if (/^\d+$/.test(value)) return (BigInt(value) + 1n).toString();
  return `${value.slice(0, -1)}${value.endsWith('1') ? '0' : '1'}`;
}

describe('replay', () => {
  it('default: comes out the same, also after PostgreSQL reordered its keys', () => {
    const flipped = Object.fromEntries(Object.entries(record).toReversed());
    const answer = replay(flipped, recoverSigner);
    expect(answer).toMatchObject({ ok: true, engine: instance.engine, withheld: 0 });
  });

  it('behavior: an altered value anywhere fails, and is named or comes after its cause', () => {
    const places = placesOf(record).filter(({ path }) => path[0] !== 'netting');
    expect(places.length).toBeGreaterThan(150);
    for (const { path, value } of places) {
      const answer = replay(altered(path, other(value)), recoverSigner);
      expect(answer.ok, path.join('/')).toBe(false);
      if (answer.ok) continue;
      expect(answer.path, path.join('/')).toMatch(/^\//);
      expect(answer.message.length).toBeGreaterThan(5);
    }
  });

  it('behavior: the report of netting is copied, not proved', () => {
    expect(replay(altered(['netting', 'mode'], 'batch'), recoverSigner).ok).toBe(true);
  });

  it('behavior: every byte of a bid counts: amount, signature, filler, order', () => {
    for (const key of ['filler', 'signature', 'auctionId']) {
      const path = ['bids', '0', 'bid', key];
      const text = String(placesOf(record).find((p) => p.path.join() === path.join())?.value);
      for (let at = 2; at < text.length; at += 3) {
        const digit = text[at] === '0' ? '1' : '0';
        const wrong = text.slice(0, at) + digit + text.slice(at + 1);
        expect(replay(altered(path, wrong), recoverSigner).ok, `${key} ${at}`).toBe(false);
      }
    }
  });

  it('behavior: a bid left out, added or signed again by another form fails', async () => {
    const list = record.bids as readonly JsonObject[];
    expect(replay({ ...record, bids: list.slice(1) }, recoverSigner).ok).toBe(false);
    expect(replay({ ...record, bids: [...list, ...list.slice(0, 1)] }, recoverSigner).ok).toBe(
      false,
    );
    const best = list[0]?.bid as JsonObject;
    const highS = withHighS(String(best.signature) as Hex);
    const answer = replay(altered(['bids', '0', 'bid', 'signature'], highS), recoverSigner);
    expect(answer).toMatchObject({ ok: false, path: '/bids/0/bid/signature' });
  });

  it('behavior: says what differs first and what it should be', () => {
    expect(replay(altered(['score'], '1'), recoverSigner)).toMatchObject({
      path: '/score',
      message: expect.stringMatching(/^replayed "\d+", recorded "1"$/),
    });
    expect(replay(altered(['extra'], 1), recoverSigner)).toMatchObject({ path: '/extra' });
    const { score: _, ...less } = record;
    expect(replay(less, recoverSigner)).toMatchObject({ ok: false, path: '/score' });
  });

  it('behavior: an award signed by another key fails at its signature', async () => {
    const stranger = accounts[2];
    const path = ['awards', '0', 'signature'];
    const signature = (await stranger?.sign({ hash: word(1) })) ?? '0x';
    const answer = replay(altered(path, signature), recoverSigner);
    expect(answer).toMatchObject({ ok: false, path: '/awards/0/signature' });
  });

  it('behavior: awards withheld are part of it', async () => {
    const [first] = instance.orders;
    const open = new Map([...byId].filter(([id]) => id !== first?.orderId));
    const answer = replay(await recordOf(open), recoverSigner);
    expect(answer).toMatchObject({ ok: true, withheld: 1 });
  });

  it('error: whatever is not a record differs, and nothing throws', () => {
    for (const value of [null, 1, 'x', [], {}, { version: 1 }, { ...record, bids: 7 }]) {
      expect(replay(value, recoverSigner).ok).toBe(false);
    }
  });
});

describe('verifyBid', () => {
  it('default: a signed bid survives its JSON and is its filler’s own', () => {
    for (const bid of bids) {
      const again = bidFromJson(JSON.parse(JSON.stringify(bidToJson(bid))));
      expect(again).toEqual(bid);
      expect(verified(again).bid).toEqual(bid);
    }
  });

  it('error: anybody else’s, an altered or an impossible one is refused, never thrown', () => {
    const [bid] = bids;
    if (bid === undefined) throw new Error('no bid');
    const [item] = bid.items;
    if (item === undefined) throw new Error('no item');
    const refusals = [
      { ...bid, filler: address(3) },
      { ...bid, signature: '0x' as const },
      { ...bid, items: [{ ...item, amounts: [1n] }] },
      { ...bid, items: [{ ...item, amounts: [-1n] }] },
      { ...bid, items: [{ ...item, amounts: [2n ** 256n] }] },
    ].map((wrong) => verifyBid(wrong, recoverSigner));
    expect(refusals.map((r) => (isRefusal(r) ? r.refused : 'verified'))).toEqual([
      ...['wrongSigner', 'wrongSigner', 'wrongSigner', 'malformedBid', 'malformedBid'],
    ]);
  });

  it('error: JSON that is no bid names the place', () => {
    const good = bidToJson(bids[0] as SignedBid);
    const wrong: readonly (readonly [string, unknown])[] = [
      ['/extra', { ...good, extra: 1 }],
      ['/filler', { ...good, filler: `0x${'A'.repeat(40)}` }],
      ['/items', { ...good, items: [] }],
      ['/items/0/amounts/0', { ...good, items: [{ orderId: word(1), amounts: [1] }] }],
      ['/items/0/amounts/0', { ...good, items: [{ orderId: word(1), amounts: ['01'] }] }],
      ['/signature', { ...good, signature: '0x00' }],
    ];
    for (const [pointer, value] of wrong) {
      try {
        bidFromJson(value);
        throw new Error(`${pointer} was taken`);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInput);
        expect((error as InvalidInput).pointer).toBe(pointer);
      }
    }
  });
});

describe('instanceId', () => {
  it('default: of the canonical JSON, and the JSON reads back', () => {
    const json = instanceToJson(instance);
    const flipped = Object.fromEntries(Object.entries(json).toReversed());
    expect(instanceId(instanceFromJson(flipped))).toBe(instanceId(instance));
    const later = { ...instance, closesAtMs: instance.closesAtMs + 1 };
    expect(instanceId(later)).not.toBe(instanceId(instance));
  });
});

function withHighS(signature: Hex): Hex {
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const high = (secp256k1.Point.CURVE().n - s).toString(16).padStart(64, '0');
  return `0x${signature.slice(2, 66)}${high}${signature.endsWith('1b') ? '1c' : '1b'}`;
}
