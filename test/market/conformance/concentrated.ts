// concentrated.ts against the published Uniswap v3: QuoterV2 runs the pool's own swap on random
// states laid into its storage, exact input and exact output at each, both directions.

import { type Address, decodeFunctionResult, encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConcentratedState,
  type ConcentratedTrade,
  concentratedIn,
  concentratedOut,
} from '../../../solver/market/exact/concentrated.ts';
import type { TradeRefusal } from '../../../solver/market/exact/refusals.ts';
import { amount0Delta, amount1Delta } from '../../../solver/market/exact/swapMath.ts';
import {
  MAX_SQRT_RATIO,
  MAX_TICK,
  MIN_SQRT_RATIO,
  sqrtRatioAtTick,
} from '../../../solver/market/exact/tickMath.ts';
import { present } from '../../../solver/types/assert.ts';
import { startChain, type TestChain } from '../helpers/anvil.ts';
import { type Answer, type Batcher, batcher, inBatches } from '../helpers/manyCalls.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { ERC20, poolStorage, V3_FACTORY, V3_POOL, V3_QUOTER } from '../helpers/uniswap.ts';

/** Uniswap's four tiers, and pairs of fee and spacing that other factories could enable. */
const TIERS = [
  { fee: 100, spacing: 1 },
  { fee: 500, spacing: 10 },
  { fee: 3000, spacing: 60 },
  { fee: 10_000, spacing: 200 },
  { fee: 0, spacing: 7 },
  { fee: 2500, spacing: 50 },
  { fee: 250_000, spacing: 8000 },
  { fee: 999_999, spacing: 16_383 },
] as const;
type Tier = (typeof TIERS)[number];
const SUPPLY = 2n ** 250n;

/** Calls under way together: the node takes requests of two megabytes. */
const AT_ONCE = 16;

/** How many cases are made to overflow. */
const OVERFLOWS = 20;

interface MarketPool {
  readonly tier: Tier;
  readonly address: Address;
}

interface Market {
  readonly tokens: readonly [Address, Address];
  readonly quoter: Address;
  readonly pools: readonly MarketPool[];
}

interface Quote {
  readonly zeroForOne: boolean;
  readonly exactOutput: boolean;
  readonly amount: bigint;
}

interface Case {
  readonly pool: MarketPool;
  readonly state: ConcentratedState;
  readonly quotes: readonly Quote[];
}

export function concentratedConformance(cases: number): void {
  describe('concentrated against Uniswap v3', () => {
    let chain: TestChain;
    let market: Market;
    let calls: Batcher;
    beforeAll(async () => {
      chain = await startChain();
      market = await deployMarket(chain);
      calls = await batcher(chain);
    });
    afterAll(() => chain?.stop());

    it(`property: ${cases} random states, both ways, equal QuoterV2 to the wei`, async () => {
      const random = seeded('uniswap v3 states');
      const all = Array.from({ length: cases }, (_, i) =>
        i < OVERFLOWS ? overflowing(random, market) : randomCase(random, random.pick(market.pools)),
      );
      const wrong: string[] = [];
      let traded = 0;
      await inBatches(all, AT_ONCE, async (batch) => {
        const answers = await Promise.all(batch.map((one) => ask(calls, market, one)));
        batch.forEach(({ state, quotes }, i) => {
          quotes.forEach((quote, k) => {
            const ours = ourAnswer(state, quote);
            if (!('refused' in ours)) traded++;
            if (agree(quote, ours, present(answers[i]?.[k], 'answer'))) return;
            wrong.push(toText({ state, quote, ours }));
          });
        });
      });
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(traded).toBeGreaterThan(cases);
    }, 600_000);
  });
}

/** One random state: an exact input and an exact output, each in a random direction. */
function randomCase(random: Random, pool: MarketPool): Case {
  const state = randomState(random, pool.tier);
  const quotes = [false, true].map((exactOutput): Quote => {
    const zeroForOne = random.chance(0.5);
    return {
      zeroForOne,
      exactOutput,
      amount: randomAmount(random, state, zeroForOne, exactOutput),
    };
  });
  return { pool, state, quotes };
}

