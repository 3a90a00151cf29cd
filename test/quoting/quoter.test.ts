// Quotes over a small world with the real engine and certificate: what is offered, and each reason
// why nothing is.

import { Errors } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { QuoteResponseBody } from '../../api/schemas/quotes.ts';
import { canonicalFault, orderFromJson } from '../../contracts-abi/orderJson.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import { chainId } from '../../solver/types/ids.ts';
import type { Quote, RebalanceRequest } from '../../solver/types/service.ts';
import {
  balanced,
  CHAINS,
  makeWorld,
  NOW,
  OWNER,
  tokenAddress,
  units,
  type World,
} from './world.ts';

const [A, B, C] = CHAINS.map((id) => Number(id)) as [number, number, number];

async function offered(world: World, request: RebalanceRequest = balanced): Promise<Quote> {
  const quote = await world.quoter.quote(request);
  if (isRefusal(quote)) throw new Error(`refused: ${quote.refused} ${quote.message}`);
  return quote;
}
async function refused(world: World, change: Partial<RebalanceRequest> = {}) {
  const quote = await world.quoter.quote({ ...balanced, ...change });
  if (!isRefusal(quote)) throw new Error('was offered');
  expect(world.stored).toEqual([]);
  return { code: quote.refused, pointer: quote.pointer };
}

interface Response {
  readonly preview: {
    readonly inputs: readonly { chainId: number; symbol: string; amount: string }[];
    readonly outputs: readonly {
      chainId: number;
      symbol: string;
      amount: string;
      minimumAmount: string;
    }[];
  };
  readonly metadata: {
    readonly weights: { readonly driftBeforeBps: number; readonly driftAfterBps: number };
    readonly fees: readonly { kind: string; amountUsd: string; included: boolean }[];
    readonly totalFeesUsd: string;
    readonly approvals: readonly { symbol: string; required: string }[];
    readonly warnings: readonly { code: string }[];
    readonly legs: readonly { venue: string }[];
    readonly certificate: Readonly<Record<string, unknown>>;
  };
}
const responseOf = (quote: Quote) => quote.response as unknown as Response;
const DOLLARS: Record<string, number> = { WETH: 3000, USDC: 1, WBTC: 60_000, DAI: 1 };
const worth = (flows: readonly { symbol: string; amount: string }[]) =>
  flows.reduce(
    (sum, { symbol, amount }) =>
      sum + (Number(amount) / Number(units(symbol, 1))) * (DOLLARS[symbol] ?? 0),
    0,
  );

