// The desk: what it pays with, what it sends, what it bids and what it made, over a small world of
// real pool math and the real core.

import { decodeFunctionData, encodeAbiParameters, erc20Abi, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import { outputSettlerAbi } from '../../contracts-abi/abi/outputSettler.ts';
import { routeExecutorAbi } from '../../contracts-abi/abi/routeExecutor.ts';
import { orderFromJson } from '../../contracts-abi/orderJson.ts';
import { hashAward, hashOrder, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { routesOf } from '../../solver/filling/deskCalls.ts';
import { freeInventory } from '../../solver/filling/inventory.ts';
import { planChain, planSale } from '../../solver/filling/plan.ts';
import { profitAndLoss } from '../../solver/filling/pnl.ts';
import { buyAtLeast, sellExactly } from '../../solver/filling/trade.ts';
import { worthUp } from '../../solver/filling/value.ts';
import { nodeIdOf } from '../../solver/market/snapshot.ts';
import type { FillRequest } from '../../solver/settlement/ports.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { awardId, type ChainId, evmAddress, orderId } from '../../solver/types/ids.ts';
import type { ChainLog, Receipt } from '../../solver/types/ports.ts';
import type { StoredOrder } from '../../solver/types/store.ts';
import { balanced, CHAINS, NOW, tokenAddress, units } from '../quoting/world.ts';
import { simRng } from '../settlement/sim/rng.ts';
import { type DeskWorld, engine, filler, makeDesk, marketOf } from './world.ts';

const [A, B] = CHAINS as [ChainId, ChainId, ChainId];
const NONE = new Map<string, bigint>();
const market = (id: ChainId) => marketOf(makeDesk().world, id);
const node = (id: ChainId, symbol: string) =>
  present(
    market(id).nodes.find((n) => n.id === nodeIdOf(id, symbol)),
    symbol,
  );

async function quotedOrder(setting: DeskWorld) {
  const quote = await setting.world.quoter.quote(balanced);
  if (isRefusal(quote)) throw new Error(quote.message);
  const stored = present(setting.world.stored.at(-1), 'the stored quote');
  const order = orderFromJson(stored.order);
  const amounts = stored.quotedAmounts.map(BigInt);
  return { order, quote: { amounts, result: stored.result }, id: orderId(hashOrder(order)) };
}

function awardOf(order: PortfolioOrder, amounts: readonly bigint[]): FillRequest['award'] {
  const award = {
    orderId: hashOrder(order),
    filler: filler.address,
    fillDeadline: order.fillDeadline,
    openBy: order.openDeadline,
    amountsHash: `0x${'0'.repeat(64)}` as const,
  };
  return { award, awardId: awardId(hashAward(award)), amounts, signature: '0x' };
}

describe('buyAtLeast', () => {
  it('property: brings at least what is wanted, for little more, within the limit', () => {
    const rng = simRng(11);
    const limits = { exclude: new Set<string>() };
    for (let round = 0; round < 40; round += 1) {
      const wanted = units('WETH', rng.int(1, 30_000) / 100);
      const usdc = node(A, 'USDC');
      const max = units('USDC', 400_000);
      const trade = buyAtLeast(engine, market(A), usdc, node(A, 'WETH'), wanted, max, limits);
      if (trade === null) {
        expect(wanted, `round ${round}`).toBeGreaterThan(units('WETH', 100));
        continue;
      }
      expect(trade.amountOut).toBeGreaterThanOrEqual(wanted);
      expect(trade.amountIn).toBeLessThanOrEqual(max);
      expect(trade.minOut).toBe(wanted);
      expect(trade.amountOut).toBeLessThanOrEqual((wanted * 1_010n) / 1_000n + 2n);
    }
  });

  it('error: no route, or dearer than the limit, is null', () => {
    const all = new Set(market(A).venues.map((venue) => venue.id));
    const [usdc, weth] = [node(A, 'USDC'), node(A, 'WETH')];
    const one = units('WETH', 1);
    expect(
      buyAtLeast(engine, market(A), usdc, weth, one, units('USDC', 9_000), { exclude: all }),
    ).toBeNull();
    expect(
      buyAtLeast(engine, market(A), usdc, weth, one, units('USDC', 100), { exclude: new Set() }),
    ).toBeNull();
  });
});

describe('warmUp', () => {
  it('default: reads and plans on every chain, and leaves nothing behind', async () => {
    const setting = makeDesk();
    const read: ChainId[] = [];
    const markets = setting.world.markets;
    const get = markets.get.bind(markets);
    markets.get = (id) => {
      read.push(id);
      return get(id);
    };
    const before = await setting.desk.reserved([]);
    await setting.desk.warmUp();
    expect(read.toSorted()).toEqual([...CHAINS].toSorted());
    expect(await setting.desk.reserved([])).toEqual(before);
  });
});

describe('planChain', () => {
  const plan = (free: Map<string, bigint>, needs: Map<string, bigint>) =>
    planChain({ engine, market: market(A), free, needs, hints: NONE });
  const id = (symbol: string) => nodeIdOf(A, symbol);

  it('default: delivers from inventory where the pools ask more than the feeds say', () => {
    const need = units('WETH', 2);
    const made = plan(
      new Map([
        [id('WETH'), need],
        [id('USDC'), units('USDC', 50_000)],
      ]),
      new Map([[id('WETH'), need]]),
    );
    if (isRefusal(made)) throw new Error(made.message);
    expect(made.trades).toEqual([]);
    expect(made.uses).toEqual(new Map([[id('WETH'), need]]));
    expect(made.costWad).toBe(worthUp(need, node(A, 'WETH')));
  });

  it('behavior: buys what is lacking with what is free', () => {
    const need = units('WETH', 2);
    const have = units('WETH', 0.5);
    const free = new Map([
      [id('WETH'), have],
      [id('USDC'), units('USDC', 50_000)],
    ]);
    const made = plan(free, new Map([[id('WETH'), need]]));
    if (isRefusal(made)) throw new Error(made.message);
    const [trade] = made.trades;
    expect(trade?.buy.id).toBe(id('WETH'));
    expect(trade?.minOut).toBeGreaterThanOrEqual(need - have);
  });

  it('error: insufficientInventory says what is lacking', () => {
    const needs = new Map([[id('WETH'), units('WETH', 2)]]);
    expect(plan(new Map([[id('USDC'), units('USDC', 10)]]), needs)).toMatchObject({
      refused: 'insufficientInventory',
      details: { node: id('WETH'), have: '0' },
    });
  });

  it('property: never spends what is not free, shares no pool, covers every need', () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const rng = simRng(seed);
      const some = (symbol: string, dollars: number, price: number) =>
        [id(symbol), units(symbol, (rng.next() * dollars) / price)] as const;
      const free = new Map([
        some('WETH', 40_000, 3_000),
        some('USDC', 80_000, 1),
        some('WBTC', 40_000, 60_000),
      ]);
      const needs = new Map([some('WETH', 30_000, 3_000), some('WBTC', 30_000, 60_000)]);
      const made = plan(free, needs);
      if (isRefusal(made)) continue;
      for (const [nodeId, used] of made.uses) {
        expect(used, `seed ${seed} ${nodeId}`).toBeLessThanOrEqual(free.get(nodeId) ?? 0n);
      }
      const pools = made.trades.flatMap((trade) => trade.legs.map((leg) => leg.venue));
      expect(new Set(pools).size, `seed ${seed}`).toBe(pools.length);
      for (const [nodeId, need] of needs) {
        const bought = made.trades
          .filter((trade) => trade.buy.id === nodeId)
          .reduce((sum, trade) => sum + trade.minOut, 0n);
        const covered = bought + (made.uses.get(nodeId) ?? 0n);
        expect(covered, `seed ${seed} ${nodeId}`).toBeGreaterThanOrEqual(need);
      }
    }
  });
});

