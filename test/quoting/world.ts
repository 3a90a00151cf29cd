// A small world for quoting tests: three chains, four assets, v2 and v3 pools whose prices differ
// from the feeds, one owner, one filler with finite inventory; a MarketSource over plain data, a
// fixed clock, a counting Rng, and the real engine with the real certificate.

import { readFileSync } from 'node:fs';
import { createEngine } from '../../solver/engine/engine.ts';
import { sqrtRatioAtTick } from '../../solver/market/exact/tickMath.ts';
import type { FeedReading } from '../../solver/market/prices.ts';
import type { PoolState, UniswapV3State } from '../../solver/market/snapshot.ts';
import type { ChainMarket, MarketSource } from '../../solver/market/source.ts';
import { createQuoter, type Quoter, type QuoterDeps } from '../../solver/quoting/quoter.ts';
import { solveProblem } from '../../solver/quoting/solve.ts';
import { createSwapQuoter, type SwapQuoter } from '../../solver/quoting/swapQuoter.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import { type ChainId, chainId, eid, evmAddress, hash32 } from '../../solver/types/ids.ts';
import type { ChainConfig, NetworkConfig, TokenConfig } from '../../solver/types/network.ts';
import type { Problem, ProblemResult } from '../../solver/types/problem.ts';
import type { RebalanceRequest } from '../../solver/types/service.ts';
import type { StoredQuote } from '../../solver/types/store.ts';

export const NOW = unixSeconds(1_800_000_000);
export const CHAINS = [31338, 31339, 31340].map(chainId);
export const OWNER = evmAddress(`0x${'11'.repeat(20)}`);
export const PERMIT2 = evmAddress(`0x${'b2'.repeat(20)}`);
export const AUCTIONEER = evmAddress(`0x${'22'.repeat(20)}`);

const ASSETS = [
  { symbol: 'WETH', decimals: 18, dollars: 3000 },
  { symbol: 'USDC', decimals: 6, dollars: 1 },
  { symbol: 'WBTC', decimals: 8, dollars: 60_000 },
  { symbol: 'DAI', decimals: 18, dollars: 1 },
] as const;

const addressOf = (...parts: readonly number[]) =>
  evmAddress(
    `0x${parts
      .map((part) => part.toString(16).padStart(4, '0'))
      .join('')
      .padStart(40, 'a')}`,
  );
export const tokenAddress = (chain: number, symbol: string) =>
  addressOf(chain - 31300, ASSETS.findIndex((asset) => asset.symbol === symbol) + 1);
export const units = (symbol: string, whole: number): bigint => {
  const { decimals } = present(
    ASSETS.find((asset) => asset.symbol === symbol),
    symbol,
  );
  return (BigInt(Math.round(whole * 1e6)) * 10n ** BigInt(decimals)) / 1_000_000n;
};

function chainConfig(id: ChainId): ChainConfig {
  const tokens: TokenConfig[] = ASSETS.map(({ symbol, decimals }, i) => ({
    symbol,
    asset: symbol,
    address: tokenAddress(id, symbol),
    decimals,
    feed: addressOf(id - 31300, 50 + i),
    feedHeartbeatSeconds: 3600,
  }));
  const contract = (n: number) => addressOf(id - 31300, 100 + n);
  return {
    chainId: id,
    name: `chain ${id}`,
    eid: eid(30_000 + id),
    rpcUrl: 'http://127.0.0.1:1',
    confirmations: 2,
    blockSeconds: 1,
    nativeAsset: 'WETH',
    contracts: {
      portfolioSettler: contract(1),
      outputSettler: contract(2),
      layerZeroOracle: contract(3),
      routeExecutor: contract(4),
      layerZeroEndpoint: contract(5),
      multicall3: contract(6),
      uniswapV2Factory: contract(7),
      uniswapV3Factory: contract(8),
      wrappedNative: tokenAddress(id, 'WETH'),
      // One chain has none.
      ...(id === 31340 ? {} : { permit2: PERMIT2 }),
    },
    tokens,
    pools: [],
  };
}

