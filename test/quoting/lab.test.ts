// Quoting over the lab's real chains: real Uniswap pools with all their ticks, real feeds, the real
// oracle's message fees. Needs the lab; uses its cached state.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublicClient, http, parseAbi } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../solver/adapters/clock.ts';
import { createMarketSource } from '../../solver/adapters/marketSource.ts';
import { systemRng } from '../../solver/adapters/rng.ts';
import { createViemChain } from '../../solver/adapters/viemChain.ts';
import { verify } from '../../solver/certificate/verify.ts';
import { createEngine } from '../../solver/engine/engine.ts';
import { type LabHandle, startLab } from '../../solver/lab/lab.ts';
import { parseProblem, parseProblemText } from '../../solver/market/problemFile.ts';
import { parseResultText } from '../../solver/market/resultFile.ts';
import type { ChainMarket, MarketSource } from '../../solver/market/source.ts';
import { createQuoter } from '../../solver/quoting/quoter.ts';
import { solveProblem } from '../../solver/quoting/solve.ts';
import { present } from '../../solver/types/assert.ts';
import { isRefusal } from '../../solver/types/errors.ts';
import type { ChainId } from '../../solver/types/ids.ts';
import type { Chain } from '../../solver/types/ports.ts';
import type { StoredQuote } from '../../solver/types/store.ts';
import { LAB_CACHE } from '../lab/withLab.ts';

let home: string;
let lab: LabHandle;
let chains: ReadonlyMap<ChainId, Chain>;
let source: MarketSource;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'trimtab-quoting-'));
  lab = await startLab({ home, cacheDir: LAB_CACHE, volatilityBps: 0 });
  chains = new Map(
    lab.network.chains.map((config) => [
      config.chainId,
      createViemChain({ ...config, multicall3: config.contracts.multicall3 }),
    ]),
  );
  source = createMarketSource({
    network: lab.network,
    chains,
    filler: lab.accounts.filler.address,
    clock: systemClock,
  });
});
afterAll(async () => {
  await lab?.stop();
  rmSync(home, { recursive: true, force: true });
});

const poolAbi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'function liquidity() view returns (uint128)',
  'function getReserves() view returns (uint112, uint112, uint32)',
]);

async function expectSameAsPools(market: ChainMarket): Promise<void> {
  const config = present(
    lab.network.chains.find(({ chainId }) => chainId === market.chainId),
    'chain',
  );
  const client = createPublicClient({ transport: http(config.rpcUrl) });
  const blockNumber = market.block.number;
  expect(market.pools.length).toBe(config.pools.length);
  for (const state of market.pools) {
    const { address } = state.pool;
    const read = { address, abi: poolAbi, blockNumber } as const;
    if (state.kind === 'uniswapV2') {
      const reserves = await client.readContract({ ...read, functionName: 'getReserves' });
      expect(state.reserves).toEqual(reserves.slice(0, 2));
      continue;
    }
    const [sqrtPriceX96, tick] = await client.readContract({ ...read, functionName: 'slot0' });
    const liquidity = await client.readContract({ ...read, functionName: 'liquidity' });
    expect(state).toMatchObject({ sqrtPriceX96, tick, liquidity });
    const nets = state.ticks.map(({ liquidityNet }) => liquidityNet);
    expect(nets.reduce((sum, net) => sum + net, 0n)).toBe(0n);
    const below = state.ticks.filter((entry) => entry.tick <= tick);
    expect(below.reduce((sum, { liquidityNet }) => sum + liquidityNet, 0n)).toBe(liquidity);
  }
}

describe('marketSource', () => {
  it('default: what the contracts say at the named block', async () => {
    for (const { chainId, tokens } of lab.network.chains) {
      const market = await source.chain(chainId);
      await expectSameAsPools(market);
      expect(market.feeds.size).toBe(tokens.length);
      expect(market.messageFees.size).toBe(lab.network.chains.length - 1);
      expect([...market.inventory.values()].some((amount) => amount > 0n)).toBe(true);
      expect(market.gasPrice).toBeGreaterThan(0n);
    }
  });
  it('behavior: requests of one block share one market', async () => {
    const { chainId } = present(lab.network.chains[0], 'chain');
    const all = await Promise.all(Array.from({ length: 8 }, () => source.chain(chainId)));
    const byHash = new Map(all.map((market) => [market.block.hash, market]));
    for (const market of all) expect(byHash.get(market.block.hash)).toBe(market);
    expect(byHash.size).toBeLessThanOrEqual(2);
  });
});

describe('quote', () => {
  it('default: the sample wallet, from real state to a verified plan', async () => {
    const engine = createEngine(
      readFileSync(new URL('../../.build/trimtab.wasm', import.meta.url)) as Uint8Array,
    );
    const stored: StoredQuote[] = [];
    const quoter = createQuoter({
      network: lab.network,
      source,
      store: {
        async putQuote(quote) {
          stored.push(quote);
        },
      },
      clock: systemClock,
      rng: systemRng,
      auctioneer: lab.accounts.auctioneer.address,
      async solve(problem) {
        const parsed = parseProblem(problem);
        return solveProblem(engine, parsed);
      },
      reserved: async () => new Map(),
      canFund: async () => null,
    });
    const quote = await quoter.quote({
      intentType: 'rebalance',
      owner: lab.accounts.wallet.address,
      scope: {},
      targets: [
        { asset: 'ETH', weightBps: 4000 },
        { asset: 'USDC', weightBps: 3000 },
        { asset: 'BTC', weightBps: 3000 },
      ],
    });
    if (isRefusal(quote)) throw new Error(`${quote.refused}: ${quote.message}`);
    const { problem, result, response } = present(stored[0], 'stored quote');
    expect(verify(parseProblemText(problem), parseResultText(result)).ok).toBe(true);
    const { weights } = response.metadata as unknown as {
      readonly weights: { readonly driftBeforeBps: number; readonly driftAfterBps: number };
    };
    expect(weights.driftBeforeBps).toBeGreaterThan(100);
    expect(weights.driftAfterBps).toBeLessThan(30);
    if (process.env.SHOW_QUOTE !== undefined) console.log(JSON.stringify(response, null, 1));
  });
});