describe('routesOf', () => {
  it('behavior: minimums of the final routes add up to at least the trade’s', () => {
    const [usdc, weth] = [node(A, 'USDC'), node(A, 'WETH')];
    const wanted = units('WETH', 40);
    const limits = { exclude: new Set<string>() };
    const max = units('USDC', 300_000);
    const trade = present(buyAtLeast(engine, market(A), usdc, weth, wanted, max, limits), 'trade');
    const routes = routesOf(market(A), trade);
    const final = routes.filter((r) => r.hops.at(-1)?.tokenOut === tokenAddress(A, 'WETH'));
    const sum = final.reduce((total, route) => total + route.amountOutMin, 0n);
    expect(sum).toBeGreaterThanOrEqual(wanted);
    expect(sum).toBeLessThanOrEqual(trade.amountOut);
    const spent = routes
      .filter((route) => route.tokenIn === tokenAddress(A, 'USDC'))
      .reduce((total, route) => total + route.amountIn, 0n);
    expect(spent).toBe(trade.amountIn);
  });

  it('behavior: a path without branches is one route of several hops', () => {
    const limits = { exclude: new Set([`${A}:v3:WETH/USDC`]) };
    const [dai, weth] = [node(A, 'DAI'), node(A, 'WETH')];
    const trade = sellExactly(engine, market(A), dai, weth, units('DAI', 1_000), limits);
    const [route, ...others] = routesOf(market(A), present(trade, 'trade'));
    expect(others).toEqual([]);
    expect(route?.hops.map((hop) => hop.tokenOut)).toEqual([
      tokenAddress(A, 'USDC'),
      tokenAddress(A, 'WETH'),
    ]);
  });
});

