// constantProduct.ts against the published Uniswap v2: the router's pure getAmountOut/getAmountIn
// on random states, and whole swaps through factory, pair and router.

import { readFileSync } from 'node:fs';
import type { Address, Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  constantProductIn,
  constantProductOut,
} from '../../solver/market/exact/constantProduct.ts';
import { type Artifact, startChain, type TestChain } from './helpers/anvil.ts';
import { randomFrom, seeded } from './helpers/random.ts';

const MAX_UINT112 = 2n ** 112n - 1n;
const FEE = 3000;

function artifact(path: string): Artifact {
  const { abi, evm } = JSON.parse(readFileSync(`node_modules/@uniswap/${path}.json`, 'utf8'));
  return { abi, bytecode: `0x${evm.bytecode.object.replace(/^0x/, '')}` as Hex };
}
const ERC20 = artifact('v2-core/build/ERC20');
const FACTORY = artifact('v2-core/build/UniswapV2Factory');
const PAIR = artifact('v2-core/build/UniswapV2Pair');
const ROUTER = artifact('v2-periphery/build/UniswapV2Router02');

describe('constantProduct against Uniswap v2', () => {
  let chain: TestChain;
  let factory: Address;
  let router: Address;
  beforeAll(async () => {
    chain = await startChain();
    factory = await chain.deploy(FACTORY, [chain.sender]);
    router = await chain.deploy(ROUTER, [factory, factory]);
  });
  afterAll(() => chain?.stop());

  it('property: equals getAmountOut and getAmountIn to the wei', async () => {
    const random = seeded('uniswap v2 quotes');
    const cases = Array.from({ length: 150 }, () => {
      const reserveIn = random.scale(0, 33);
      const reserveOut = random.scale(0, 33);
      const room = MAX_UINT112 - reserveIn;
      const amount = random.scale(0, 33);
      return { reserveIn, reserveOut, amount: amount > room ? room : amount };
    });
    cases.push(
      { reserveIn: 1n, reserveOut: 1n, amount: 1n },
      { reserveIn: 1n, reserveOut: MAX_UINT112, amount: MAX_UINT112 - 1n },
      { reserveIn: MAX_UINT112 - 1n, reserveOut: MAX_UINT112, amount: 1n },
    );
    await Promise.all(
      cases.map(async ({ reserveIn, reserveOut, amount }) => {
        const args = [amount, reserveIn, reserveOut];
        const out = await chain.call<bigint>(router, ROUTER.abi, 'getAmountOut', args);
        expect(constantProductOut(reserveIn, reserveOut, FEE, amount)).toBe(out);
        if (amount >= reserveOut) return;
        const asked = await chain.call<bigint>(router, ROUTER.abi, 'getAmountIn', args);
        const ours = constantProductIn(reserveIn, reserveOut, FEE, amount);
        if (typeof ours === 'bigint') expect(ours).toBe(asked);
        else expect(reserveIn + asked).toBeGreaterThan(MAX_UINT112);
      }),
    );
  });

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