describe('quote', () => {
  it('default: an order in canonical form that reaches the targets', async () => {
    const world = makeWorld();
    const quote = await offered(world);
    const stored = present(world.stored[0], 'the stored quote');
    const order = orderFromJson(stored.order);
    expect(canonicalFault(order)).toBeNull();
    expect(order.owner).toBe(OWNER);
    expect(order.openDeadline).toBeGreaterThan(quote.validUntil);
    expect(order.expiry - order.fillDeadline).toBeGreaterThanOrEqual(120);
    expect(quote.validUntil).toBe(NOW + 60);
    const { metadata, preview } = responseOf(quote);
    expect(metadata.weights.driftBeforeBps).toBeCloseTo(2666.66, 1);
    expect(metadata.weights.driftAfterBps).toBeLessThan(5);
    expect(stored.quotedAmounts).toEqual(preview.outputs.map(({ amount }) => amount));
    order.outputs.forEach(({ amount }, i) => {
      const quoted = BigInt(present(stored.quotedAmounts[i], 'quoted'));
      expect(amount).toBe((quoted * 9970n) / 10_000n);
    });
  });

  it('default: the offer is what the API documents', async () => {
    const { response } = await offered(makeWorld());
    const faults = [...Errors(QuoteResponseBody, { quotes: [response] })];
    expect(faults).toEqual([]);
  });

  it('default: the stored problem and result verify', async () => {
    const world = makeWorld();
    const quote = await offered(world);
    const stored = present(world.stored[0], 'the stored quote');
    const problem = parseProblemText(stored.problem);
    expect(verify(problem, parseResultText(stored.result)).ok).toBe(true);
    expect(responseOf(quote).metadata.certificate).toMatchObject({ problem: problem.digest });
  });

  it('property: the filler is repaid at feed prices, and printed fees sum to the total', async () => {
    for (const scale of [1, 3, 10]) {
      const world = makeWorld(5_000_000);
      for (const [node, amount] of world.balances) world.balances.set(node, amount * BigInt(scale));
      const { preview, metadata } = responseOf(await offered(world));
      const fee = (kind: string) =>
        Number(
          present(
            metadata.fees.find((item) => item.kind === kind),
            kind,
          ).amountUsd,
        );
      const kept = worth(preview.inputs) - worth(preview.outputs);
      expect(kept).toBeGreaterThan(fee('gas') + fee('message'));
      const micro = (text: string) => Math.round(Number(text) * 1e6);
      expect(metadata.fees.reduce((sum, item) => sum + micro(item.amountUsd), 0)).toBe(
        micro(metadata.totalFeesUsd),
      );
    }
  });

  it('behavior: gains over feed prices are not promised', async () => {
    const world = makeWorld(5_000_000);
    // A pool that pays 3 % too much for WETH: a gift that may be gone when the filler comes.
    const market = present(world.markets.get(chainId(A)), 'market');
    market.pools = market.pools.map((state) =>
      state.pool.id === `${A}:v2:WETH/USDC` && state.kind === 'uniswapV2'
        ? {
            ...state,
            reserves:
              state.pool.tokens[0] === tokenAddress(A, 'USDC')
                ? [(state.reserves[0] * 103n) / 100n, state.reserves[1]]
                : [state.reserves[0], (state.reserves[1] * 103n) / 100n],
          }
        : state,
    );
    const { preview } = responseOf(await offered(world));
    expect(worth(preview.outputs)).toBeLessThan(worth(preview.inputs));
  });

  it('behavior: one asset on one chain as target; assets in scope without target are sold', async () => {
    const world = makeWorld();
    const { preview, metadata } = responseOf(
      await offered(world, {
        ...balanced,
        scope: { assets: ['WETH', 'USDC', 'WBTC'] },
        targets: [{ asset: 'USDC', weightBps: 10_000, chain: C }],
      }),
    );
    expect(new Set(preview.outputs.map(({ chainId: id, symbol }) => `${id}:${symbol}`))).toEqual(
      new Set([`${C}:USDC`]),
    );
    expect(new Set(preview.inputs.map(({ symbol }) => symbol))).toEqual(
      new Set(['WETH', 'USDC', 'WBTC']),
    );
    expect(metadata.weights.driftAfterBps).toBeLessThan(50);
  });

  it('behavior: given holdings bound what is sold', async () => {
    const world = makeWorld();
    const amount = units('WETH', 5);
    const { preview } = responseOf(
      await offered(world, {
        ...balanced,
        holdings: [{ chain: A, asset: 'WETH', amount: amount.toString() }],
      }),
    );
    expect(preview.inputs.map(({ symbol }) => symbol)).toEqual(['WETH']);
    expect(BigInt(present(preview.inputs[0], 'input').amount)).toBeLessThanOrEqual(amount);
  });

  it('behavior: approvals name only what is missing', async () => {
    const world = makeWorld();
    const before = responseOf(await offered(world)).metadata.approvals;
    expect(before.length).toBeGreaterThan(0);
    for (const [node, amount] of world.balances) world.allowances.set(node, amount);
    expect(responseOf(await offered(world)).metadata.approvals).toEqual([]);
  });

  it('behavior: transfers never promise more than the inventory, reservations taken off', async () => {
    const world = makeWorld(20_000);
    world.reserved.set(`${B}:WETH`, units('WETH', 10));
    const quote = await world.quoter.quote(balanced);
    const result = present(world.results.at(-1), 'a result');
    const delivered = new Map<string, bigint>();
    for (const leg of result.legs.filter(({ venue }) => venue.startsWith('transfer:'))) {
      const { node, amount } = leg.out;
      delivered.set(node, (delivered.get(node) ?? 0n) + BigInt(amount));
    }
    expect(delivered.get(`${B}:WETH`) ?? 0n).toBe(0n);
    if (isRefusal(quote)) expect(quote.refused).toBe('insufficientInventory');
    else {
      for (const [node, amount] of delivered) {
        const symbol = present(node.split(':')[1], 'symbol');
        expect(amount).toBeLessThanOrEqual(units(symbol, 20_000 / (DOLLARS[symbol] ?? 1)));
      }
    }
  });

  it('behavior: same world, same problem bytes', async () => {
    const [first, second] = [makeWorld(), makeWorld()];
    await offered(first);
    await offered(second);
    expect(second.stored[0]?.problem).toBe(first.stored[0]?.problem);
    expect(second.stored[0]?.result).toBe(first.stored[0]?.result);
  });
});