describe('desk.bid', () => {
  it('default: what our own quote promised is bid, at no loss', async () => {
    const setting = makeDesk();
    const { order, quote, id } = await quotedOrder(setting);
    const bid = await setting.desk.bid({ orderId: id, order, quote });
    if (isRefusal(bid)) throw new Error(bid.message);
    expect(bid.notes).toMatchObject({ basis: 'quoted' });
    expect(bid.amounts).toEqual(quote.amounts);
    expect(Number(bid.notes.profit)).toBeGreaterThanOrEqual(0);
    expect(Object.keys(bid.reserves).length).toBeGreaterThan(0);
  });

  it('behavior: a market that moved against the quote gets the minimum, or no bid', async () => {
    const setting = makeDesk();
    const { order, quote, id } = await quotedOrder(setting);
    const greedy = { ...quote, amounts: quote.amounts.map((amount) => (amount * 101n) / 100n) };
    const bid = await setting.desk.bid({ orderId: id, order, quote: greedy });
    if (isRefusal(bid)) throw new Error(bid.message);
    expect(bid.notes).toMatchObject({ basis: 'minimum' });
    expect(bid.amounts).toEqual(order.outputs.map((output) => output.amount));
    const dear = {
      ...order,
      outputs: order.outputs.map((output) => ({ ...output, amount: output.amount * 2n })),
    };
    expect(await setting.desk.bid({ orderId: id, order: dear, quote: null })).toMatchObject({
      refused: 'noBid',
    });
  });

  it('behavior: what other orders reserve is not free', async () => {
    const setting = makeDesk();
    const { order, quote, id } = await quotedOrder(setting);
    const reserves: Record<string, string> = {};
    for (const chain of CHAINS) {
      for (const { id: nodeId } of market(chain).nodes) reserves[nodeId] = `${10n ** 40n}`;
    }
    const other = { orderId: orderId(`0x${'5'.repeat(64)}`), facts: { reserves } };
    setting.inFlight.push(other as unknown as StoredOrder);
    expect(await setting.desk.bid({ orderId: id, order, quote })).toMatchObject({
      refused: 'noBid',
    });
    expect(freeInventory(market(A), null).size).toBe(0);
  });
});

