// OIF swaps over the small world with the real engine and certificate: what is offered and signed, in
// which types, and each reason why nothing is.

import fc from 'fast-check';
import { hashTypedData } from 'viem';
import { describe, expect, it } from 'vitest';
import { canonicalFault, orderFromJson } from '../../contracts-abi/orderJson.ts';
import { permit2Digest } from '../../contracts-abi/permit2.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { evmAddress, fromBytes32Address } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { Quote, SwapRequest } from '../../solver/types/service.ts';
import {
  balanced,
  CHAINS,
  makeWorld,
  NOW,
  OWNER,
  PERMIT2,
  tokenAddress,
  units,
  type World,
} from './world.ts';

const [A, B, C] = CHAINS.map((id) => Number(id)) as [number, number, number];
const RECEIVER = evmAddress(`0x${'99'.repeat(20)}`);
const asset = (chain: number, symbol: string) => ({ chain, token: tokenAddress(chain, symbol) });

const swap: SwapRequest = {
  intentType: 'oif-swap',
  owner: OWNER,
  swapType: 'exact-input',
  inputs: [{ asset: asset(A, 'WETH'), amount: units('WETH', 2).toString() }],
  output: { asset: asset(B, 'USDC'), receiver: RECEIVER },
  notes: [],
};
const exactOutput: SwapRequest = {
  ...swap,
  swapType: 'exact-output',
  inputs: [{ asset: asset(A, 'WETH') }],
  output: { ...swap.output, amount: units('USDC', 5_000).toString() },
};

async function offered(world: World, change: Partial<SwapRequest> = {}) {
  const quotes = await world.swaps.offers({ ...swap, ...change });
  if (isRefusal(quotes)) throw new Error(`refused: ${quotes.refused} ${quotes.message}`);
  return quotes;
}
async function refused(change: Partial<SwapRequest>, world = makeWorld()) {
  const quotes = await world.swaps.offers({ ...swap, ...change });
  if (!isRefusal(quotes)) throw new Error('was offered');
  expect(world.stored).toEqual([]);
  expect(quotes.message.length).toBeGreaterThan(20);
  return { code: quotes.refused, pointer: quotes.pointer };
}
const typesOf = (quotes: readonly Quote[]) =>
  quotes.map(({ response }) => (response.order as JsonObject).type);
interface Body {
  readonly preview: {
    readonly inputs: readonly { amount: string }[];
    readonly outputs: readonly { amount: string; minimumAmount: string; receiver: string }[];
  };
  readonly metadata: {
    readonly fees: readonly { amountUsd: string }[];
    readonly totalFeesUsd: string;
    readonly approvals: readonly { spender: string; required: string }[];
    readonly warnings: readonly { code: string; severity: string }[];
    readonly legs: readonly JsonObject[];
  };
}
const bodyOf = (quote: Quote | undefined) => present(quote, 'a quote').response as unknown as Body;

