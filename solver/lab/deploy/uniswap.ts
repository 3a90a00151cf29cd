// Uniswap v2 and v3 from their published artifacts, and pools seeded near each chain's own prices:
// v2 with one reserve, v3 with positions over several ranges.

import {
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  encodePacked,
  getCreate2Address,
  keccak256,
  parseAbi,
  parseAbiParameters,
} from 'viem';
import { present } from '../../types/assert.ts';
import { type EvmAddress, evmAddress, type Hex } from '../../types/ids.ts';
import type { PoolConfig, TokenConfig } from '../../types/network.ts';
import { roleAddress } from '../accounts.ts';
import type { UniswapContracts } from '../deployment.ts';
import { ASSETS, type AssetName, type LabChain, type LabPool, V3_RANGES } from '../setup.ts';
import { creationCode } from './artifacts.ts';
import type { Batch } from './batch.ts';
import { halves, type PricedToken, positionFor, priceRatio, sqrtPriceX96 } from './poolMath.ts';

/** Ticks between usable ones, fixed by the factory for each fee. */
const TICK_SPACING: Readonly<Record<number, number>> = { 500: 10, 3000: 60, 10000: 200 };
/** The lab's set-up transactions are mined at once; the deadline is for form. */
const FOREVER = 2n ** 40n;

const tokenAbi = parseAbi([
  'function transfer(address to, uint256 amount) returns (bool)',
  'function approve(address spender, uint256 amount) returns (bool)',
]);
const v2Abi = parseAbi([
  'function createPair(address a, address b) returns (address)',
  'function mint(address to) returns (uint256)',
]);
const v3Abi = parseAbi([
  'struct MintParams { address token0; address token1; uint24 fee; int24 tickLower; int24 tickUpper; uint256 amount0Desired; uint256 amount1Desired; uint256 amount0Min; uint256 amount1Min; address recipient; uint256 deadline; }',
  'function createPool(address a, address b, uint24 fee) returns (address)',
  'function initialize(uint160 sqrtPriceX96)',
  'function mint(MintParams params) returns (uint256 id, uint128 liquidity, uint256 amount0, uint256 amount1)',
]);

/** Queues factories and the v3 contracts around them. */
export function deployUniswap(batch: Batch, wrappedNative: EvmAddress): UniswapContracts {
  const owner = encodeAbiParameters(parseAbiParameters('address'), [roleAddress('deployer')]);
  const v2Factory = batch.deploy(
    'UniswapV2Factory',
    concatHex([creationCode('uniswapV2Factory'), owner]),
  );
  const v3Factory = batch.deploy('UniswapV3Factory', creationCode('uniswapV3Factory'));
  const periphery = encodeAbiParameters(parseAbiParameters('address, address'), [
    v3Factory,
    wrappedNative,
  ]);
  const positionsArguments = encodeAbiParameters(
    parseAbiParameters('address, address, address'),
    // No one looks at the lab's position images: the descriptor's address is never called.
    [v3Factory, wrappedNative, wrappedNative],
  );
  return {
    v2Factory,
    v3Factory,
    v3Positions: batch.deploy(
      'NonfungiblePositionManager',
      concatHex([creationCode('uniswapV3Positions'), positionsArguments]),
    ),
    v3Quoter: batch.deploy('QuoterV2', concatHex([creationCode('uniswapV3Quoter'), periphery])),
    v3Router: batch.deploy('SwapRouter', concatHex([creationCode('uniswapV3Router'), periphery])),
  };
}

interface Side extends PricedToken {
  readonly address: EvmAddress;
}

/**
 * Queues creation and seeding of every pool of `chain`. `deployer` must hold enough of all tokens.
 * Returns the pools with tokens in the pools' own order.
 */
export function seedPools(
  batch: Batch,
  chain: LabChain,
  uniswap: UniswapContracts,
  tokens: readonly TokenConfig[],
): PoolConfig[] {
  for (const { symbol, address } of tokens) {
    const approve = {
      abi: tokenAbi,
      functionName: 'approve',
      args: [uniswap.v3Positions, 2n ** 256n - 1n],
    } as const;
    batch.call(`approve ${symbol} to positions`, address, encodeFunctionData(approve));
  }
  return chain.pools.map((pool) => {
    const [a, b] = pool.pair.map((asset, index) =>
      sideOf(chain, tokens, asset, index === 0 ? pool.skewBps : 0),
    );
    const first = present(a, 'first token');
    const second = present(b, 'second token');
    const sorted: readonly [Side, Side] =
      first.address < second.address ? [first, second] : [second, first];
    const address =
      pool.kind === 'uniswapV2'
        ? seedV2(batch, uniswap.v2Factory, pool, sorted)
        : seedV3(batch, uniswap, pool, sorted);
    return {
      id: poolId(chain.chainId, pool),
      kind: pool.kind,
      address,
      tokens: [sorted[0].address, sorted[1].address],
      feePips: pool.feePips,
    };
  });
}

