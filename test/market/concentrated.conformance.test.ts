// concentrated.ts against the published Uniswap v3: the quick run of its conformance (at length in
// test/e2e/conformance.test.ts), and pools with real positions, quoted by QuoterV2 in both directions,
// exact input and exact output, moved by real swaps in between, some of which stop exactly on a tick.

import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConcentratedState,
  concentratedIn,
  concentratedOut,
} from '../../solver/market/exact/concentrated.ts';
import { amount0Delta, amount1Delta } from '../../solver/market/exact/swapMath.ts';
import {
  MAX_SQRT_RATIO,
  MIN_SQRT_RATIO,
  sqrtRatioAtTick,
} from '../../solver/market/exact/tickMath.ts';
import { concentratedConformance } from './conformance/concentrated.ts';
import { startChain, type TestChain } from './helpers/anvil.ts';
import { seeded } from './helpers/random.ts';
import {
  ERC20,
  V3_FACTORY as FACTORY,
  V3_POOL as POOL,
  V3_QUOTER as QUOTER,
  v3Artifact,
} from './helpers/uniswap.ts';

const ROUTER = v3Artifact('v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter');
const MANAGER = v3Artifact(
  'v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager',
);
const TIERS = [
  { fee: 100, spacing: 1 },
  { fee: 500, spacing: 10 },
  { fee: 3000, spacing: 60 },
  { fee: 10_000, spacing: 200 },
] as const;
type Tier = (typeof TIERS)[number];
const DEADLINE = 2n ** 40n;
const QUOTES_PER_STATE = 10;
const ROUNDS = 4;
/** Amounts are drawn blindly: a narrow pool fits few, and takes more rounds to fit enough. */
const ROUNDS_MAX = 40;
const COMPARED_MIN = 16;

interface Case {
  readonly tier: Tier;
  readonly start: number;
  /** Liquidity of a position, powers of ten. */
  readonly size: readonly [number, number];
}

interface Pool {
  readonly tokens: readonly [Address, Address];
  readonly address: Address;
  readonly tier: Tier;
  readonly boundaries: ReadonlySet<number>;
}

concentratedConformance(500);

