// OIF end to end on real chains with the real Permit2: a swap quoted, its payload signed as it came by
// a viem account that approved Permit2 alone, posted in the aggregator's form, and settled; and the
// same payload with a witness changed, refused at the door and by the chain.

import { type Address, erc20Abi, type Hex, maxUint256, parseUnits } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import type { World } from '../../api/cli/world.ts';
import { portfolioSettlerAbi } from '../../contracts-abi/abi/portfolioSettler.ts';
import { encodeOpenWithPermit2 } from '../../contracts-abi/calls.ts';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, openAward } from '../../contracts-abi/typedData.ts';
import { present } from '../../solver/types/assert.ts';
import { interoperable } from '../../solver/types/interop.ts';
import { chainOf, clientOf, escrowed, followToEnd, give, withWorld } from './harness.ts';

const [FROM, TO] = [31339, 31338];

interface SwapQuote {
  readonly quoteId: string;
  readonly order: {
    readonly type: string;
    readonly payload: {
      readonly domain: { readonly verifyingContract: Address };
      readonly message: { readonly witness: Record<string, unknown> };
    };
  };
  readonly preview: { readonly outputs: readonly { readonly amount: string }[] };
  readonly metadata: { readonly approvals: readonly { readonly spender: Address }[] };
}

test('an OIF swap by Permit2 settles as quoted; a tampered witness is refused twice', async () => {
  await withWorld({}, async (world) => {
    const user = privateKeyToAccount(world.lab.accounts.spare1.privateKey);
    await give(world, FROM, 'USDC', '9000', user.address);
    const receiver = privateKeyToAccount(world.lab.accounts.spare2.privateKey).address;
    const quote = await swapQuote(world, user.address, receiver);
    expect(quote.order.type).toBe('oif-escrow-v0');
    const permit2 = quote.order.payload.domain.verifyingContract;
    expect(quote.metadata.approvals.map(({ spender }) => spender)).toEqual([permit2]);

    const from = chainOf(world.lab.network, FROM);
    const wallet = clientOf(from, user);
    const usdc = tokenAt(world, FROM, 'USDC');
    const hash = await wallet.writeContract({
      ...{ chain: null, address: usdc, abi: erc20Abi },
      ...{ functionName: 'approve' as const, args: [permit2, maxUint256] as const },
    });
    await wallet.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    const signature = await user.signTypedData(quote.order.payload as never);

    await expectTamperingRefused(world, quote, signature);

    const weth = tokenAt(world, TO, 'ETH');
    const held = () =>
      clientOf(chainOf(world.lab.network, TO), user).readContract({
        ...{ address: weth, abi: erc20Abi, functionName: 'balanceOf' as const },
        args: [receiver] as const,
      });
    const before = await held();
    const headers = { 'user-agent': 'OIF-Aggregator/1.0' };
    const withAdditions = { ...quote, solverId: 'trimtab', integrityChecksum: 'c0ffee' };
    const body = { quoteResponse: withAdditions, signature: `0x00${signature.slice(2)}` };
    const posted = await post(world, '/v1/orders', body, headers);
    expect(posted).toMatchObject({ status: 202, body: { status: 'received' } });
    const orderId = posted.body.orderId as Hex;
    expect(orderId).toBe(hashOrder(orderFromJson(quote.order.payload.message.witness)));

    const events = await followToEnd(world, orderId);
    expect(events.at(-1)).toBe('order.settled');
    const got = (await held()) - before;
    const promised = BigInt(present(quote.preview.outputs[0], 'an output').amount);
    expect(got).toBeGreaterThanOrEqual((promised * 9_970n) / 10_000n);
    expect(await escrowed(world.lab.network)).toBe(0n);
    const order = await (await fetch(`${world.api.url}/v1/orders/${orderId}/`, { headers })).json();
    expect(order).toMatchObject({ id: orderId, status: 'finalized' });
    expect(order).not.toHaveProperty('state');
  });
}, 120_000);

async function swapQuote(world: World, user: Address, receiver: Address): Promise<SwapQuote> {
  const { status, body } = await post(world, '/v1/quotes', {
    user: interoperable(FROM, user),
    intent: {
      intentType: 'oif-swap',
      inputs: [
        {
          user: interoperable(FROM, user),
          asset: interoperable(FROM, tokenAt(world, FROM, 'USDC')),
          amount: parseUnits('8000', 6).toString(),
        },
      ],
      outputs: [
        {
          receiver: interoperable(TO, receiver),
          asset: interoperable(TO, tokenAt(world, TO, 'ETH')),
        },
      ],
      swapType: 'exact-input',
      originSubmission: { mode: 'protocol', schemes: ['permit2'] },
    },
    supportedTypes: ['oif-escrow-v0'],
  });
  expect({ status, body }).toMatchObject({ status: 200 });
  const quotes = body.quotes as readonly SwapQuote[];
  expect(quotes).toHaveLength(1);
  return present(quotes[0], 'a quote');
}

/** Another recipient in the witness: admission recovers a stranger, Permit2 an invalid signer. */
async function expectTamperingRefused(
  world: World,
  { order }: SwapQuote,
  signature: Hex,
): Promise<void> {
  const { witness } = order.payload.message;
  const [output] = witness.outputs as readonly Record<string, unknown>[];
  const recipient = `0x${'0'.repeat(24)}${'66'.repeat(20)}`;
  const tampered = { ...witness, outputs: [{ ...output, recipient }] };
  const message = { ...order.payload.message, witness: tampered };
  const changed = { ...order, payload: { ...order.payload, message } };
  const { status, body } = await post(world, '/v1/orders', { order: changed, signature });
  expect({ status, code: body.code }).toEqual({ status: 422, code: 'signatureForAnotherOrder' });

  // On chain, past every check of ours: an order without an auctioneer needs no award but its own.
  const forged = {
    ...orderFromJson(tampered as never),
    auctioneer: `0x${'0'.repeat(40)}` as const,
  };
  const chain = chainOf(world.lab.network, FROM);
  const stranger = privateKeyToAccount(world.lab.accounts.spare3.privateKey);
  const call = clientOf(chain, stranger).call({
    to: chain.contracts.portfolioSettler,
    data: encodeOpenWithPermit2({
      ...{ order: forged, chainId: BigInt(FROM), award: openAward(forged) },
      ...{ awardSig: '0x', permit2Sig: signature },
    }),
  });
  // InvalidSigner(), Permit2's own word.
  await expect(call).rejects.toThrow(/0x815e1d64/);
  const slot = await clientOf(chain, stranger).readContract({
    ...{ address: chain.contracts.portfolioSettler, abi: portfolioSettlerAbi },
    ...{ functionName: 'slot' as const, args: [forged.owner, forged.nonce] as const },
  });
  expect(BigInt(slot)).toBe(0n);
}

const tokenAt = (world: World, chainId: number, asset: string): Address =>
  present(
    chainOf(world.lab.network, chainId).tokens.find((token) => token.asset === asset),
    `${asset} on ${chainId}`,
  ).address;

async function post(
  { api }: World,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
