// A bid over orders that net, over the desk's small world: opposite orders at uniform prices, funded by
// one inventory; nothing where nothing nets or nothing can be paid.

import { describe, expect, it } from 'vitest';
import { hashOrder, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { nodeIdOf } from '../../solver/market/snapshot.ts';
import { present } from '../../solver/types/assert.ts';
import { type ChainId, evmAddress, orderId, toBytes32Address } from '../../solver/types/ids.ts';
import { AUCTIONEER, CHAINS, NOW, OWNER, tokenAddress, units } from '../quoting/world.ts';
import { makeDesk } from './world.ts';

const [A, B] = CHAINS as [ChainId, ChainId, ChainId];
const ZERO = evmAddress(`0x${'0'.repeat(40)}`);

interface Side {
  readonly chain: ChainId;
  readonly symbol: string;
  readonly amount: bigint;
}

/** Gives one token for another at a signed minimum. */
function swap(nonce: bigint, give: Side, want: Side) {
  const order: PortfolioOrder = {
    ...{ owner: OWNER, nonce, openDeadline: NOW + 60, fillDeadline: NOW + 180, expiry: NOW + 900 },
    auctioneer: AUCTIONEER,
    targets: `0x${'0'.repeat(64)}`,
    origins: [
      {
        ...{ chainId: BigInt(give.chain), settler: ZERO, oracle: ZERO },
        inputs: [{ token: tokenAddress(give.chain, give.symbol), amount: give.amount }],
      },
    ],
    outputs: [
      {
        ...{ oracle: toBytes32Address(ZERO), settler: toBytes32Address(ZERO) },
        ...{ chainId: BigInt(want.chain), amount: want.amount },
        token: toBytes32Address(tokenAddress(want.chain, want.symbol)),
        recipient: toBytes32Address(OWNER),
        ...{ callbackData: '0x', context: '0x' },
      },
    ],
  };
  return { orderId: orderId(hashOrder(order)), order };
}

const weth = (chain: ChainId, whole: number) => ({
  ...{ chain, symbol: 'WETH' },
  amount: units('WETH', whole),
});
const usdc = (chain: ChainId, whole: number) => ({
  ...{ chain, symbol: 'USDC' },
  amount: units('USDC', whole),
});

describe('bidBatch', () => {
  it('default: opposite orders over two chains: one bid for both, above both minimums', async () => {
    const { desk, world } = makeDesk();
    const market = present(world.markets.get(A), 'market');
    const feed = present(market.feeds.get(tokenAddress(A, 'WETH')), 'feed');
    const dollars = Number(feed.answer) / 10 ** feed.decimals;
    const least = Math.floor(dollars * 10 * 0.99);
    const sell = swap(1n, weth(A, 10), usdc(B, least));
    const buy = swap(2n, usdc(B, Math.ceil(dollars * 10)), { ...weth(A, 9.9) });
    const orders = [sell, buy].sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
    const batch = present(await desk.bidBatch(orders), 'a batch');
    expect(batch.items.map((item) => item.orderId)).toEqual(orders.map((o) => o.orderId));
    for (const { orderId: id, amounts } of batch.items) {
      const { order } = present(
        orders.find((o) => o.orderId === id),
        'the order',
      );
      expect(amounts[0]).toBeGreaterThan(present(order.outputs[0], 'output').amount);
      expect(batch.orders[id]?.reserves).toBeDefined();
    }
    expect(batch.netting).toHaveProperty('deskProfit');
  });

  it('behavior: orders the same way do not net; too much reserved pays for none', async () => {
    const setting = makeDesk();
    const same = [swap(1n, weth(A, 1), usdc(B, 100)), swap(2n, weth(A, 2), usdc(B, 200))];
    expect(await setting.desk.bidBatch(same)).toBeNull();
    expect(await setting.desk.bidBatch(same.slice(0, 1))).toBeNull();
    const all = CHAINS.flatMap((chain) => ['WETH', 'USDC'].map((s) => nodeIdOf(chain, s)));
    setting.liveBids.push({
      orderIds: [orderId(`0x${'7'.repeat(64)}`)],
      reserves: Object.fromEntries(all.map((node) => [node, `${10n ** 40n}`])),
    });
    const opposite = [swap(1n, weth(A, 1), usdc(B, 100)), swap(2n, usdc(B, 9_000), weth(A, 1))];
    expect(await setting.desk.bidBatch(opposite)).toBeNull();
  });
});