/** Deep, wide and priced high: input times price exceeds 256 bits, and a coarser formula is used. */
function overflowing(random: Random, { pools }: Market): Case {
  const pool = present(
    pools.find(({ tier }) => tier.spacing === 8000),
    'wide pool',
  );
  const liquidity = 2n ** 124n;
  const state = {
    ...priceIn(random, random.int(840_000, 870_000), false),
    liquidity,
    feePips: pool.tier.fee,
    tickSpacing: pool.tier.spacing,
    ticks: [
      { tick: -880_000, liquidityNet: liquidity },
      { tick: 880_000, liquidityNet: -liquidity },
    ],
  };
  const amount = 2n ** 101n + random.big(2n ** 105n);
  return { pool, state, quotes: [{ zeroForOne: true, exactOutput: false, amount }] };
}

/** Both quotes of a case in one call, the state pretended. */
function ask(calls: Batcher, market: Market, { pool, state, quotes }: Case) {
  return calls.run(
    quotes.map((quote) => toCall(market, pool.tier, quote)),
    { [pool.address]: { stateDiff: poolStorage(state) } },
  );
}

function ourAnswer(state: ConcentratedState, { exactOutput, zeroForOne, amount }: Quote) {
  return (exactOutput ? concentratedIn : concentratedOut)(state, zeroForOne, amount);
}

async function deployMarket(chain: TestChain): Promise<Market> {
  const made = [
    await chain.deploy(ERC20, [SUPPLY * 16n]),
    await chain.deploy(ERC20, [SUPPLY * 16n]),
  ] as const;
  const tokens: Market['tokens'] = BigInt(made[0]) < BigInt(made[1]) ? made : [made[1], made[0]];
  const factory = await chain.deploy(V3_FACTORY, []);
  const quoter = await chain.deploy(V3_QUOTER, [factory, factory]);
  const pools: { tier: Tier; address: Address }[] = [];
  for (const tier of TIERS) {
    const enabled = await chain.call<number>(factory, V3_FACTORY.abi, 'feeAmountTickSpacing', [
      tier.fee,
    ]);
    if (enabled === 0) {
      await chain.send(factory, V3_FACTORY.abi, 'enableFeeAmount', [tier.fee, tier.spacing]);
    }
    const address = await chain.create<Address>(factory, V3_FACTORY.abi, 'createPool', [
      ...tokens,
      tier.fee,
    ]);
    await chain.send(address, V3_POOL.abi, 'initialize', [2n ** 96n]);
    for (const token of tokens) await chain.send(token, ERC20.abi, 'transfer', [address, SUPPLY]);
    pools.push({ tier, address });
  }
  return { tokens, quoter, pools };
}

/** Up to ten positions around a random price; the price anywhere in its tick, or exactly on it. */
function randomState(random: Random, { fee, spacing }: Tier): ConcentratedState {
  const reach = Math.floor(MAX_TICK / spacing);
  const far = random.chance(0.1);
  const centre = far
    ? random.int(-reach, reach)
    : random.int(-Math.ceil(reach / 12), Math.ceil(reach / 12));
  const nets = new Map<number, bigint>();
  const add = (at: number, net: bigint) => nets.set(at, (nets.get(at) ?? 0n) + net);
  for (let k = random.int(0, 10); k > 0; k--) {
    const width = random.int(1, random.pick([1, 4, 60, 600]));
    const from = Math.max(-reach, centre - random.int(-5, width + 5));
    const to = Math.min(reach, from + width);
    if (to <= from) continue;
    const liquidity = random.scale(0, random.pick([6, 20, 34, 37.4]));
    add(from * spacing, liquidity);
    add(to * spacing, -liquidity);
  }
  const ticks = [...nets]
    .map(([tick, liquidityNet]) => ({ tick, liquidityNet }))
    .sort((a, b) => a.tick - b.tick);
  const onTick = ticks.length > 0 && random.chance(0.25);
  const tick = onTick
    ? random.pick(ticks).tick
    : Math.min(MAX_TICK - 1, Math.max(-MAX_TICK, centre * spacing + random.int(-spacing, spacing)));
  const price = priceIn(random, Math.min(tick, MAX_TICK - 1), onTick);
  const liquidity = ticks
    .filter((at) => at.tick <= price.tick)
    .reduce((sum, { liquidityNet }) => sum + liquidityNet, 0n);
  return { ...price, liquidity, feePips: fee, tickSpacing: spacing, ticks };
}

