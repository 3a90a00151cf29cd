// The market of `npm run bench -- api`: three chains, four assets, 176 pools and 24 transfers, which is
// 200 venues; owners with portfolios of their own; and a Chain port in memory that answers the calls
// of quoting and admission (balances, allowances, nonce slots) as contracts encode them. Everything
// follows from a seed.

import { encodeFunctionData, erc20Abi, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { sqrtRatioAtTick } from '../../solver/market/exact/tickMath.ts';
import type { PoolState } from '../../solver/market/snapshot.ts';
import type { ChainMarket } from '../../solver/market/source.ts';
import { unixSeconds } from '../../solver/types/amounts.ts';
import { present } from '../../solver/types/assert.ts';
import { Fault } from '../../solver/types/errors.ts';
import {
  type ChainId,
  chainId,
  type EvmAddress,
  eid,
  evmAddress,
  hash32,
} from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { ChainConfig, NetworkConfig, TokenConfig } from '../../solver/types/network.ts';
import type { BlockRef, Call, CallResult, Chain } from '../../solver/types/ports.ts';

const CHAINS = [31338, 31339, 31340].map(chainId);
const ASSETS = [
  { symbol: 'WETH', decimals: 18, dollars: 3000 },
  { symbol: 'WBTC', decimals: 8, dollars: 60_000 },
  { symbol: 'USDC', decimals: 6, dollars: 1 },
  { symbol: 'DAI', decimals: 18, dollars: 1 },
] as const;
type Asset = (typeof ASSETS)[number];
/** Pools per chain; a pair has nine or ten: two exchanges of the v2 kind, two of the v3 kind. */
const POOLS = [59, 59, 58] as const;
/** With a transfer per asset and ordered pair of chains: 200. */
export const VENUES = POOLS.reduce((sum, n) => sum + n, 0) + ASSETS.length * 6;

/** Deterministic numbers in [0, 1): a 32-bit linear congruence with its output mixed. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
    x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  };
}

const addressOf = (...parts: readonly number[]): EvmAddress =>
  evmAddress(
    `0x${parts
      .map((part) => part.toString(16).padStart(4, '0'))
      .join('')
      .padStart(40, 'a')}`,
  );
const tokenAddress = (id: number, index: number) => addressOf(id - 31300, index + 1);
const unitsOf = ({ decimals }: Asset, whole: number): bigint =>
  (BigInt(Math.round(whole * 1e6)) * 10n ** BigInt(decimals)) / 1_000_000n;

function chainConfig(id: ChainId): ChainConfig {
  const contract = (n: number) => addressOf(id - 31300, 100 + n);
  const tokens = ASSETS.map(
    ({ symbol, decimals }, i): TokenConfig => ({
      symbol,
      asset: symbol,
      address: tokenAddress(id, i),
      decimals,
      feed: addressOf(id - 31300, 50 + i),
      feedHeartbeatSeconds: 86_400,
    }),
  );
  return {
    chainId: id,
    name: `chain ${id}`,
    eid: eid(30_000 + (id - 31_000)),
    rpcUrl: 'http://127.0.0.1:1',
    confirmations: 2,
    blockSeconds: 2,
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
      wrappedNative: tokenAddress(id, 0),
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

const FEES = [3000, 500, 100, 10_000] as const;
const SPACING: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };

/** The k-th pool of a chain: pairs in turn, an exchange's v2 pool first, then its v3 pools by fee. */
function poolOf(id: ChainId, k: number, draw: () => number): PoolState {
  const pairs = ASSETS.flatMap((_, i) =>
    ASSETS.slice(i + 1).map((_, j) => [i, i + 1 + j] as const),
  );
  const [i, j] = present(pairs[k % pairs.length], 'a pair');
  const [exchange, round] = [Math.floor(k / pairs.length / 5), Math.floor(k / pairs.length) % 5];
  const tokens = [tokenAddress(id, i), tokenAddress(id, j)] as const;
  const [first, second] = [present(ASSETS[i], 'asset'), present(ASSETS[j], 'asset')];
  const feePips = round === 0 ? 3000 : present(FEES[round - 1], 'a fee');
  // Pools stand apart by less than their fees, as arbitrage leaves them.
  const skew = 1 + ((draw() - 0.5) * feePips) / 1e6;
  const dollars = 10 ** (5 + 2 * draw());
  const name = `${first.symbol}/${second.symbol}:${exchange}`;
  const pool = { address: addressOf(id - 31300, 200, k), tokens, feePips };
  if (round === 0) {
    return {
      kind: 'uniswapV2',
      pool: { ...pool, id: `${id}:v2:${name}`, kind: 'uniswapV2' },
      reserves: [
        unitsOf(first, (dollars / first.dollars) * skew),
        unitsOf(second, dollars / second.dollars),
      ],
    };
  }
  const ratio =
    ((first.dollars * skew) / second.dollars) * 10 ** (second.decimals - first.decimals);
  const tick = Math.floor(Math.log(ratio) / Math.log(1.0001));
  const spacing = present(SPACING[feePips], 'a spacing');
  // In the pool's own raw units, so that the position in range is worth about `dollars`.
  const raw = Math.sqrt(
    (dollars / first.dollars) *
      10 ** first.decimals *
      (dollars / second.dollars) *
      10 ** second.decimals,
  );
  const liquidity = BigInt(Math.round(raw));
  const nets = new Map<number, bigint>();
  const add = (at: number, net: bigint) => nets.set(at, (nets.get(at) ?? 0n) + net);
  let active = 0n;
  for (let position = 0; position < 6; position++) {
    const share = liquidity / BigInt(1 + Math.floor(draw() * 5)) + 1n;
    const width = (position + 1) * (5 + Math.floor(draw() * 20));
    const lower = (Math.floor(tick / spacing) - width) * spacing;
    const upper = (Math.ceil((tick + 1) / spacing) + width) * spacing;
    add(lower, share);
    add(upper, -share);
    active += share;
  }
  return {
    kind: 'uniswapV3',
    pool: { ...pool, id: `${id}:v3:${name}:${feePips}`, kind: 'uniswapV3' },
    sqrtPriceX96: sqrtRatioAtTick(tick),
    tick,
    liquidity: active,
    ticks: [...nets]
      .sort(([a], [b]) => a - b)
      .filter(([, net]) => net !== 0n)
      .map(([at, liquidityNet]) => ({ tick: at, liquidityNet })),
  };
}

/** What one chain's head shows; `number` and `now` (Unix seconds) name the block. */
function marketOf(id: ChainId, index: number, number: bigint, now: number): ChainMarket {
  const draw = numbersFrom(1000 + index);
  const config = present(network.chains[index], 'config');
  const feeds = config.tokens.map(({ address }, i) => {
    const answer = BigInt(Math.round(present(ASSETS[i], 'asset').dollars * 1e8));
    return [address, { answer, decimals: 8, updatedAt: unixSeconds(now - 30) }] as const;
  });
  return {
    chainId: id,
    block: blockOf(id, number, now),
    pools: Array.from({ length: POOLS[index] ?? 0 }, (_, k) => poolOf(id, k, draw)),
    feeds: new Map(feeds),
    inventory: new Map(
      config.tokens.map(({ address }, i) => {
        const asset = present(ASSETS[i], 'asset');
        return [address, unitsOf(asset, 2_000_000 / asset.dollars)];
      }),
    ),
    gasPrice: 10n ** 8n,
    messageFees: new Map(
      CHAINS.filter((other) => other !== id).map((other) => [
        other,
        { base: 2n * 10n ** 13n, perRecord: 10n ** 11n },
      ]),
    ),
  };
}

function blockOf(id: ChainId, number: bigint, now: number): BlockRef {
  const hash = (n: bigint) =>
    hash32(`0x${id.toString(16).padStart(32, '0')}${n.toString(16).padStart(32, '0')}`);
  return {
    number,
    hash: hash(number),
    parentHash: hash(number - 1n),
    timestamp: unixSeconds(now - 1),
  };
}

/** The markets of all chains at one block each. */
export function marketsAt(number: bigint, now: number): ReadonlyMap<ChainId, ChainMarket> {
  return new Map(CHAINS.map((id, index) => [id, marketOf(id, index, number, now)]));
}

/** Owner k's private key; the same in every process. */
export const keyOf = (k: number): Hex => `0x${(k + 1).toString(16).padStart(64, '9')}`;
export const ownerOf = (k: number) => privateKeyToAccount(keyOf(k));

const BALANCE = encodeFunctionData({
  abi: erc20Abi,
  functionName: 'balanceOf',
  args: ['0x0000000000000000000000000000000000000000'],
}).slice(0, 10);
const ALLOWANCE = '0xdd62ed3e';
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;

/**
 * A chain whose every account holds a portfolio that follows from its address: 500 to 50,000 dollars of
 * about a third of the tokens, all of it approved; nonce slots are free.
 */
export function memoryChain(id: ChainId, head: () => BlockRef): Chain {
  const unused = async (): Promise<never> => {
    throw new Fault('the bench asks no such thing of a chain');
  };
  const answer = ({ to, data }: Call): CallResult => {
    if (assetAt(id, to) === undefined) return { ok: true, data: word(0n) };
    if (data.startsWith(ALLOWANCE)) return { ok: true, data: word(2n ** 255n) };
    if (!data.startsWith(BALANCE)) return { ok: false, data: '0x' };
    return { ok: true, data: word(heldBy(`0x${data.slice(-40)}`, id, to)) };
  };
  return {
    chainId: id,
    confirmations: 2,
    block: async () => head(),
    read: async (calls) => calls.map(answer),
    logs: async () => [],
    balance: async () => 10n ** 18n,
    nonce: async () => 1n,
    fees: async () => ({ maxFeePerGas: 10n ** 8n, maxPriorityFeePerGas: 10n ** 7n }),
    estimateGas: unused,
    broadcast: unused,
    receipt: async () => null,
  };
}

const assets: ReadonlyMap<string, Asset> = new Map(
  CHAINS.flatMap((id) => ASSETS.map((asset, i) => [`${id}${tokenAddress(id, i)}`, asset] as const)),
);
const assetAt = (id: number, token: string) => assets.get(`${id}${token}`);

/** One asset on one chain that the account surely holds: an empty portfolio has no quote. */
function isHome(owner: Hex, id: number, asset: Asset): boolean {
  const number = Number.parseInt(owner.slice(-8), 16);
  return CHAINS[number % CHAINS.length] === id && ASSETS[(number >>> 8) % ASSETS.length] === asset;
}

/** Base units of a token that an account holds. */
export function heldBy(owner: Hex, id: number, token: EvmAddress): bigint {
  const asset = present(assetAt(id, token), 'a token');
  const seed = Number.parseInt(owner.slice(-8), 16) ^ (id * 7919) ^ (asset.dollars * 31);
  const draw = numbersFrom(seed ^ (asset.decimals * 65_537));
  draw();
  if (draw() < 0.6 && !isHome(owner, id, asset)) return 0n;
  return unitsOf(asset, (500 * 100 ** draw()) / asset.dollars);
}

/** The body of request `n`: its owner, two to four targets of random weights. */
export function quoteBody(n: number, owners: readonly string[]): JsonObject {
  const draw = numbersFrom(n * 2_654_435_761);
  draw();
  const user = present(owners[n % owners.length], 'an owner');
  const count = 2 + Math.floor(draw() * 3);
  const chosen = ASSETS.map(({ symbol }) => ({ symbol, rank: draw() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count);
  const shares = chosen.map(() => 0.1 + draw());
  const sum = shares.reduce((a, b) => a + b, 0);
  const weights = shares.map((share) => Math.floor((share / sum) * 10_000));
  weights[0] = (weights[0] ?? 0) + 10_000 - weights.reduce((a, b) => a + b, 0);
  return {
    user,
    intent: {
      intentType: 'rebalance',
      scope: { assets: ASSETS.map(({ symbol }) => symbol) },
      targets: chosen.map(({ symbol }, i) => ({ asset: symbol, weightBps: weights[i] ?? 0 })),
    },
  };
}