describe('a chain that is down', () => {
  it('behavior: other chains are quoted when it is not in scope', async () => {
    const world = makeWorld();
    world.down.add(chainId(C));
    const { metadata } = responseOf(
      await offered(world, { ...balanced, scope: { chains: [A, B] } }),
    );
    expect(metadata.legs.every(({ venue }) => !venue.includes(String(C)))).toBe(true);
  });
  it('behavior: is left out with a warning when the holdings are given', async () => {
    const world = makeWorld();
    world.down.add(chainId(C));
    const holdings = [{ chain: A, asset: 'WETH', amount: units('WETH', 20).toString() }];
    const { metadata } = responseOf(await offered(world, { ...balanced, holdings }));
    expect(metadata.warnings.map(({ code }) => code)).toContain('chainLeftOut');
  });
  it('error: named, or holding what nobody can read', async () => {
    const world = makeWorld();
    world.down.add(chainId(C));
    expect(await refused(world)).toEqual({ code: 'chainDown', pointer: '/intent/scope' });
    expect(await refused(world, { scope: { chains: [A, C] } })).toEqual({
      code: 'chainDown',
      pointer: '/intent/scope/chains/1',
    });
  });
  it('error: all of them', async () => {
    const world = makeWorld();
    for (const id of CHAINS) world.down.add(id);
    const holdings = [{ chain: A, asset: 'WETH', amount: '1' }];
    expect(await refused(world, { holdings })).toMatchObject({ code: 'chainDown' });
  });
});

