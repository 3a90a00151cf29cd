// Markets that turn against the filler between its word and its fill: what it gives back while that
// is free, and what it never pays.

import { describe, expect, it } from 'vitest';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder } from '../../contracts-abi/typedData.ts';
import { planChain } from '../../solver/filling/plan.ts';
import { nodeIdOf } from '../../solver/market/snapshot.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { type ChainId, evmAddress, orderId } from '../../solver/types/ids.ts';
import type { StoredOrder } from '../../solver/types/store.ts';
import { balanced, CHAINS, tokenAddress, units } from '../quoting/world.ts';
import { type DeskWorld, engine, makeDesk, marketOf } from './world.ts';

const [A] = CHAINS as [ChainId, ChainId, ChainId];

async function quotedOrder(setting: DeskWorld) {
  const quote = await setting.world.quoter.quote(balanced);
  if (isRefusal(quote)) throw new Error(quote.message);
  const stored = present(setting.world.stored.at(-1), 'the stored quote');
  const order = orderFromJson(stored.order);
  const amounts = stored.quotedAmounts.map(BigInt);
  return { order, quote: { amounts, result: stored.result }, orderId: orderId(hashOrder(order)) };
}

/** Multiplies the feed of one token on one chain. */
function moveFeed({ world }: DeskWorld, chain: ChainId, token: string, num: bigint, den: bigint) {
  const market = present(world.markets.get(chain), 'market');
  const address = evmAddress(token);
  const feed = present(market.feeds.get(address), 'feed');
  const moved = { ...feed, answer: (feed.answer * num) / den };
  market.feeds = new Map(market.feeds).set(address, moved);
}

describe('purchases', () => {
  const buy = (setting: DeskWorld) =>
    planChain({
      engine,
      market: marketOf(setting.world, A),
      free: new Map([[nodeIdOf(A, 'USDC'), units('USDC', 400_000)]]),
      needs: new Map([[nodeIdOf(A, 'WETH'), units('WETH', 2)]]),
      hints: new Map(),
    });

  it('attack: a pool pushed far above the feed sells us nothing', () => {
    expect(isRefusal(buy(makeDesk()))).toBe(false);
    const setting = makeDesk();
    // The pool asks twice what the token is worth.
    moveFeed(setting, A, tokenAddress(A, 'WETH'), 1n, 2n);
    expect(buy(setting)).toMatchObject({ refused: 'insufficientInventory' });
  });
});

describe('desk.reconsider', () => {
  it('default: an award in a market that stands still is kept', async () => {
    const setting = makeDesk();
    const { order, quote, orderId: id } = await quotedOrder(setting);
    const request = { orderId: id, order, amounts: quote.amounts, quote };
    expect(await setting.desk.reconsider(request)).toBeNull();
  });

  it('attack: outputs that rose after the award are given back, not delivered', async () => {
    const setting = makeDesk();
    const { order, quote, orderId: id } = await quotedOrder(setting);
    // The pools have moved with the feeds: they sell nothing at the old price any more.
    for (const market of setting.world.markets.values()) market.pools = [];
    for (const output of order.outputs) {
      const chain = Number(output.chainId) as ChainId;
      moveFeed(setting, chain, `0x${output.token.slice(26)}`, 11n, 10n);
    }
    const request = { orderId: id, order, amounts: quote.amounts, quote };
    expect(await setting.desk.reconsider(request)).toMatchObject({ refused: 'marketMoved' });
    // What a stranger has delivered already costs us nothing.
    const nothing = quote.amounts.map(() => 0n);
    expect(await setting.desk.reconsider({ ...request, amounts: nothing })).toBeNull();
  });
});

describe('desk.reserved', () => {
  it('behavior: a chain whose fill is final holds nothing back, a moved plan what it says', async () => {
    const setting = makeDesk();
    const { orderId: id } = await quotedOrder(setting);
    const other = orderId(`0x${'5'.repeat(64)}`);
    const reserves = { [`${A}:USDC`]: '7', '99:USDC': '5' };
    const facts = { reserves, 'tx:fill:99': 'final' };
    setting.inFlight.push({ orderId: other, facts } as unknown as StoredOrder);
    expect(await setting.desk.reserved([id])).toEqual(new Map([[`${A}:USDC`, 7n]]));
    expect(await setting.desk.reserved([other])).toEqual(new Map());
  });
});