describe('desk.planFill', () => {
  async function fillPlan(setting: DeskWorld, inventory?: Map<string, bigint>) {
    const { order, quote, id } = await quotedOrder(setting);
    const amounts = order.outputs.map((output) => output.amount);
    const first = present(order.outputs[0], 'output');
    const chain = present(
      CHAINS.find((c) => BigInt(c) === first.chainId),
      'chain',
    );
    const entry = present(setting.world.markets.get(chain), 'market');
    if (inventory !== undefined) {
      entry.inventory = new Map(
        [...inventory].map(([symbol, amount]) => [tokenAddress(chain, symbol), amount]),
      );
    }
    const outputs = order.outputs.filter((output) => output.chainId === first.chainId);
    const award = awardOf(order, amounts);
    const request = { orderId: id, award, chainId: chain, outputs, quote };
    return { plan: await setting.desk.planFill(request), outputs, chain };
  }

  it('behavior: every call delivers exactly the awarded outputs', async () => {
    const { plan, outputs } = await fillPlan(makeDesk());
    if (isRefusal(plan)) throw new Error(plan.message);
    const call = [outputSettlerAbi, routeExecutorAbi]
      .map((abi) => {
        try {
          return decodeFunctionData({ abi, data: plan.call.data });
        } catch {
          return null;
        }
      })
      .find((decoded) => decoded !== null);
    const items = call?.functionName === 'fillBatch' ? call.args[0] : call?.args?.[3];
    expect((items as unknown as { output: unknown }[]).map(({ output }) => output)).toEqual(
      outputs.map((output) => expect.objectContaining({ amount: output.amount })),
    );
    expect(plan.call.value).toBe(0n);
  });

  it('behavior: without the token it buys it in the same transaction', async () => {
    const stable = new Map([
      ['USDC', units('USDC', 400_000)],
      ['DAI', units('DAI', 400_000)],
    ]);
    const { plan, outputs, chain } = await fillPlan(makeDesk(), stable);
    if (isRefusal(plan)) throw new Error(plan.message);
    const tokens = outputs.map((output) => `0x${output.token.slice(26)}`);
    const lacked = tokens.some((token) => token !== tokenAddress(chain, 'USDC'));
    if (!lacked) return;
    const { args } = decodeFunctionData({ abi: routeExecutorAbi, data: plan.call.data });
    const [pulls, routes] = args as unknown as [{ token: Hex }[], { hops: unknown[] }[]];
    expect(routes.length).toBeGreaterThan(0);
    expect(pulls.length).toBeGreaterThan(0);
    expect(plan.risk).toBeGreaterThan(0.1);
  });

  it('behavior: approvals are bounded by the balance, and absent once allowed', async () => {
    const setting = makeDesk();
    const { plan, chain } = await fillPlan(setting);
    if (isRefusal(plan)) throw new Error(plan.message);
    expect(plan.approvals.length).toBeGreaterThan(0);
    for (const { to, data } of plan.approvals) {
      const { args } = decodeFunctionData({ abi: erc20Abi, data });
      const balance = setting.world.markets.get(chain)?.inventory.get(evmAddress(to)) ?? 0n;
      expect(args?.[1]).toBeLessThanOrEqual(balance);
    }
    setting.allowance.value = 2n ** 256n - 1n;
    const allowed = await fillPlan(setting);
    if (isRefusal(allowed.plan)) throw new Error(allowed.plan.message);
    expect(allowed.plan.approvals).toEqual([]);
  });
});