/** A price of this tick; on a boundary also as a swap downwards leaves it, one tick lower. */
function priceIn(random: Random, tick: number, onTick: boolean) {
  const low = sqrtRatioAtTick(tick);
  if (!onTick) {
    return { tick, sqrtPriceX96: low + random.big(sqrtRatioAtTick(tick + 1) - low) };
  }
  const stoppedFalling = random.chance(0.5) && tick > -MAX_TICK;
  return { tick: stoppedFalling ? tick - 1 : tick, sqrtPriceX96: low };
}

/** Anything from one unit up; often about what moves the price to some tick of the list. */
function randomAmount(
  random: Random,
  state: ConcentratedState,
  zeroForOne: boolean,
  exactOutput: boolean,
): bigint {
  if (state.ticks.length === 0 || random.chance(0.3)) return random.scale(0, 30);
  const goal = sqrtRatioAtTick(random.pick(state.ticks).tick);
  const trade = zeroForOne === exactOutput ? amount1Delta : amount0Delta;
  const between = trade(goal, state.sqrtPriceX96, state.liquidity, true);
  const fee = exactOutput ? 0 : state.feePips;
  const whole = (between * 1_000_000n) / BigInt(1_000_000 - fee);
  const amount = random.chance(0.5)
    ? whole + BigInt(random.int(-2, 2))
    : (whole * 10n ** 6n) / random.scale(5.7, 12);
  return amount < 1n ? BigInt(random.int(1, 100)) : amount;
}

function toCall({ tokens, quoter }: Market, { fee }: Tier, quote: Quote) {
  const [tokenIn, tokenOut] = quote.zeroForOne ? tokens : [tokens[1], tokens[0]];
  const amount = quote.exactOutput ? { amount: quote.amount } : { amountIn: quote.amount };
  const data = encodeFunctionData({
    abi: V3_QUOTER.abi,
    functionName: functionOf(quote),
    args: [{ tokenIn, tokenOut, fee, sqrtPriceLimitX96: 0n, ...amount }],
  });
  return { to: quoter, data };
}

const functionOf = ({ exactOutput }: Quote) =>
  exactOutput ? 'quoteExactOutputSingle' : 'quoteExactInputSingle';

function agree(
  quote: Quote,
  ours: ConcentratedTrade | TradeRefusal,
  { success, returnData }: Answer,
): boolean {
  const theirs = success ? decoded(quote, returnData) : null;
  if (!('refused' in ours)) {
    const amount = quote.exactOutput ? ours.amountIn : ours.amountOut;
    return theirs !== null && theirs[0] === amount && theirs[1] === ours.sqrtPriceX96After;
  }
  // What ours refuses, the pool does not take entirely: it walks without liquidity to the end of all
  // prices. The quoter then reverts for an exact output, and answers for the part of an input.
  if (theirs === null) return true;
  const end = quote.zeroForOne ? MIN_SQRT_RATIO + 1n : MAX_SQRT_RATIO - 1n;
  return !quote.exactOutput && theirs[1] === end;
}

function decoded(quote: Quote, data: Hex): readonly [bigint, bigint] {
  return decodeFunctionResult({
    abi: V3_QUOTER.abi,
    functionName: functionOf(quote),
    data,
  }) as unknown as readonly [bigint, bigint];
}

const toText = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item));
