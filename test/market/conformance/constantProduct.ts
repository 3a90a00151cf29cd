// constantProduct.ts against the published Uniswap v2 router's getAmountOut and getAmountIn, which
// are what its swaps use, on random states.

import { type Address, encodeFunctionData } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  constantProductIn,
  constantProductOut,
} from '../../../solver/market/exact/constantProduct.ts';
import { present } from '../../../solver/types/assert.ts';
import { startChain, type TestChain } from '../helpers/anvil.ts';
import { type Answer, type Batcher, batcher, inBatches } from '../helpers/manyCalls.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { V2_FACTORY, V2_ROUTER } from '../helpers/uniswap.ts';

const MAX_UINT112 = 2n ** 112n - 1n;
/** The fee of the published contracts. */
const FEE_PIPS = 3000;

interface Case {
  readonly exactOutput: boolean;
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
  readonly amount: bigint;
}

const EXTREMES: readonly (readonly [bigint, bigint, bigint])[] = [
  [1n, 1n, 1n],
  [1n, MAX_UINT112, MAX_UINT112 - 1n],
  [MAX_UINT112 - 1n, MAX_UINT112, 1n],
  [MAX_UINT112, MAX_UINT112, MAX_UINT112],
];

export function constantProductConformance(cases: number): void {
  describe('constantProduct against Uniswap v2', () => {
    let chain: TestChain;
    let router: Address;
    let calls: Batcher;
    beforeAll(async () => {
      chain = await startChain();
      const factory = await chain.deploy(V2_FACTORY, [chain.sender]);
      router = await chain.deploy(V2_ROUTER, [factory, factory]);
      calls = await batcher(chain);
    });
    afterAll(() => chain?.stop());

    it(`property: ${cases} random states, both ways, equal the router to the wei`, async () => {
      const random = seeded('uniswap v2 states');
      const all = Array.from({ length: cases }, (_, i): Case[] => {
        const [reserveIn, reserveOut, amount] = EXTREMES[i] ?? [
          randomReserve(random),
          randomReserve(random),
          null,
        ];
        const state = { reserveIn, reserveOut };
        return [
          { ...state, exactOutput: false, amount: amount ?? randomAmount(random, reserveIn) },
          { ...state, exactOutput: true, amount: amount ?? randomAmount(random, reserveOut) },
        ];
      });
      const wrong: string[] = [];
      let traded = 0;
      await inBatches(all.flat(), 2000, async (batch) => {
        const answers = await answersOf(calls, router, batch);
        batch.forEach((trade, i) => {
          const answer = present(answers[i], 'answer');
          if (answer.success) traded++;
          const different = difference(trade, answer);
          if (different !== null) wrong.push(different);
        });
      });
      expect(wrong.slice(0, 3)).toEqual([]);
      expect(traded).toBeGreaterThan(cases);
    });
  });
}

/**
 * The router divides by zero when asked for a whole reserve, and the Solidity of its day then burns
 * all gas it is given: those calls go alone.
 */
async function answersOf(
  calls: Batcher,
  router: Address,
  trades: readonly Case[],
): Promise<readonly Answer[]> {
  const burns = (trade: Case) => trade.exactOutput && trade.amount === trade.reserveOut;
  const together = trades.filter((trade) => !burns(trade));
  const answers = await calls.runAll(together.map((trade) => toCall(router, trade)));
  const found = new Map(together.map((trade, i) => [trade, present(answers[i], 'answer')]));
  for (const trade of trades.filter(burns)) {
    const [answer] = await calls.run([toCall(router, trade)]);
    found.set(trade, present(answer, 'answer'));
  }
  return trades.map((trade) => present(found.get(trade), 'answer'));
}

const smaller = (a: bigint, b: bigint) => (a < b ? a : b);

const randomReserve = (random: Random) =>
  random.chance(0.1) ? BigInt(random.int(1, 50)) : smaller(random.scale(0, 33.7), MAX_UINT112);

/** Dust, a part of the reserve, all of it give or take a unit, or anything. */
function randomAmount(random: Random, reserve: bigint): bigint {
  const style = random.unit();
  let amount: bigint;
  if (style < 0.15) amount = BigInt(random.int(1, 20));
  else if (style < 0.7) amount = (reserve * 10n ** 12n) / random.scale(12, 24);
  else if (style < 0.85) amount = reserve + BigInt(random.int(-2, 2));
  else amount = random.scale(0, 34);
  return amount < 1n ? 1n : amount;
}

function toCall(router: Address, { exactOutput, reserveIn, reserveOut, amount }: Case) {
  const data = encodeFunctionData({
    abi: V2_ROUTER.abi,
    functionName: exactOutput ? 'getAmountIn' : 'getAmountOut',
    args: [amount, reserveIn, reserveOut],
  });
  return { to: router, data };
}

/** The pair's limit of 112 bits is ours to refuse: the router's formulas do not know it. */
function difference(trade: Case, { success, returnData }: Answer): string | null {
  const { exactOutput, reserveIn, reserveOut, amount } = trade;
  const answer = exactOutput ? constantProductIn : constantProductOut;
  const ours = answer(reserveIn, reserveOut, FEE_PIPS, amount);
  const theirs = success ? BigInt(returnData) : null;
  if (ours === theirs) return null;
  if (typeof ours !== 'bigint') {
    if (theirs === null) return null;
    const amountIn = exactOutput ? theirs : amount;
    if (ours.refused === 'amountTooLarge' && reserveIn + amountIn > MAX_UINT112) return null;
  }
  return JSON.stringify({ trade, ours, theirs }, (_, item) =>
    typeof item === 'bigint' ? item.toString() : item,
  );
}