describe('concentrated against real Uniswap v3 positions', () => {
  let chain: TestChain;
  let factory: Address;
  let quoter: Address;
  let router: Address;
  let manager: Address;
  beforeAll(async () => {
    chain = await startChain();
    factory = await chain.deploy(FACTORY, []);
    await chain.send(factory, FACTORY.abi, 'enableFeeAmount', [100, 1]);
    quoter = await chain.deploy(QUOTER, [factory, factory]);
    router = await chain.deploy(ROUTER, [factory, factory]);
    manager = await chain.deploy(MANAGER, [factory, factory, factory]);
  });
  afterAll(() => chain?.stop());

  const random = seeded('uniswap v3');
  const cases: Case[] = TIERS.flatMap((tier): Case[] => [
    { tier, start: random.int(-60_000, 60_000), size: [8, 22] },
    { tier, start: random.int(-400_000, 400_000), size: [8, 30] },
  ]);
  const [, , third, fourth] = TIERS;
  cases.push({ tier: third, start: random.int(-560_000, -480_000), size: [6, 10] });
  cases.push({ tier: fourth, start: random.int(700_000, 880_000), size: [6, 10] });
  for (const { tier, start, size } of cases) {
    it(`property: fee ${tier.fee}, quotes and swaps equal to the wei (from tick ${start})`, async () => {
      const pool = await makePool(tier, start, size);
      let compared = 0;
      const wanting = (round: number) =>
        round < ROUNDS || (compared < COMPARED_MIN && round < ROUNDS_MAX);
      for (let round = 0; wanting(round); round++) {
        compared += await compareQuotes(pool);
        await moveByRealSwap(pool, round % 2 === 1);
      }
      compared += await compareQuotes(pool);
      expect(compared).toBeGreaterThanOrEqual(COMPARED_MIN);
    });
  }

  async function makeTokens(): Promise<readonly [Address, Address]> {
    const supply = 2n ** 250n;
    const made = [
      await chain.deploy(ERC20, [supply]),
      await chain.deploy(ERC20, [supply]),
    ] as const;
    for (const token of made) {
      for (const spender of [router, manager]) {
        await chain.send(token, ERC20.abi, 'approve', [spender, supply]);
      }
    }
    return BigInt(made[0]) < BigInt(made[1]) ? made : [made[1], made[0]];
  }

  /** A pool with up to eight positions: one very wide, others narrow, some away from the price. */
  async function makePool(
    tier: Tier,
    startTick: number,
    size: readonly [number, number],
  ): Promise<Pool> {
    const tokens = await makeTokens();
    await chain.send(factory, FACTORY.abi, 'createPool', [...tokens, tier.fee]);
    const args = [...tokens, tier.fee];
    const address = await chain.call<Address>(factory, FACTORY.abi, 'getPool', args);
    const low = sqrtRatioAtTick(startTick);
    const sqrtPrice = low + random.big(sqrtRatioAtTick(startTick + 1) - low);
    await chain.send(address, POOL.abi, 'initialize', [sqrtPrice]);
    const boundaries = new Set<number>();
    const { spacing } = tier;
    const centre = Math.round(startTick / spacing);
    const reach = Math.floor(887_272 / spacing);
    const widths = [reach * 2, 3, 40, 300, 600, 900, 5, 80].map((most) => random.int(1, most));
    for (const [i, width] of widths.entries()) {
      const shift = i < 5 ? -random.int(0, width) : random.int(-400, 400);
      const from = Math.max(-reach, centre + shift);
      const to = Math.min(reach, from + width);
      if (to <= from) continue;
      const range = [from * spacing, to * spacing] as const;
      await mint(tokens, tier, sqrtPrice, range, random.scale(...size));
      boundaries.add(from * spacing).add(to * spacing);
    }
    return { tokens, address, tier, boundaries };
  }

  async function mint(
    [token0, token1]: Pool['tokens'],
    tier: Tier,
    sqrtPrice: bigint,
    [lower, upper]: readonly [number, number],
    liquidity: bigint,
  ): Promise<void> {
    const [low, high] = [sqrtRatioAtTick(lower), sqrtRatioAtTick(upper)];
    const at = sqrtPrice < low ? low : sqrtPrice > high ? high : sqrtPrice;
    const position = {
      token0,
      token1,
      fee: tier.fee,
      tickLower: lower,
      tickUpper: upper,
      amount0Desired: amount0Delta(at, high, liquidity, true) + 10n,
      amount1Desired: amount1Delta(low, at, liquidity, true) + 10n,
      amount0Min: 0n,
      amount1Min: 0n,
      recipient: chain.sender,
      deadline: DEADLINE,
    };
    await chain.send(manager, MANAGER.abi, 'mint', [position]);
  }

  async function readState(pool: Pool): Promise<ConcentratedState> {
    const [sqrtPriceX96, tick] = await chain.call<readonly [bigint, number]>(
      pool.address,
      POOL.abi,
      'slot0',
      [],
    );
    const liquidity = await chain.call<bigint>(pool.address, POOL.abi, 'liquidity', []);
    const ordered = [...pool.boundaries].sort((a, b) => a - b);
    const infos = await Promise.all(
      ordered.map((at) =>
        chain.call<readonly [bigint, bigint]>(pool.address, POOL.abi, 'ticks', [at]),
      ),
    );
    const ticks = ordered
      .map((at, i) => ({ tick: at, gross: infos[i]?.[0] ?? 0n, liquidityNet: infos[i]?.[1] ?? 0n }))
      .filter(({ gross }) => gross > 0n)
      .map(({ tick: at, liquidityNet }) => ({ tick: at, liquidityNet }));
    const { fee, spacing } = pool.tier;
    return { sqrtPriceX96, tick, liquidity, feePips: fee, tickSpacing: spacing, ticks };
  }

  async function compareQuotes(pool: Pool): Promise<number> {
    const state = await readState(pool);
    const quotes = Array.from({ length: QUOTES_PER_STATE }, (_, i) => ({
      zeroForOne: i % 2 === 0,
      exactOutput: i % 3 === 2,
      amount: random.scale(0, 30),
    }));
    const checks = await Promise.all(quotes.map((quote) => compareQuote(pool, state, quote)));
    return checks.filter(Boolean).length;
  }

  /** Whether the trade fitted the pool; either way ours and the quoter's answer must agree. */
  async function compareQuote(
    pool: Pool,
    state: ConcentratedState,
    quote: { zeroForOne: boolean; exactOutput: boolean; amount: bigint },
  ): Promise<boolean> {
    const { zeroForOne, exactOutput, amount } = quote;
    const [tokenIn, tokenOut] = zeroForOne ? pool.tokens : [pool.tokens[1], pool.tokens[0]];
    const params = { tokenIn, tokenOut, fee: pool.tier.fee, sqrtPriceLimitX96: 0n };
    if (exactOutput) {
      const ours = concentratedIn(state, zeroForOne, amount);
      const theirs = await chain
        .call<readonly [bigint, bigint]>(quoter, QUOTER.abi, 'quoteExactOutputSingle', [
          { ...params, amount },
        ])
        .catch(() => null);
      if ('refused' in ours) expect(theirs).toBeNull();
      else expect([ours.amountIn, ours.sqrtPriceX96After]).toEqual(theirs?.slice(0, 2));
      if (!('refused' in ours)) resell(state, zeroForOne, ours.amountIn, amount);
      return !('refused' in ours);
    }
    const ours = concentratedOut(state, zeroForOne, amount);
    const theirs = await chain
      .call<readonly [bigint, bigint]>(quoter, QUOTER.abi, 'quoteExactInputSingle', [
        { ...params, amountIn: amount },
      ])
      .catch(() => null);
    if (!('refused' in ours)) {
      expect([ours.amountOut, ours.sqrtPriceX96After]).toEqual(theirs?.slice(0, 2));
      return true;
    }
    // The pool did not take it all: it walked without liquidity to the end of all prices, and the
    // quoter reverts when it took nothing at all.
    if (theirs !== null)
      expect(theirs[1]).toBe(zeroForOne ? MIN_SQRT_RATIO + 1n : MAX_SQRT_RATIO - 1n);
    return false;
  }

  /** Selling what an exact output costs buys at least that output. */
  function resell(state: ConcentratedState, zeroForOne: boolean, amountIn: bigint, least: bigint) {
    const sold = concentratedOut(state, zeroForOne, amountIn);
    if ('refused' in sold) throw new Error(`refused ${amountIn}: ${sold.message}`);
    expect(sold.amountOut).toBeGreaterThanOrEqual(least);
  }

  async function moveByRealSwap(pool: Pool, toTick: boolean): Promise<void> {
    const state = await readState(pool);
    const zeroForOne = random.chance(0.5);
    const [tokenIn, tokenOut] = zeroForOne ? pool.tokens : [pool.tokens[1], pool.tokens[0]];
    const ahead = state.ticks.filter(({ tick }) =>
      zeroForOne ? tick <= state.tick : tick > state.tick,
    );
    const stop = (zeroForOne ? ahead.at(-1) : ahead[0])?.tick;
    const stopPrice = stop === undefined ? 0n : sqrtRatioAtTick(stop);
    // A position may end at the outermost tick (spacing 1), a swap may not: the pool reverts with SPL.
    const reachable = stopPrice > MIN_SQRT_RATIO && stopPrice < MAX_SQRT_RATIO;
    const limit = toTick && reachable ? stopPrice : 0n;
    if (limit === state.sqrtPriceX96) return;
    const amountIn = limit === 0n ? random.scale(3, 20) : 2n ** 200n;
    const expected = limit === 0n ? concentratedOut(state, zeroForOne, amountIn) : null;
    if (expected !== null && 'refused' in expected) return;
    const balance = () => chain.call<bigint>(tokenOut, ERC20.abi, 'balanceOf', [chain.sender]);
    const before = await balance();
    const params = {
      tokenIn,
      tokenOut,
      fee: pool.tier.fee,
      recipient: chain.sender,
      deadline: DEADLINE,
      amountIn,
      amountOutMinimum: 0n,
      sqrtPriceLimitX96: limit,
    };
    await chain.send(router, ROUTER.abi, 'exactInputSingle', [params]);
    const after = await readState(pool);
    if (expected === null) {
      expect(after.sqrtPriceX96).toBe(limit);
      return;
    }
    expect((await balance()) - before).toBe(expected.amountOut);
    expect(after.sqrtPriceX96).toBe(expected.sqrtPriceX96After);
  }
});