describe('oif-swap', () => {
  it('default: exactly the input, to the receiver, at least the minimum, in both types', async () => {
    const world = makeWorld();
    const quotes = await offered(world);
    expect(typesOf(quotes)).toEqual(['oif-escrow-v0', 'trimtab-portfolio-v1']);
    const stored = present(world.stored[0], 'the stored quote');
    const order = orderFromJson(stored.order);
    expect(canonicalFault(order)).toBeNull();
    expect(order.origins.map(({ chainId, inputs }) => ({ chainId, inputs }))).toEqual([
      {
        chainId: BigInt(A),
        inputs: [{ token: tokenAddress(A, 'WETH'), amount: units('WETH', 2) }],
      },
    ]);
    const [output] = order.outputs;
    expect(order.outputs).toHaveLength(1);
    expect(fromBytes32Address(present(output, 'an output').recipient)).toBe(RECEIVER);
    const quoted = BigInt(present(stored.quotedAmounts[0], 'an amount'));
    // Two ether at 3000 dollars, less fees and impact.
    expect(quoted).toBeGreaterThan(units('USDC', 5_900));
    expect(quoted).toBeLessThan(units('USDC', 6_000));
    expect(present(output, 'an output').amount).toBe((quoted * 9_970n) / 10_000n);
  });

  it('behavior: both types are the same order; the Permit2 one is its witness', async () => {
    const world = makeWorld();
    const [permit2] = await offered(world);
    const order = orderFromJson(present(world.stored[0], 'stored').order);
    expect(world.stored.map((quote) => quote.order)).toEqual(
      world.stored.map(() => world.stored[0]?.order),
    );
    const typed = present(permit2, 'a quote').response.order as unknown as {
      payload: Parameters<typeof hashTypedData>[0];
    };
    expect(hashTypedData(typed.payload)).toBe(permit2Digest(order, BigInt(A), PERMIT2));
    expect(typed.payload.domain).toEqual({
      name: 'Permit2',
      chainId: A,
      verifyingContract: PERMIT2,
    });
    expect(new Set(world.stored.map(({ quoteId }) => quoteId)).size).toBe(2);
  });

  it('behavior: approvals name Permit2 or the settler', async () => {
    const [permit2, own] = await offered(makeWorld());
    const spenders = (quote: Quote | undefined) =>
      bodyOf(quote).metadata.approvals.map(({ spender }) => spender);
    expect(spenders(permit2)).toEqual([PERMIT2]);
    expect(spenders(own)).not.toContain(PERMIT2);
    expect(bodyOf(own).metadata.approvals).toHaveLength(1);
  });

  it('behavior: the certificate verifies and fees sum', async () => {
    const world = makeWorld();
    const [quote] = await offered(world);
    const stored = present(world.stored[0], 'stored');
    const problem = parseProblemText(stored.problem);
    expect(verify(problem, parseResultText(stored.result)).ok).toBe(true);
    const { fees, totalFeesUsd } = bodyOf(quote).metadata;
    const micro = (text: string) => Math.round(Number(text) * 1e6);
    expect(fees.reduce((sum, fee) => sum + micro(fee.amountUsd), 0)).toBe(micro(totalFeesUsd));
  });

  it('behavior: inputs on one chain, and on several as trimtab-portfolio-v1 alone', async () => {
    const here = { asset: asset(A, 'USDC'), amount: units('USDC', 900).toString() };
    const there = { asset: asset(B, 'WBTC'), amount: units('WBTC', 0.1).toString() };
    const first = present(swap.inputs[0], 'an input');
    expect(typesOf(await offered(makeWorld(), { inputs: [here, first] }))).toHaveLength(2);
    const world = makeWorld();
    const quotes = await offered(world, { inputs: [first, there, here] });
    expect(typesOf(quotes)).toEqual(['trimtab-portfolio-v1']);
    const order = orderFromJson(present(world.stored[0], 'stored').order);
    expect(order.origins.map(({ inputs }) => inputs.length)).toEqual([2, 1]);
    expect(order.outputs).toHaveLength(1);
    const only = { inputs: [first, there], supportedTypes: ['oif-escrow-v0'] };
    const one = await makeWorld().swaps.offers({ ...swap, ...only });
    expect(isRefusal(one) && one.refused).toBe('unsupportedOrderType');
  });

  it('behavior: a chain without Permit2 offers our type alone', async () => {
    const inputs = [{ asset: asset(C, 'WETH'), amount: units('WETH', 1).toString() }];
    const quotes = await offered(makeWorld(), { inputs });
    expect(typesOf(quotes)).toEqual(['trimtab-portfolio-v1']);
  });

  it('behavior: a minimum above the usual one is signed; one out of reach is refused', async () => {
    const world = makeWorld();
    const amount = units('USDC', 5_985).toString();
    await offered(world, { output: { ...swap.output, amount } });
    const order = orderFromJson(present(world.stored[0], 'stored').order);
    expect(order.outputs[0]?.amount.toString()).toBe(amount);
    const output = { ...swap.output, amount: units('USDC', 6_001).toString() };
    expect(await refused({ output })).toEqual({
      code: 'limitUnmet',
      pointer: '/intent/outputs/0/amount',
    });
  });

  it('behavior: one chain, same asset over chains, and a swap on one chain', async () => {
    const local = { ...swap.output, asset: asset(A, 'USDC') };
    expect(typesOf(await offered(makeWorld(), { output: local }))).toHaveLength(2);
    const moved = { ...swap.output, asset: asset(B, 'WETH') };
    const world = makeWorld();
    const [quote] = await offered(world, { output: moved });
    expect(bodyOf(quote).metadata.legs).toHaveLength(1);
    expect(world.problems[0]?.nodes.every(({ chain }) => chain !== C)).toBe(true);
  });

  it('behavior: a user without the tokens is quoted, and told', async () => {
    const inputs = [{ asset: asset(A, 'WETH'), amount: units('WETH', 21).toString() }];
    const [quote] = await offered(makeWorld(), { inputs });
    expect(bodyOf(quote).metadata.warnings).toContainEqual(
      expect.objectContaining({ code: 'insufficientBalance', severity: 'block' }),
    );
  });

  it('behavior: notes become warnings; supportedTypes order the quotes', async () => {
    const supportedTypes = ['x', 'trimtab-portfolio-v1', 'oif-escrow-v0'];
    const notes = [{ code: 'preferenceIgnored', message: 'preference is not followed' }];
    const quotes = await offered(makeWorld(), { supportedTypes, notes });
    expect(typesOf(quotes)).toEqual(['trimtab-portfolio-v1', 'oif-escrow-v0']);
    for (const quote of quotes) {
      expect(bodyOf(quote).metadata.warnings.map(({ code }) => code)).toContain(
        'preferenceIgnored',
      );
    }
  });

  it('behavior: a token without its chain, where only one chain has it', async () => {
    const inputs = [{ asset: { token: tokenAddress(A, 'WETH') }, amount: '1000000000000000000' }];
    expect(await offered(makeWorld(), { inputs })).toHaveLength(2);
  });
});

