// Every refusal of admission: its code, its pointer, and that it leaves no row behind.

import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, orderDigest, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { createAdmission } from '../../solver/settlement/admission.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { chainId, type Hex, toBytes32Address } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { SubmitRequest } from '../../solver/types/service.ts';
import type { StoredQuote } from '../../solver/types/store.ts';
import { SimChain } from './sim/chain.ts';
import { balanceKey, slotKey } from './sim/contracts.ts';
import { simRng } from './sim/rng.ts';
import { SimStore } from './sim/store.ts';
import { auctioneer, owner, START, simNetwork, simOrder, tokenA } from './sim/world.ts';

const STRANGER = `0x${'77'.repeat(20)}` as const;

function setUp(order: PortfolioOrder) {
  const time = { ms: START * 1_000 };
  const orders = new Map<Hex, PortfolioOrder>();
  const network = simNetwork();
  const chains = new Map(
    network.chains.map((c) => [c.chainId, new SimChain(c.chainId, START, orders)]),
  );
  for (const origin of order.origins) {
    chains.get(chainId(Number(origin.chainId)))?.poke((s) => {
      for (const { token, amount } of origin.inputs) {
        s.balances.set(balanceKey(token, order.owner), amount);
      }
    });
  }
  const store = new SimStore({ nowMs: () => time.ms, mayCrash: () => {} });
  const clock = {
    now: () => unixSeconds(Math.floor(time.ms / 1_000)),
    nowMs: () => time.ms,
    sleep: async () => {},
  };
  const admission = createAdmission({
    store,
    chains,
    clock,
    network,
    auctioneer: auctioneer.address,
  });
  const first = present(order.origins[0], 'an origin');
  const chain = present(chains.get(chainId(Number(first.chainId))), 'its chain');
  return { time, chains, chain, store, admission };
}
type Setting = ReturnType<typeof setUp>;

/** A seed with two origins, so that order and pairs can be broken. */
const ORDER = (() => {
  for (let seed = 1; ; seed += 1) {
    const order = simOrder(simRng(seed));
    if (order.origins.length === 2 && order.outputs.length >= 2) return order;
  }
})();
const json = (order: PortfolioOrder): JsonObject => ({ ...orderToJson(order) });
const sign = (order: PortfolioOrder) => owner.sign({ hash: orderDigest(order) });

async function quoteOf(order: PortfolioOrder): Promise<StoredQuote> {
  return {
    quoteId: 'q1',
    createdAtMs: START * 1_000,
    validUntilMs: (START + 30) * 1_000,
    order: json(order),
    quotedAmounts: order.outputs.map((output) => output.amount.toString()),
    problem: '{}',
    result: '{}',
    response: {},
  };
}

/** The refusal, after checking that nothing was written. */
async function refusal(setting: Setting, request: SubmitRequest) {
  const rows = setting.store.orders.size;
  const answer = await setting.admission.submit(request);
  expect(setting.store.orders.size).toBe(rows);
  if (!isRefusal(answer)) throw new Error('admitted');
  expect(answer.message.length).toBeGreaterThan(10);
  return answer;
}

/** Signs a changed order and expects its refusal. */
async function changed(change: (order: PortfolioOrder) => PortfolioOrder) {
  const order = change(ORDER);
  return refusal(setUp(order), { order: json(order), signature: await sign(order) });
}
const firstOrigin = (order: PortfolioOrder) => present(order.origins[0], 'origin');
const firstOutput = (order: PortfolioOrder) => present(order.outputs[0], 'output');