export const network: NetworkConfig = {
  version: 1,
  chains: CHAINS.map(chainConfig),
  minProofWindowSeconds: 120,
};

/** token0 < token1 by address, as every factory sorts them. */
function pair(chain: number, a: string, b: string) {
  const sorted = [a, b].sort((x, y) => (tokenAddress(chain, x) < tokenAddress(chain, y) ? -1 : 1));
  return sorted as [string, string];
}

/** A v2 pool holding `dollars` on each side, its price `skewBps` above the feeds for `a`. */
function v2(chain: number, a: string, b: string, dollars: number, skewBps: number): PoolState {
  const symbols = pair(chain, a, b);
  const worth = (symbol: string) =>
    present(
      ASSETS.find((asset) => asset.symbol === symbol),
      symbol,
    ).dollars;
  const reserve = (symbol: string) =>
    units(symbol, (dollars / worth(symbol)) * (symbol === a ? 1 - skewBps / 10_000 : 1));
  return {
    kind: 'uniswapV2',
    pool: {
      id: `${chain}:v2:${a}/${b}`,
      kind: 'uniswapV2',
      address: addressOf(
        chain - 31300,
        200,
        ASSETS.findIndex(({ symbol }) => symbol === b),
      ),
      tokens: [tokenAddress(chain, symbols[0]), tokenAddress(chain, symbols[1])],
      feePips: 3000,
    },
    reserves: [reserve(symbols[0]), reserve(symbols[1])],
  };
}

/** A v3 pool of 5 bps with one wide position around the current price. */
function v3(chain: number, a: string, b: string, liquidity: bigint, skewBps: number): PoolState {
  const symbols = pair(chain, a, b);
  const asset = (symbol: string) =>
    present(
      ASSETS.find((candidate) => candidate.symbol === symbol),
      symbol,
    );
  const [first, second] = [asset(symbols[0]), asset(symbols[1])];
  const skew = (symbol: string) => (symbol === a ? 1 + skewBps / 10_000 : 1);
  const ratio =
    ((first.dollars * skew(first.symbol)) / (second.dollars * skew(second.symbol))) *
    10 ** (second.decimals - first.decimals);
  const tick = Math.floor(Math.log(ratio) / Math.log(1.0001));
  const lower = Math.floor((tick - 6000) / 10) * 10;
  const upper = Math.ceil((tick + 6000) / 10) * 10;
  const state: UniswapV3State = {
    kind: 'uniswapV3',
    pool: {
      id: `${chain}:v3:${a}/${b}`,
      kind: 'uniswapV3',
      address: addressOf(
        chain - 31300,
        300,
        ASSETS.findIndex(({ symbol }) => symbol === b),
      ),
      tokens: [tokenAddress(chain, symbols[0]), tokenAddress(chain, symbols[1])],
      feePips: 500,
    },
    sqrtPriceX96: sqrtRatioAtTick(tick),
    tick,
    liquidity,
    ticks: [
      { tick: lower, liquidityNet: liquidity },
      { tick: upper, liquidityNet: -liquidity },
    ],
  };
  return state;
}

/** What a test may change before it asks. */
export interface World {
  readonly down: Set<ChainId>;
  readonly markets: Map<ChainId, { -readonly [K in keyof ChainMarket]: ChainMarket[K] }>;
  /** `<chain>:<symbol>` → base units. */
  readonly balances: Map<string, bigint>;
  readonly allowances: Map<string, bigint>;
  readonly reserved: Map<string, bigint>;
  readonly stored: StoredQuote[];
  readonly problems: Problem[];
  readonly results: ProblemResult[];
  canFund: QuoterDeps['canFund'];
  readonly quoter: Quoter;
  readonly swaps: SwapQuoter;
}

const readFeed = (dollars: number): FeedReading => ({
  answer: BigInt(dollars) * 10n ** 8n,
  decimals: 8,
  updatedAt: unixSeconds(NOW - 30),
});