describe('planSale and desk.planRestore', () => {
  it('behavior: sells only where that raises its worth', () => {
    const made = [A, B].map((id) =>
      planSale(engine, market(id), node(id, 'WETH'), units('WETH', 3), 90_000n),
    );
    for (const sale of made) if (sale !== null) expect(sale.gainWad).toBeGreaterThan(0n);
    const setting = makeDesk();
    const entry = present(setting.world.markets.get(A), 'market');
    // WETH is worth a tenth less to the feeds than to the pools: sell.
    const weth = tokenAddress(A, 'WETH');
    const feed = present(entry.feeds.get(weth), 'feed');
    entry.feeds = new Map(entry.feeds).set(weth, { ...feed, answer: (feed.answer * 9n) / 10n });
    const cheap = marketOf(setting.world, A);
    const nodeThere = present(
      cheap.nodes.find((n) => n.id === nodeIdOf(A, 'WETH')),
      'WETH',
    );
    const sale = planSale(engine, cheap, nodeThere, units('WETH', 3), 90_000n);
    expect(sale?.gainWad).toBeGreaterThan(0n);
    expect(sale?.trade.amountIn).toBe(units('WETH', 3));
  });

  it('default: null when nothing gains, else a swap without fills', async () => {
    const setting = makeDesk();
    const { id } = await quotedOrder(setting);
    const weth = tokenAddress(A, 'WETH');
    const received = [{ token: weth, amount: units('WETH', 3) }];
    const entry = present(setting.world.markets.get(A), 'market');
    const feed = present(entry.feeds.get(weth), 'feed');
    const plan = () => setting.desk.planRestore({ orderId: id, chainId: A, received });
    entry.feeds = new Map(entry.feeds).set(weth, { ...feed, answer: feed.answer * 2n });
    expect(await plan()).toBeNull();
    entry.feeds = new Map(entry.feeds).set(weth, { ...feed, answer: feed.answer / 2n });
    const made = present(await plan(), 'a sale');
    const { args } = decodeFunctionData({ abi: routeExecutorAbi, data: made.call.data });
    expect(args?.[3]).toEqual([]);
  });
});

describe('profitAndLoss', () => {
  const usdc = tokenAddress(A, 'USDC');
  const transfer = (token: Hex, from: Hex, to: Hex, amount: bigint): ChainLog => ({
    address: evmAddress(token),
    topics: [
      '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
      `0x${from.slice(2).padStart(64, '0')}`,
      `0x${to.slice(2).padStart(64, '0')}`,
    ],
    data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
    blockNumber: 1n,
    blockHash: `0x${'0'.repeat(64)}` as ChainLog['blockHash'],
    transactionHash: `0x${'0'.repeat(64)}` as ChainLog['blockHash'],
    logIndex: 0,
  });
  const receipt = (logs: readonly ChainLog[], success = true): Receipt => ({
    transactionHash: `0x${'0'.repeat(64)}` as Receipt['blockHash'],
    blockNumber: 1n,
    blockHash: `0x${'0'.repeat(64)}` as Receipt['blockHash'],
    success,
    gasUsed: 100_000n,
    effectiveGasPrice: 10n ** 10n,
    logs,
  });

  it('default: inputs in, deliveries out, gas and fees, to the wei', () => {
    const order = {
      origins: [{ chainId: BigInt(A), inputs: [{ token: usdc, amount: 1_010_000_000n }] }],
      outputs: [],
    } as unknown as PortfolioOrder;
    const owner = `0x${'11'.repeat(20)}` as const;
    const counted = profitAndLoss({
      order,
      filler: filler.address,
      markets: new Map([[A, market(A)]]),
      txs: [
        {
          chainId: A,
          purpose: `fill:${A}`,
          receipt: receipt([transfer(usdc, filler.address, owner, 1_000_000_000n)]),
          value: 0n,
        },
        // The release's own transfer is the inputs, which are counted already.
        {
          chainId: A,
          purpose: `release:${A}`,
          receipt: receipt([transfer(usdc, owner, filler.address, 1_010_000_000n)]),
          value: 0n,
        },
        { chainId: A, purpose: `prove:${A}:1`, receipt: receipt([], false), value: 10n ** 15n },
      ],
    });
    // 3 × 100,000 gas × 10 gwei = 0.003 ETH = 9 USD; 0.001 ETH of fees = 3 USD.
    expect(counted).toEqual({
      profitUsd: '-2',
      tokensUsd: '10',
      gasUsd: '9',
      messagesUsd: '3',
      flows: { [nodeIdOf(A, 'USDC')]: '10000000' },
    });
    expect(NOW).toBeGreaterThan(0);
  });
});