describe('admission', () => {
  it('default: a row, its event and both jobs; the same again answers the same', async () => {
    const setting = setUp(ORDER);
    const request = { order: json(ORDER), signature: await sign(ORDER) };
    const answer = await setting.admission.submit(request);
    expect(answer).toMatchObject({ orderId: hashOrder(ORDER), created: true });
    expect(setting.store.log.map((event) => event.type)).toEqual(['order.created']);
    expect([...setting.store.jobs.keys()]).toEqual([
      `serve/${hashOrder(ORDER)}`,
      `guard/${hashOrder(ORDER)}`,
    ]);
    setting.time.ms += 3_600_000;
    expect(await setting.admission.submit(request)).toMatchObject({ created: false });
    expect(setting.store.orders.size).toBe(1);
  });

  it('default: by quote alone, and 64 at once make one row', async () => {
    const setting = setUp(ORDER);
    await setting.store.putQuote(await quoteOf(ORDER));
    const signature = await sign(ORDER);
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => setting.admission.submit({ quoteId: 'q1', signature })),
    );
    expect(answers.filter((a) => !isRefusal(a) && a.created)).toHaveLength(1);
    expect(answers.every((a) => !isRefusal(a))).toBe(true);
    expect(setting.store.orders.size).toBe(1);
  });

  it('behavior: leaving the quoteId out hides no order and wins no time', async () => {
    const signature = await sign(ORDER);
    const setting = setUp(ORDER);
    await setting.store.putQuote(await quoteOf(ORDER));
    const late = setUp(ORDER);
    await late.store.putQuote(await quoteOf(ORDER));
    await setting.admission.submit({ order: json(ORDER), signature });
    expect([...setting.store.orders.values()][0]?.quoteId).toBe('q1');
    late.time.ms += 31_000;
    expect(await refusal(late, { order: json(ORDER), signature })).toMatchObject({
      refused: 'quoteExpired',
    });
    const own = { ...ORDER, openDeadline: ORDER.openDeadline + 1 };
    const bare = { order: json(own), signature: await sign(own) };
    expect(await late.admission.submit(bare)).toMatchObject({ created: true });
  });

  it('error: quoteNotFound, quoteExpired, orderNotQuoted', async () => {
    const setting = setUp(ORDER);
    const signature = await sign(ORDER);
    const by = (quoteId: string) => refusal(setting, { quoteId, signature });
    expect(await by('none')).toMatchObject({ refused: 'quoteNotFound', pointer: '/quoteId' });
    await setting.store.putQuote(await quoteOf(ORDER));
    const other = { ...ORDER, nonce: ORDER.nonce + 1n };
    const given = { quoteId: 'q1', order: json(other), signature: await sign(other) };
    expect(await refusal(setting, given)).toMatchObject({ refused: 'orderNotQuoted' });
    setting.time.ms += 31_000;
    expect(await by('q1')).toMatchObject({ refused: 'quoteExpired', pointer: '/quoteId' });
  });

  it('error: orderMalformed names the field', async () => {
    const setting = setUp(ORDER);
    const signature = await sign(ORDER);
    const unknown = { ...json(ORDER), surprise: 1 };
    expect(await refusal(setting, { order: unknown, signature })).toMatchObject({
      refused: 'orderMalformed',
      pointer: '/order/surprise',
    });
    expect(await refusal(setting, { signature })).toMatchObject({ refused: 'orderMalformed' });
    const unsorted = await changed((o) => ({ ...o, origins: o.origins.toReversed() }));
    expect(unsorted).toMatchObject({
      refused: 'orderMalformed',
      pointer: '/order/origins/1/chainId',
    });
    const shortProof = await changed((o) => ({ ...o, expiry: o.fillDeadline + 59 }));
    expect(shortProof).toMatchObject({ refused: 'orderMalformed', pointer: '/order/expiry' });
    const endless = await changed((o) => ({ ...o, expiry: START + 31 * 86_400 }));
    expect(endless).toMatchObject({ refused: 'orderMalformed', pointer: '/order/expiry' });
    const callback = await changed((o) => ({
      ...o,
      outputs: [{ ...firstOutput(o), callbackData: '0x00' }],
    }));
    expect(callback).toMatchObject({ pointer: '/order/outputs/0/callbackData' });
  });

  it('error: orderExpired', async () => {
    const late = await changed((o) => ({ ...o, openDeadline: START - 1 }));
    expect(late).toMatchObject({ refused: 'orderExpired', pointer: '/order/openDeadline' });
  });

  it('error: unknownChain, unknownAsset, unknownContract', async () => {
    const chain = await changed((o) => ({
      ...o,
      outputs: [{ ...firstOutput(o), chainId: 99n }],
    }));
    expect(chain).toMatchObject({ refused: 'unknownChain', pointer: '/order/outputs/0/chainId' });
    const token = await changed((o) => ({
      ...o,
      outputs: [{ ...firstOutput(o), token: toBytes32Address(tokenC) }],
    }));
    expect(token).toMatchObject({ refused: 'unknownAsset', pointer: '/order/outputs/0/token' });
    for (const [field, at] of [
      ['settler', '/order/origins/0/settler'],
      ['oracle', '/order/origins/0/oracle'],
    ] as const) {
      const origin = await changed((o) => ({
        ...o,
        origins: [{ ...firstOrigin(o), [field]: STRANGER }],
      }));
      expect(origin).toMatchObject({ refused: 'unknownContract', pointer: at });
      const output = await changed((o) => ({
        ...o,
        outputs: [{ ...firstOutput(o), [field]: toBytes32Address(tokenC) }],
      }));
      expect(output).toMatchObject({
        refused: 'unknownContract',
        pointer: `/order/outputs/0/${field}`,
      });
    }
    const auctioneered = await changed((o) => ({ ...o, auctioneer: STRANGER }));
    expect(auctioneered).toMatchObject({ pointer: '/order/auctioneer' });
  });

  it('error: malformedSignature, unsupportedOriginSignatures', async () => {
    const setting = setUp(ORDER);
    const order = json(ORDER);
    const good = await sign(ORDER);
    for (const signature of ['0x', '0x12', `${good}00`, good.slice(0, -1)] as const) {
      expect(await refusal(setting, { order, signature: signature as Hex })).toMatchObject({
        refused: 'malformedSignature',
        pointer: '/signature',
      });
    }
    const several = { order, signature: good, originSignatures: { '41': good } };
    expect(await refusal(setting, several)).toMatchObject({
      refused: 'unsupportedOriginSignatures',
    });
  });

  it('error: signatureForAnotherOrder', async () => {
    const other = { ...ORDER, nonce: ORDER.nonce + 1n };
    const signature = await sign(other);
    const setting = setUp(ORDER);
    // An account that no chain has ever seen: not a wallet, but other data signed.
    for (const chain of setting.chains.values()) chain.balance = async () => 0n;
    expect(await refusal(setting, { order: json(ORDER), signature })).toMatchObject({
      refused: 'signatureForAnotherOrder',
      pointer: '/signature',
    });
    // And certainly so when the order that was signed is known.
    const known = setUp(ORDER);
    expect(isRefusal(await known.admission.submit({ order: json(other), signature }))).toBe(false);
    expect(await refusal(known, { order: json(ORDER), signature })).toMatchObject({
      refused: 'signatureForAnotherOrder',
      details: { other: hashOrder(other) },
    });
  });

  it('error: wrongSigner names who signed', async () => {
    const thief = privateKeyToAccount(`0x${'7'.repeat(64)}`);
    const signature = await thief.sign({ hash: orderDigest(ORDER) });
    expect(await refusal(setUp(ORDER), { order: json(ORDER), signature })).toMatchObject({
      refused: 'wrongSigner',
      details: { recovered: thief.address.toLowerCase(), owner: ORDER.owner },
    });
  });

  it('error: nonceUsed, by another order or on a chain', async () => {
    const setting = setUp(ORDER);
    const request = { order: json(ORDER), signature: await sign(ORDER) };
    await setting.admission.submit(request);
    const twin = { ...ORDER, targets: `0x${'9'.repeat(64)}` as const };
    const again = { order: json(twin), signature: await sign(twin) };
    expect(await refusal(setting, again)).toMatchObject({
      refused: 'nonceUsed',
      pointer: '/order/nonce',
    });
    const opened = setUp(ORDER);
    opened.chain.poke((s) => {
      const slot = { status: 'cancelled', awardId: `0x${'0'.repeat(64)}` } as const;
      s.slots.set(slotKey(ORDER.owner, ORDER.nonce), slot);
    });
    expect(await refusal(opened, request)).toMatchObject({ refused: 'nonceUsed' });
  });

  it('error: insufficientBalance and insufficientAllowance say token, need and have', async () => {
    const request = { order: json(ORDER), signature: await sign(ORDER) };
    const poor = setUp(ORDER);
    poor.chain.poke((s) => s.balances.set(balanceKey(tokenA, ORDER.owner), 1n));
    const need = present(firstOrigin(ORDER).inputs[0], 'input').amount.toString();
    expect(await refusal(poor, request)).toMatchObject({
      refused: 'insufficientBalance',
      pointer: '/order/origins/0/inputs/0',
      details: { token: tokenA, need, have: '1' },
    });
    const unapproved = setUp(ORDER);
    unapproved.chain.poke((s) => {
      s.allowed = false;
    });
    expect(await refusal(unapproved, request)).toMatchObject({
      refused: 'insufficientAllowance',
      details: { token: tokenA, need, have: '0' },
    });
  });

  it('error: chainDown when an origin does not answer', async () => {
    const setting = setUp(ORDER);
    setting.chain.down = true;
    const request = { order: json(ORDER), signature: await sign(ORDER) };
    expect(await refusal(setting, request)).toMatchObject({ refused: 'chainDown' });
  });
});

const tokenC = `0x${'0c'.repeat(20)}` as Parameters<typeof toBytes32Address>[0];
