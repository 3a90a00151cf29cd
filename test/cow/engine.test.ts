// CoW's solver engine: orders over a recorded mainnet auction's liquidity, in the driver's schema, judged
// by the driver's rules.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wasmPath } from '../../api/cli/build.ts';
import { systemClock } from '../../solver/adapters/clock.ts';
import { createCowEngine } from '../../solver/cow/engine.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { InvalidInput } from '../../solver/types/errors.ts';
import { addressOf, driverAuction, driverFaults, surplusOf, type Wish } from './driver.ts';

const core = createEngine(readFileSync(wasmPath));
const engine = createCowEngine({
  solve: async (problem) => core.solve(problem),
  clock: systemClock,
});
const soon = () => Date.now() + 30_000;

// biome-ignore lint/suspicious/noExplicitAny: a foreign document
const solve = async (auction: any): Promise<any> => engine.solve(auction);

interface Pool {
  readonly kind: string;
}

const sale: Wish = { sell: 'WETH', buy: 'USDC', eth: 10, slackBps: 100 };

describe('cow engine', () => {
  it('default', async () => {
    const auction = driverAuction({ deadlineMs: soon(), orders: [sale] });
    const { solutions } = await solve(auction);
    expect(solutions).toHaveLength(1);
    expect(driverFaults(auction, solutions[0])).toEqual([]);
    expect(surplusOf(auction, solutions[0])).toBeGreaterThan(0n);
    const [trade] = solutions[0].trades;
    // A limit order pays for its gas in what it sells.
    expect(BigInt(trade.fee)).toBeGreaterThanOrEqual(BigInt(solutions[0].gas) * 15_000_000_000n);
    expect(BigInt(trade.executedAmount) + BigInt(trade.fee)).toBe(10n * 10n ** 18n);
  });

  it('behavior: buys exactly, sells in part, charges market orders nothing', async () => {
    const orders: Wish[] = [
      { sell: 'USDT', buy: 'WETH', eth: 5, slackBps: 150, kind: 'buy' },
      { sell: 'WETH', buy: 'LINK', eth: 3_000, slackBps: 300, partial: true },
      { sell: 'DAI', buy: 'WBTC', eth: 8, slackBps: 120, class: 'market' },
    ];
    const auction = driverAuction({ deadlineMs: soon(), orders });
    const { solutions } = await solve(auction);
    const of = (i: number) =>
      solutions.find(({ trades }: { trades: readonly { order: string }[] }) => {
        return trades.length === 1 && trades[0]?.order === auction.orders[i].uid;
      });
    for (const solution of solutions) expect(driverFaults(auction, solution)).toEqual([]);
    expect(of(0).trades[0].executedAmount).toBe(auction.orders[0].buyAmount);
    const part = BigInt(of(1).trades[0].executedAmount);
    expect(part > 0n && part < BigInt(auction.orders[1].sellAmount)).toBe(true);
    expect(of(2).trades[0].fee).toBeUndefined();
    expect(of(2).trades[0].executedAmount).toBe(auction.orders[2].sellAmount);
  });

  it('behavior: opposite orders net at uniform prices, beside each alone', async () => {
    const orders: Wish[] = [
      { sell: 'WETH', buy: 'USDC', eth: 40, slackBps: 100 },
      { sell: 'USDC', buy: 'WETH', eth: 38, slackBps: 100 },
      { sell: 'USDC', buy: 'WBTC', eth: 12, slackBps: 100 },
      { sell: 'WBTC', buy: 'WETH', eth: 9, slackBps: 100, partial: true },
    ];
    const auction = driverAuction({ deadlineMs: soon(), orders });
    const { solutions } = await solve(auction);
    for (const solution of solutions) expect(driverFaults(auction, solution)).toEqual([]);
    const [batch, ...singles] = solutions;
    expect(singles).toHaveLength(4);
    expect(batch.trades).toHaveLength(4);
    // What is netted needs no pool: together they trade less on venues than one by one.
    const volume = (list: readonly unknown[]) =>
      list.reduce(
        // biome-ignore lint/suspicious/noExplicitAny: a foreign document
        (sum: bigint, { interactions }: any) =>
          interactions.reduce(
            // biome-ignore lint/suspicious/noExplicitAny: a foreign document
            (worth: bigint, { inputToken, inputAmount }: any) =>
              worth + BigInt(inputAmount) * BigInt(auction.tokens[inputToken].referencePrice),
            sum,
          ),
        0n,
      );
    expect(volume([batch]) * 2n).toBeLessThan(volume(singles));
  });

  it("behavior: Balancer's scaling factors read the same either way round", async () => {
    const orders: Wish[] = [{ sell: 'USDC', buy: 'QNT', eth: 0.5, slackBps: 900 }];
    const of = async (inverseScaling: boolean) => {
      const auction = driverAuction({ deadlineMs: soon(), orders, inverseScaling });
      // A rate's inverse is no finite decimal.
      const { liquidity } = auction;
      return solve({
        ...auction,
        liquidity: liquidity.filter((pool: Pool) => pool.kind !== 'stable'),
      });
    };
    const [plain, inverse] = [await of(false), await of(true)];
    expect(plain.solutions).toHaveLength(1);
    expect(inverse).toEqual(plain);
  });

  it('behavior: says nothing where nothing can be done', async () => {
    const far = driverAuction({ deadlineMs: soon(), orders: [{ ...sale, slackBps: -200 }] });
    expect(await solve(far)).toEqual({ solutions: [] });
    const late = driverAuction({ deadlineMs: Date.now() - 1_000, orders: [sale] });
    expect(await solve(late)).toEqual({ solutions: [] });
    const unpriced = driverAuction({ deadlineMs: soon(), orders: [sale] });
    for (const token of Object.values<{ referencePrice?: string }>(unpriced.tokens)) {
      delete token.referencePrice;
    }
    expect(await solve(unpriced)).toEqual({ solutions: [] });
  });

  it('behavior: leaves out liquidity it cannot represent, and members it does not know', async () => {
    const auction = driverAuction({ deadlineMs: soon(), orders: [sale] });
    const expected = await solve(auction);
    auction.liquidity.push(
      { kind: 'somethingNew', id: 'x', gasEstimate: '1', address: 'y' },
      {
        kind: 'constantProduct',
        id: 'empty',
        gasEstimate: '1',
        tokens: { [addressOf('WETH')]: { balance: '0' }, [addressOf('USDC')]: { balance: '0' } },
        fee: '0.003',
      },
    );
    auction.orders[0].flashloanHint = { lender: 'z' };
    auction.later = true;
    expect(await solve(auction)).toEqual(expected);
  });

  it('error: what it reads it reads strictly, with the place', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: a foreign document
    const cases: readonly (readonly [string, (auction: any) => unknown])[] = [
      ['', () => []],
      ['/tokens', (a) => ({ ...a, tokens: 7 })],
      ['/orders/0/sellAmount', (a) => ({ ...a, orders: [{ ...a.orders[0], sellAmount: '0' }] })],
      ['/orders/0/kind', (a) => ({ ...a, orders: [{ ...a.orders[0], kind: 'swap' }] })],
      ['/orders/0/sellToken', (a) => ({ ...a, orders: [{ ...a.orders[0], sellToken: 'ETH' }] })],
      ['/effectiveGasPrice', (a) => ({ ...a, effectiveGasPrice: -1 })],
      ['/deadline', (a) => ({ ...a, deadline: 'tomorrow' })],
      ['/liquidity/0/id', (a) => ({ ...a, liquidity: [{ kind: 'constantProduct' }] })],
    ];
    for (const [pointer, change] of cases) {
      const auction = driverAuction({ deadlineMs: soon(), orders: [sale] });
      const answer = engine.solve(change(auction));
      await expect(answer).rejects.toThrow(InvalidInput);
      await expect(answer).rejects.toMatchObject({
        pointer: pointer === '' ? expect.any(String) : pointer,
      });
    }
  });
});
