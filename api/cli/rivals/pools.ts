// Pool states for a rival's quotes: exact, and cheap to keep. Where liquidity stands changes rarely
// and takes thousands of reads, prices change every block and take a few, so ticks are kept and heads
// are read anew; kept ticks that no longer explain a pool's liquidity are read again.

import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem';
import { readPools } from '../../../solver/adapters/poolReader.ts';
import { createViemChain } from '../../../solver/adapters/viemChain.ts';
import type { PoolState } from '../../../solver/market/snapshot.ts';
import { chainId, eid, evmAddress } from '../../../solver/types/ids.ts';
import type { ChainConfig, PoolConfig } from '../../../solver/types/network.ts';
import type { CallResult } from '../../../solver/types/ports.ts';
import type { SolverChain } from '../../client/solver/index.ts';

const v2Abi = parseAbi(['function getReserves() view returns (uint112, uint112, uint32)']);
const v3Abi = parseAbi([
  'function slot0() view returns (uint160, int24, uint16, uint16, uint16, uint8, bool)',
  'function liquidity() view returns (uint128)',
]);

export interface PoolBook {
  /** Every pool that answers, at the head. */
  read(): Promise<readonly PoolState[]>;
}

/** Pools of kinds that RouteExecutor trades; others are left out. */
export function createPoolBook(chain: SolverChain): PoolBook {
  const port = createViemChain({
    chainId: chainId(chain.chainId),
    rpcUrl: chain.rpcUrl,
    confirmations: chain.confirmations,
    multicall3: evmAddress(chain.contracts.multicall3),
  });
  const config = configOf(chain);
  let kept: readonly PoolState[] | null = null;
  return {
    async read() {
      const at = await port.block('latest');
      if (kept !== null) {
        const fresh = heads(kept, await port.read(kept.flatMap(headCalls), at));
        if (fresh !== null) {
          kept = fresh;
          return kept;
        }
      }
      kept = (await readPools(port, config, at)).pools;
      return kept;
    },
  };
}

function headCalls({ kind, pool: { address: to } }: PoolState) {
  return kind === 'uniswapV2'
    ? [{ to, data: encodeFunctionData({ abi: v2Abi, functionName: 'getReserves' }) }]
    : (['slot0', 'liquidity'] as const).map((functionName) => ({
        to,
        data: encodeFunctionData({ abi: v3Abi, functionName }),
      }));
}

/** The same pools with new heads; null when some liquidity is not where it was. */
function heads(
  kept: readonly PoolState[],
  results: readonly CallResult[],
): readonly PoolState[] | null {
  let next = 0;
  const take = (): CallResult => results[next++] ?? { ok: false, data: '0x' };
  const fresh: PoolState[] = [];
  for (const state of kept) {
    if (state.kind === 'uniswapV2') {
      const { ok, data } = take();
      if (!ok) return null;
      const [a, b] = decodeFunctionResult({ abi: v2Abi, functionName: 'getReserves', data });
      fresh.push({ ...state, reserves: [a, b] });
      continue;
    }
    const [slot0, depth] = [take(), take()];
    if (!slot0.ok || !depth.ok) return null;
    const abi = v3Abi;
    const [sqrtPriceX96, tick] = decodeFunctionResult({
      abi,
      functionName: 'slot0',
      data: slot0.data,
    });
    const liquidity = decodeFunctionResult({ abi, functionName: 'liquidity', data: depth.data });
    const explained = state.ticks
      .filter((one) => one.tick <= tick)
      .reduce((sum, one) => sum + one.liquidityNet, 0n);
    if (explained !== liquidity) return null;
    fresh.push({ ...state, sqrtPriceX96, tick, liquidity });
  }
  return fresh;
}

/** What reading pools needs of a chain; feeds are not read here. */
function configOf(chain: SolverChain): ChainConfig {
  const zero = evmAddress(`0x${'0'.repeat(40)}`);
  const pools = chain.pools.flatMap((pool): PoolConfig[] => {
    if (pool.kind !== 'uniswapV2' && pool.kind !== 'uniswapV3') return [];
    const [a, b] = pool.tokens;
    const tokens = [evmAddress(a), evmAddress(b)] as const;
    const { id, kind, feePips } = pool;
    return [{ id, kind, address: evmAddress(pool.address), tokens, feePips }];
  });
  return {
    chainId: chainId(chain.chainId),
    name: chain.name,
    eid: eid(chain.eid),
    rpcUrl: chain.rpcUrl,
    confirmations: chain.confirmations,
    blockSeconds: chain.blockSeconds,
    nativeAsset: chain.nativeAsset,
    contracts: {
      portfolioSettler: evmAddress(chain.contracts.portfolioSettler),
      outputSettler: evmAddress(chain.contracts.outputSettler),
      layerZeroOracle: evmAddress(chain.contracts.layerZeroOracle),
      routeExecutor: evmAddress(chain.contracts.routeExecutor),
      multicall3: evmAddress(chain.contracts.multicall3),
      layerZeroEndpoint: zero,
      uniswapV2Factory: zero,
      uniswapV3Factory: zero,
      wrappedNative: zero,
    },
    tokens: [],
    pools,
  };
}