describe('refusals', () => {
  const target = (asset: string, weightBps: number, chain?: number) => ({
    asset,
    weightBps,
    ...(chain === undefined ? {} : { chain }),
  });
  const holding = (chain: number, asset: string, amount: bigint) => ({
    chain,
    asset,
    amount: amount.toString(),
  });
  const cases: readonly [string, Partial<RebalanceRequest>, string, string | undefined][] = [
    ['unknown chain', { scope: { chains: [1] } }, 'unknownChain', '/intent/scope/chains/0'],
    [
      'unknown chain of a target',
      { targets: [target('WETH', 10_000, 1)] },
      'unknownChain',
      '/intent/targets/0/chain',
    ],
    [
      'unknown asset',
      { targets: [target('WETH', 5000), target('DOGE', 5000)] },
      'unknownAsset',
      '/intent/targets/1/asset',
    ],
    [
      'weights that do not sum to 100 %',
      { targets: [target('WETH', 5000), target('USDC', 4999)] },
      'invalidWeights',
      '/intent/targets',
    ],
    [
      'an asset twice',
      { targets: [target('WETH', 5000), target('WETH', 5000, A)] },
      'duplicateTarget',
      '/intent/targets/1',
    ],
    [
      'a target outside the assets in scope',
      { scope: { assets: ['USDC'] }, targets: [target('WETH', 10_000)] },
      'targetOutOfScope',
      '/intent/targets/0/asset',
    ],
    [
      'a zero holding',
      { holdings: [holding(A, 'WETH', 0n)] },
      'invalidAmount',
      '/intent/holdings/0/amount',
    ],
    [
      'a huge holding',
      { holdings: [holding(A, 'WETH', 2n ** 256n)] },
      'invalidAmount',
      '/intent/holdings/0/amount',
    ],
    [
      'a holding above the balance',
      { holdings: [holding(A, 'WETH', units('WETH', 21))] },
      'insufficientBalance',
      '/intent/holdings/0/amount',
    ],
    [
      'a holding of no target',
      { holdings: [holding(A, 'DAI', 1n)] },
      'unknownAsset',
      '/intent/holdings/0/asset',
    ],
    [
      'another order type',
      { supportedTypes: ['oif-escrow-v0'] },
      'unsupportedOrderType',
      '/supportedTypes',
    ],
    ['a cost limit', { maxCostBps: 1 }, 'costAboveLimit', '/intent/maxCostBps'],
    ['a wide band', { bandBps: 3000 }, 'nothingToDo', undefined],
    [
      'a validity too long',
      { minValidUntil: NOW + 3600 },
      'quoteUnavailable',
      '/intent/minValidUntil',
    ],
  ];
  it.each(cases)('error: %s', async (_, change, code, pointer) => {
    expect(await refused(makeWorld(), change)).toEqual({ code, pointer });
  });

  it('error: a stale price', async () => {
    const world = makeWorld();
    const market = present(world.markets.get(chainId(B)), 'market');
    const stale = { answer: 3000n * 10n ** 8n, decimals: 8, updatedAt: unixSeconds(NOW - 3700) };
    market.feeds = new Map([...market.feeds, [tokenAddress(B, 'WETH'), stale]]);
    expect(await refused(world)).toEqual({ code: 'stalePrice', pointer: '/intent/targets' });
    // The asset is not needed for this one.
    const others = { scope: { chains: [A, C] } };
    expect(isRefusal(await world.quoter.quote({ ...balanced, ...others }))).toBe(false);
  });
  it('error: feeds that disagree', async () => {
    const world = makeWorld();
    const market = present(world.markets.get(chainId(B)), 'market');
    const off = { answer: 3200n * 10n ** 8n, decimals: 8, updatedAt: unixSeconds(NOW - 20) };
    market.feeds = new Map([...market.feeds, [tokenAddress(B, 'WETH'), off]]);
    expect(await refused(world)).toEqual({ code: 'stalePrice', pointer: '/intent/targets' });
  });
  it('error: no pool and no transfer leads to the target', async () => {
    const world = makeWorld(0);
    for (const market of world.markets.values()) market.pools = [];
    expect(await refused(world)).toEqual({ code: 'noRoute', pointer: undefined });
  });
  it('error: an empty portfolio', async () => {
    const world = makeWorld();
    world.balances.clear();
    expect(await refused(world)).toEqual({ code: 'emptyPortfolio', pointer: '/intent/owner' });
  });
  it('error: a portfolio too small to be worth its gas', async () => {
    const world = makeWorld();
    world.balances.clear();
    world.balances.set(`${A}:WETH`, units('WETH', 0.001));
    const { code } = await refused(world);
    expect(['costAboveLimit', 'nothingToDo', 'noRoute']).toContain(code);
  });
  it('error: the filler says that it cannot', async () => {
    const world = makeWorld();
    world.canFund = async () => ({ refused: 'insufficientInventory', message: 'too little WETH' });
    expect(await refused(world)).toEqual({ code: 'insufficientInventory', pointer: undefined });
  });
});