/** e.g. `31338:v3:WETH/USDC:3000`. */
export function poolId(chainId: number, pool: LabPool): string {
  const symbols = pool.pair.map((asset) => assetOf(asset).symbol).join('/');
  return `${chainId}:${pool.kind === 'uniswapV2' ? 'v2' : 'v3'}:${symbols}:${pool.feePips}`;
}

function seedV2(batch: Batch, factory: EvmAddress, pool: LabPool, sides: readonly [Side, Side]) {
  const [token0, token1] = sides;
  const create = {
    abi: v2Abi,
    functionName: 'createPair',
    args: [token0.address, token1.address],
  } as const;
  batch.call('v2 pair', factory, encodeFunctionData(create));
  const packed = encodePacked(['address', 'address'], [token0.address, token1.address]);
  const pair = create2(factory, keccak256(packed), 'uniswapV2Pair');
  for (const side of sides) {
    const transfer = {
      abi: tokenAbi,
      functionName: 'transfer',
      args: [pair, halves(side, pool.dollars)],
    } as const;
    batch.call('v2 reserve', side.address, encodeFunctionData(transfer));
  }
  const mint = { abi: v2Abi, functionName: 'mint', args: [roleAddress('deployer')] } as const;
  batch.call('v2 liquidity', pair, encodeFunctionData(mint));
  return pair;
}

function seedV3(
  batch: Batch,
  uniswap: UniswapContracts,
  pool: LabPool,
  sides: [Side, Side] | readonly [Side, Side],
) {
  const [token0, token1] = sides;
  const create = {
    abi: v3Abi,
    functionName: 'createPool',
    args: [token0.address, token1.address, pool.feePips],
  } as const;
  batch.call('v3 pool', uniswap.v3Factory, encodeFunctionData(create));
  const key = encodeAbiParameters(parseAbiParameters('address, address, uint24'), [
    token0.address,
    token1.address,
    pool.feePips,
  ]);
  const address = create2(uniswap.v3Factory, keccak256(key), 'uniswapV3Pool');
  const initialize = {
    abi: v3Abi,
    functionName: 'initialize',
    args: [sqrtPriceX96(priceRatio(token0, token1))],
  } as const;
  batch.call('v3 price', address, encodeFunctionData(initialize));
  const spacing = present(TICK_SPACING[pool.feePips], `tick spacing of ${pool.feePips}`);
  for (const range of V3_RANGES) {
    const position = positionFor(token0, token1, spacing, range, pool.dollars * range.share);
    const mint = {
      abi: v3Abi,
      functionName: 'mint',
      args: [
        {
          token0: token0.address,
          token1: token1.address,
          fee: pool.feePips,
          tickLower: position.tickLower,
          tickUpper: position.tickUpper,
          amount0Desired: position.amount0,
          amount1Desired: position.amount1,
          amount0Min: 0n,
          amount1Min: 0n,
          recipient: roleAddress('deployer'),
          deadline: FOREVER,
        },
      ],
    } as const;
    batch.call('v3 position', uniswap.v3Positions, encodeFunctionData(mint));
  }
  return address;
}

function create2(from: EvmAddress, salt: Hex, code: 'uniswapV2Pair' | 'uniswapV3Pool'): EvmAddress {
  return evmAddress(getCreate2Address({ from, salt, bytecode: creationCode(code) }));
}

function sideOf(
  chain: LabChain,
  tokens: readonly TokenConfig[],
  asset: AssetName,
  skewBps: number,
): Side {
  const token = present(
    tokens.find((candidate) => candidate.asset === asset),
    `token of ${asset}`,
  );
  const premium = 1 + (chain.premiumBps[asset] + skewBps) / 10_000;
  const dollars = assetOf(asset).dollars * premium;
  return { address: token.address, decimals: token.decimals, dollars };
}

function assetOf(asset: AssetName) {
  return present(
    ASSETS.find((candidate) => candidate.asset === asset),
    `asset ${asset}`,
  );
}