describe('oif-swap exact-output', () => {
  it('default: signs exactly what is asked, for an input found', async () => {
    const world = makeWorld();
    const [permit2, quote] = await offered(world, exactOutput);
    const { preview } = bodyOf(quote);
    const asked = units('USDC', 5_000);
    // OIF's members and no others.
    const { receiver, amount, asset: named } = bodyOf(permit2).preview.outputs[0] as never;
    expect(bodyOf(permit2).preview.outputs).toEqual([{ receiver, amount, asset: named }]);
    expect(preview.outputs[0]).toMatchObject({
      amount: asked.toString(),
      minimumAmount: asked.toString(),
    });
    const input = BigInt(present(preview.inputs[0], 'an input').amount);
    // 5000 dollars at 3000 and the 30 bps that slippage may take, costs besides.
    expect(input).toBeGreaterThan((units('WETH', 5_000 / 3_000) * 10_030n) / 10_000n);
    expect(input).toBeLessThan((units('WETH', 5_000 / 3_000) * 10_090n) / 10_000n);
    const order = orderFromJson(present(world.stored[0], 'stored').order);
    expect(order.outputs[0]?.amount).toBe(asked);
    expect(BigInt(present(world.stored[0]?.quotedAmounts[0], 'quoted'))).toBeGreaterThan(asked);
    expect(world.problems.length).toBeLessThanOrEqual(6);
  });

  it('property: any amount the market bears is found, with no more than the slack over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: 60_000 }), async (dollars) => {
        const world = makeWorld();
        const amount = units('USDC', dollars);
        await offered(world, {
          ...exactOutput,
          output: { ...swap.output, amount: amount.toString() },
        });
        const quoted = BigInt(present(world.stored[0]?.quotedAmounts[0], 'quoted'));
        expect(quoted * 9_970n).toBeGreaterThanOrEqual(amount * 10_000n);
        expect(quoted * 9_970n).toBeLessThanOrEqual((amount * 10_000n * 10_006n) / 10_000n);
      }),
      { numRuns: 8 },
    );
  });
});