function marketOf(id: ChainId, skewBps: number, inventoryDollars: number): ChainMarket {
  const tokens = ASSETS.map(
    ({ symbol, dollars }) => [tokenAddress(id, symbol), symbol, dollars] as const,
  );
  return {
    chainId: id,
    block: {
      number: 100n,
      hash: hash32(`0x${id.toString(16).padStart(64, '0')}`),
      parentHash: hash32(`0x${'0'.repeat(64)}`),
      timestamp: unixSeconds(NOW - 1),
    },
    pools: [
      v2(id, 'WETH', 'USDC', 4_000_000, skewBps),
      v3(id, 'WETH', 'USDC', 10n ** 18n, skewBps),
      v2(id, 'WETH', 'WBTC', 3_000_000, -skewBps),
      v2(id, 'DAI', 'USDC', 5_000_000, 2),
    ],
    feeds: new Map(tokens.map(([address, , dollars]) => [address, readFeed(dollars)])),
    inventory: new Map(
      tokens.map(([address, symbol, dollars]) => [
        address,
        units(symbol, inventoryDollars / dollars),
      ]),
    ),
    gasPrice: 10n ** 9n,
    messageFees: new Map(
      CHAINS.filter((other) => other !== id).map((other) => [
        other,
        { base: 2n * 10n ** 14n, perRecord: 10n ** 12n },
      ]),
    ),
  };
}

export const engine = createEngine(
  readFileSync(new URL('../../.build/trimtab.wasm', import.meta.url)) as Uint8Array,
);

export function makeWorld(inventoryDollars = 500_000): World {
  const markets = new Map(
    CHAINS.map((id, i) => [id, { ...marketOf(id, [0, 8, -6][i] ?? 0, inventoryDollars) }]),
  );
  const world: Omit<World, 'quoter' | 'swaps'> = {
    down: new Set(),
    markets,
    balances: new Map([
      ['31338:WETH', units('WETH', 20)],
      ['31339:USDC', units('USDC', 15_000)],
      ['31340:WBTC', units('WBTC', 0.25)],
    ]),
    allowances: new Map(),
    reserved: new Map(),
    stored: [],
    problems: [],
    results: [],
    canFund: async () => null,
  };
  const source: MarketSource = {
    async chain(id) {
      if (world.down.has(id)) throw new Fault(`chain ${id} is down`);
      return present(markets.get(id), `market ${id}`);
    },
    async owner(id) {
      const pick = (amounts: ReadonlyMap<string, bigint>) =>
        new Map(
          ASSETS.map(({ symbol }) => [
            tokenAddress(id, symbol),
            amounts.get(`${id}:${symbol}`) ?? 0n,
          ]),
        );
      return { balances: pick(world.balances), allowances: pick(world.allowances) };
    },
  };
  let drawn = 0;
  const deps: QuoterDeps = {
    network,
    source,
    store: {
      async putQuote(quote) {
        world.stored.push(quote);
      },
    },
    clock: { now: () => NOW, nowMs: () => NOW * 1000, sleep: async () => {} },
    rng: { bytes: (length) => new Uint8Array(length).fill(++drawn) },
    auctioneer: AUCTIONEER,
    async solve(problem, read) {
      world.problems.push(problem);
      const result = solveProblem(engine, read());
      world.results.push(result);
      return result;
    },
    reserved: async () => world.reserved,
    canFund: (request) => world.canFund(request),
  };
  return Object.assign(world, { quoter: createQuoter(deps), swaps: createSwapQuoter(deps) });
}

export const balanced: RebalanceRequest = {
  intentType: 'rebalance',
  owner: OWNER,
  scope: {},
  targets: [
    { asset: 'WETH', weightBps: 4000 },
    { asset: 'USDC', weightBps: 3000 },
    { asset: 'WBTC', weightBps: 3000 },
  ],
};
