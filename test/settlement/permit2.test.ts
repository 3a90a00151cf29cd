// Admission of orders signed as the witness of a Permit2 transfer: every form of the signature, the
// transfer compared field by field, and what is asked of Permit2 instead of the settler.

import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { permit2Digest, permit2Payload } from '../../contracts-abi/permit2.ts';
import { hashOrder, orderDigest, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { createAdmission } from '../../solver/settlement/admission.ts';
import { permit2Fault, signatureForms } from '../../solver/settlement/authority.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { chainId, evmAddress, type Hex } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { NetworkConfig } from '../../solver/types/network.ts';
import type { SubmitRequest } from '../../solver/types/service.ts';
import { SimChain } from './sim/chain.ts';
import { balanceKey } from './sim/contracts.ts';
import { simRng } from './sim/rng.ts';
import { SimStore } from './sim/store.ts';
import { auctioneer, owner, START, simNetwork, simOrder } from './sim/world.ts';

const PERMIT2 = evmAddress(`0x${'b2'.repeat(20)}`);
const network: NetworkConfig = {
  ...simNetwork(),
  chains: simNetwork().chains.map((chain) => ({
    ...chain,
    contracts: { ...chain.contracts, permit2: PERMIT2 },
  })),
};
const orderWith = (origins: number): PortfolioOrder => {
  for (let seed = 1; ; seed += 1) {
    const order = simOrder(simRng(seed));
    if (order.origins.length === origins) return order;
  }
};
const ORDER = orderWith(1);
const CHAIN = present(ORDER.origins[0], 'an origin').chainId;
const json = (order: PortfolioOrder): JsonObject => ({ ...orderToJson(order) });
const sign = (order: PortfolioOrder, account = owner) =>
  account.sign({ hash: permit2Digest(order, CHAIN, PERMIT2) });

/** Domain and message as a wallet was given them, the witness apart. */
function transferOf(order: PortfolioOrder) {
  const { domain, message } = permit2Payload(order, CHAIN, PERMIT2);
  const { witness: _, ...transfer } = message;
  return { domain, message: transfer } as unknown as JsonObject;
}

function setUp() {
  const chains = new Map(
    network.chains.map((c) => [c.chainId, new SimChain(c.chainId, START, new Map())]),
  );
  chains.get(chainId(Number(CHAIN)))?.poke((s) => {
    for (const { token, amount } of present(ORDER.origins[0], 'an origin').inputs) {
      s.balances.set(balanceKey(token, ORDER.owner), amount);
    }
  });
  const nowMs = () => START * 1_000;
  const store = new SimStore({ nowMs, mayCrash: () => {} });
  const clock = { now: () => unixSeconds(START), nowMs, sleep: async () => {} };
  const auctions = auctioneer.address;
  return {
    store,
    admission: createAdmission({ store, chains, clock, network, auctioneer: auctions }),
  };
}

async function submitted(request: SubmitRequest) {
  const { store, admission } = setUp();
  const answer = await admission.submit(request);
  const [row] = [...store.orders.values()];
  return { answer, row };
}

describe('admission by Permit2', () => {
  it('default: a row that says how it was signed', async () => {
    const signature = await sign(ORDER);
    const kind = { signatureKind: 'permit2', permit2: transferOf(ORDER) } as const;
    const { answer, row } = await submitted({ order: json(ORDER), signature, ...kind });
    expect(answer).toMatchObject({ orderId: hashOrder(ORDER), created: true });
    expect(row).toMatchObject({ signatureKind: 'permit2', ownerSignature: signature });
  });

  it('behavior: with OIF’s prefix, and EIP-2098’s compact form, the same 65 bytes are kept', async () => {
    const signature = await sign(ORDER);
    const v = BigInt(`0x${signature.slice(130)}`) - 27n;
    const s = BigInt(`0x${signature.slice(66, 130)}`) | (v << 255n);
    const compact = `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}` as Hex;
    for (const form of [
      signature,
      `0x00${signature.slice(2)}`,
      compact,
      `0x00${compact.slice(2)}`,
    ]) {
      const request = {
        order: json(ORDER),
        signature: form as Hex,
        signatureKind: 'permit2' as const,
      };
      expect((await submitted(request)).row?.ownerSignature).toBe(signature);
    }
  });

  it('behavior: the same signature again, in another form, is the same submission', async () => {
    const { admission } = setUp();
    const signature = await sign(ORDER);
    const order = json(ORDER);
    await admission.submit({ order, signature, signatureKind: 'permit2' });
    const again = { order, signature: `0x00${signature.slice(2)}` as Hex };
    expect(await admission.submit(again)).toMatchObject({ created: false });
  });

  it('behavior: an order without its kind is taken as whichever was signed', async () => {
    const own = await owner.sign({ hash: orderDigest(ORDER) });
    expect((await submitted({ order: json(ORDER), signature: own })).row?.signatureKind).toBe(
      'eip712',
    );
    const { row } = await submitted({ order: json(ORDER), signature: await sign(ORDER) });
    expect(row?.signatureKind).toBe('permit2');
  });

  it('error: the other kind’s signature, a stranger’s, another witness', async () => {
    const stranger = privateKeyToAccount(`0x${'9'.repeat(64)}`);
    const signatures = [
      await owner.sign({ hash: orderDigest(ORDER) }),
      await sign(ORDER, stranger),
      await sign({ ...ORDER, nonce: ORDER.nonce + 1n }),
    ];
    for (const signature of signatures) {
      const { answer, row } = await submitted({
        ...{ order: json(ORDER), signature, signatureKind: 'permit2' },
      });
      expect(isRefusal(answer) && answer.refused).toMatch(
        /^(wrongSigner|signatureForAnotherOrder)$/,
      );
      expect(row).toBeUndefined();
    }
  });

  it('error: two origins', async () => {
    const two = orderWith(2);
    const signature = await owner.sign({ hash: orderDigest(two) });
    const { answer } = await submitted({ order: json(two), signature, signatureKind: 'permit2' });
    expect(answer).toMatchObject({ refused: 'orderMalformed', pointer: '/order/origins' });
  });
});

describe('permit2Fault', () => {
  const given = transferOf(ORDER) as { domain: JsonObject; message: JsonObject };
  const fault = (change: object) => permit2Fault(ORDER, network, { ...given, ...change })?.pointer;
  const inMessage = (change: object) => fault({ message: { ...given.message, ...change } });
  const inDomain = (change: object) => fault({ domain: { ...given.domain, ...change } });

  it('default: null for the transfer of the order, numbers and case as libraries write them', () => {
    expect(fault({})).toBeUndefined();
    expect(inDomain({ chainId: CHAIN.toString() })).toBeUndefined();
    expect(
      inDomain({ verifyingContract: PERMIT2.toUpperCase().replace('0X', '0x') }),
    ).toBeUndefined();
    expect(inMessage({ deadline: ORDER.openDeadline })).toBeUndefined();
  });

  it('error: names each field that is not the order’s', () => {
    expect(inMessage({ nonce: '1' })).toBe('/permit2/message/nonce');
    expect(inMessage({ deadline: ORDER.fillDeadline })).toBe('/permit2/message/deadline');
    expect(inMessage({ spender: PERMIT2 })).toBe('/permit2/message/spender');
    const [first] = given.message.permitted as JsonObject[];
    expect(inMessage({ permitted: [{ ...first, amount: '1' }] })).toBe(
      '/permit2/message/permitted/0/amount',
    );
    expect(inMessage({ permitted: [first, first] })).toBe('/permit2/message/permitted/1');
    expect(inMessage({ permitted: [] })).toBe('/permit2/message/permitted/0');
    expect(inDomain({ chainId: 1 })).toBe('/permit2/domain/chainId');
    expect(inDomain({ version: '1' })).toBe('/permit2/domain/version');
    expect(inDomain({ verifyingContract: ORDER.owner })).toBe('/permit2/domain/verifyingContract');
  });

  it('error: a chain without Permit2', () => {
    expect(permit2Fault(ORDER, simNetwork())).toMatchObject({ refused: 'unknownContract' });
  });
});

describe('signatureForms', () => {
  it('behavior: a contract wallet’s bytes are tried as given first, 66 bytes without the prefix', () => {
    const wallet = `0x00${'11'.repeat(100)}` as const;
    expect(signatureForms(wallet, 'permit2')).toEqual([wallet, `0x${'11'.repeat(100)}`]);
    expect(signatureForms(wallet, 'eip712')).toEqual([wallet]);
    const prefixed = `0x00${'ab'.repeat(65)}` as const;
    expect(signatureForms(prefixed, 'permit2')[0]).toBe(`0x${'ab'.repeat(65)}`);
  });
});
