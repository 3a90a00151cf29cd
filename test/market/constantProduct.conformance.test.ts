// constantProduct.ts against the published Uniswap v2: the quick run of its conformance (at length in
// test/e2e/conformance.test.ts), and whole swaps through factory, pair and router.

import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { constantProductOut } from '../../solver/market/exact/constantProduct.ts';
import { constantProductConformance } from './conformance/constantProduct.ts';
import { startChain, type TestChain } from './helpers/anvil.ts';
import { randomFrom } from './helpers/random.ts';
import {
  ERC20,
  V2_FACTORY as FACTORY,
  V2_ROUTER as ROUTER,
  v2Artifact,
} from './helpers/uniswap.ts';

const MAX_UINT112 = 2n ** 112n - 1n;
const FEE = 3000;
const PAIR = v2Artifact('v2-core/build/UniswapV2Pair');

constantProductConformance(500);

describe('constantProduct against a Uniswap v2 pair', () => {
  let chain: TestChain;
  let factory: Address;
  let router: Address;
  beforeAll(async () => {
    chain = await startChain();
    factory = await chain.deploy(FACTORY, [chain.sender]);
    router = await chain.deploy(ROUTER, [factory, factory]);
  });
  afterAll(() => chain?.stop());

  it('behavior: a real swap pays exactly what was computed, and an overfull pair reverts', async () => {
    const random = randomFrom(7);
    const supply = 2n ** 200n;
    const a = await chain.deploy(ERC20, [supply]);
    const b = await chain.deploy(ERC20, [supply]);
    await chain.send(factory, FACTORY.abi, 'createPair', [a, b]);
    const pair = await chain.call<Address>(factory, FACTORY.abi, 'getPair', [a, b]);
    await chain.send(a, ERC20.abi, 'transfer', [pair, 10n ** 24n + 7n]);
    await chain.send(b, ERC20.abi, 'transfer', [pair, 3n * 10n ** 15n + 1n]);
    await chain.send(pair, PAIR.abi, 'mint', [chain.sender]);
    for (const token of [a, b]) await chain.send(token, ERC20.abi, 'approve', [router, supply]);
    const balance = (token: Address) =>
      chain.call<bigint>(token, ERC20.abi, 'balanceOf', [chain.sender]);
    const swap = (amount: bigint, path: readonly Address[]) =>
      chain.send(router, ROUTER.abi, 'swapExactTokensForTokens', [
        amount,
        0n,
        path,
        chain.sender,
        2n ** 40n,
      ]);
    for (let i = 0; i < 8; i++) {
      const [from, to] = i % 2 === 0 ? [a, b] : [b, a];
      const held = (token: Address) => chain.call<bigint>(token, ERC20.abi, 'balanceOf', [pair]);
      const [reserveIn, reserveOut] = [await held(from), await held(to)];
      const amount = random.scale(6, 26);
      const expected = constantProductOut(reserveIn, reserveOut, FEE, amount);
      if (expected === 0n) continue;
      const before = await balance(to);
      await swap(amount, [from, to]);
      expect((await balance(to)) - before).toBe(expected);
    }
    const reserveIn = await chain.call<bigint>(a, ERC20.abi, 'balanceOf', [pair]);
    const tooMuch = MAX_UINT112 - reserveIn + 1n;
    expect(constantProductOut(reserveIn, 10n ** 15n, FEE, tooMuch)).toMatchObject({
      refused: 'amountTooLarge',
    });
    const args = [tooMuch, 0n, [a, b], chain.sender, 2n ** 40n];
    await expect(
      chain.client.simulateContract({
        account: chain.sender,
        address: router,
        abi: ROUTER.abi,
        functionName: 'swapExactTokensForTokens',
        args,
      }),
    ).rejects.toThrow(/OVERFLOW/);
  });
});