describe('rebalance', () => {
  it('behavior: offered as oif-escrow-v0 where it has one origin', async () => {
    const world = makeWorld();
    world.balances.clear();
    world.balances.set(`${A}:WETH`, units('WETH', 20));
    const one = { ...balanced, scope: { chains: [A] } };
    const supportedTypes = ['oif-escrow-v0', 'trimtab-portfolio-v1'];
    const quotes = await world.swaps.offers({ ...one, supportedTypes });
    if (isRefusal(quotes)) throw new Error(quotes.message);
    expect(typesOf(quotes)).toEqual(supportedTypes);
    const spread = makeWorld();
    spread.balances.set(`${B}:WETH`, units('WETH', 40));
    const several = await spread.swaps.offers({ ...balanced, supportedTypes });
    if (isRefusal(several)) throw new Error(several.message);
    expect(typesOf(several)).toEqual(['trimtab-portfolio-v1']);
  });
});

describe('oif-swap refusals', () => {
  const input = present(swap.inputs[0], 'an input');
  const at = (change: object) => ({ inputs: [{ ...input, ...change }] });
  const cases: [string, Partial<SwapRequest>, string, string][] = [
    [
      'a chain not served',
      at({ asset: { ...input.asset, chain: 9 } }),
      'unknownChain',
      'inputs/0/asset',
    ],
    [
      'a token not traded',
      at({ asset: { chain: A, token: RECEIVER } }),
      'unknownAsset',
      'inputs/0/asset',
    ],
    [
      'an output not traded',
      { output: { ...swap.output, asset: { chain: A, token: RECEIVER } } },
      'unknownAsset',
      'outputs/0/asset',
    ],
    ['no amount', { inputs: [{ asset: input.asset }] }, 'invalidAmount', 'inputs/0/amount'],
    ['amount zero', at({ amount: '0' }), 'invalidAmount', 'inputs/0/amount'],
    ['one token twice', { inputs: [input, input] }, 'duplicateTarget', 'inputs/1/asset'],
    [
      'input is the output',
      { output: { ...swap.output, asset: input.asset } },
      'nothingToDo',
      'inputs/0/asset',
    ],
    [
      'exact-output with an input amount',
      { ...exactOutput, inputs: [input] },
      'invalidAmount',
      'inputs/0/amount',
    ],
    [
      'exact-output without output amount',
      { ...exactOutput, output: swap.output },
      'invalidAmount',
      'outputs/0/amount',
    ],
    [
      'exact-output of two inputs',
      { ...exactOutput, inputs: [{ asset: input.asset }, { asset: asset(A, 'USDC') }] },
      'unsupportedIntent',
      'inputs',
    ],
    ['too long validity', { minValidUntil: NOW + 61 }, 'quoteUnavailable', 'minValidUntil'],
    [
      'more than the inventory',
      at({ amount: units('WETH', 100_000).toString() }),
      'insufficientInventory',
      'inputs',
    ],
  ];
  it.each(cases)('error: %s', async (_, change, code, pointer) => {
    expect(await refused(change)).toEqual({ code, pointer: `/intent/${pointer}` });
  });

  it('error: unsupportedOrderType, chainDown, costAboveLimit, insufficientInventory', async () => {
    expect(await refused({ supportedTypes: ['oif-3009-v0'] })).toEqual({
      code: 'unsupportedOrderType',
      pointer: '/supportedTypes',
    });
    const down = makeWorld();
    down.down.add(present(CHAINS[1], 'a chain'));
    expect(await refused({}, down)).toEqual({
      code: 'chainDown',
      pointer: '/intent/outputs/0/asset',
    });
    const tiny = { inputs: [{ ...input, amount: '100000000000' }] };
    expect((await refused(tiny)).code).toMatch(/^(nothingToDo|costAboveLimit)$/);
    const poor = makeWorld();
    poor.canFund = async () => ({
      refused: 'insufficientInventory',
      message: 'there is not enough of it',
    });
    expect((await refused({}, poor)).code).toBe('insufficientInventory');
  });
});
