// Uniswap v2 and v3 pool states at one block, over the Chain port. Owns the calls and how a pool's
// initialised ticks are found: the whole tickBitmap, then liquidityNet of each set bit, so that the
// exact re-execution meets every tick the contract would. Refuses nothing silently: a pool that
// does not answer, or is empty, is left out and named in `skipped`.

import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem';
import type { PoolState, UniswapV2State, UniswapV3State } from '../market/snapshot.ts';
import { present } from '../types/assert.ts';
import type { ChainConfig, PoolConfig } from '../types/network.ts';
import type { BlockRef, Call, CallResult, Chain } from '../types/ports.ts';

const v2Abi = parseAbi([
  'function getReserves() view returns (uint112 reserve0, uint112 reserve1, uint32 timestamp)',
]);
const v3Abi = parseAbi([
  'function slot0() view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, uint8, bool)',
  'function liquidity() view returns (uint128)',
  'function tickSpacing() view returns (int24)',
  'function tickBitmap(int16 word) view returns (uint256)',
  'function ticks(int24 tick) view returns (uint128 gross, int128 net, uint256, uint256, int56, uint160, uint32, bool initialized)',
]);

/** TickMath's limit: ticks run from −887272 to 887272. */
const TICK_MAX = 887_272;
/** A pool with more initialised ticks than this is left out: its reads would take minutes. */
export const TICKS_PER_POOL_MAX = 10_000;

export interface PoolRead {
  readonly pools: readonly PoolState[];
  /** Pool id → why it is left out. */
  readonly skipped: ReadonlyMap<string, string>;
}

/** All configured pools of a chain at one block; three round trips. Throws Fault. */
export async function readPools(
  chain: Chain,
  config: ChainConfig,
  at: BlockRef,
): Promise<PoolRead> {
  const skipped = new Map<string, string>();
  const heads = await readHeads(chain, config.pools, at);
  const bitmaps = await readBitmaps(chain, heads, at);
  const pools: PoolState[] = [];
  const nets = await readNets(chain, bitmaps, at, skipped);
  for (const pool of config.pools) {
    const head = heads.get(pool.id);
    if (head === undefined) {
      skipped.set(pool.id, 'the pool did not answer, or holds nothing');
    } else if (head.kind === 'uniswapV2') {
      pools.push(head);
    } else {
      const ticks = nets.get(pool.id);
      if (ticks !== undefined) pools.push({ ...stateOf(head), ticks });
    }
  }
  return { pools, skipped };
}

type Ticks = UniswapV3State['ticks'];
type V3Head = Omit<UniswapV3State, 'ticks'> & { readonly tickSpacing: number };
type Head = V3Head | UniswapV2State;

const stateOf = ({ kind, pool, sqrtPriceX96, tick, liquidity }: V3Head) => ({
  kind,
  pool,
  sqrtPriceX96,
  tick,
  liquidity,
});

async function readHeads(
  chain: Chain,
  pools: readonly PoolConfig[],
  at: BlockRef,
): Promise<ReadonlyMap<string, Head>> {
  const calls: Call[] = pools.flatMap(({ kind, address: to }) =>
    kind === 'uniswapV2'
      ? [{ to, data: encodeFunctionData({ abi: v2Abi, functionName: 'getReserves' }) }]
      : (['slot0', 'liquidity', 'tickSpacing'] as const).map((functionName) => ({
          to,
          data: encodeFunctionData({ abi: v3Abi, functionName }),
        })),
  );
  const results = await chain.read(calls, at);
  const heads = new Map<string, Head>();
  let next = 0;
  const take = () => present(results[next++], 'a result per call');
  for (const pool of pools) {
    const head = pool.kind === 'uniswapV2' ? v2Head(pool, take()) : v3Head(pool, take, 3);
    if (head !== null) heads.set(pool.id, head);
  }
  return heads;
}

function v2Head(pool: PoolConfig, result: CallResult): Head | null {
  if (!answered(result)) return null;
  const [reserve0, reserve1] = decodeFunctionResult({
    abi: v2Abi,
    functionName: 'getReserves',
    data: result.data,
  });
  if (reserve0 === 0n || reserve1 === 0n) return null;
  return { kind: 'uniswapV2', pool, reserves: [reserve0, reserve1] };
}

function v3Head(pool: PoolConfig, take: () => CallResult, calls: 3): V3Head | null {
  const [slot0, liquidity, spacing] = Array.from({ length: calls }, take);
  if (!answered(slot0) || !answered(liquidity) || !answered(spacing)) return null;
  const abi = v3Abi;
  const [sqrtPriceX96, tick] = decodeFunctionResult({
    abi,
    functionName: 'slot0',
    data: slot0.data,
  });
  if (sqrtPriceX96 === 0n) return null;
  return {
    kind: 'uniswapV3',
    pool,
    sqrtPriceX96,
    tick,
    liquidity: decodeFunctionResult({ abi, functionName: 'liquidity', data: liquidity.data }),
    tickSpacing: decodeFunctionResult({ abi, functionName: 'tickSpacing', data: spacing.data }),
  };
}

/** Every initialised tick per pool id, ascending. */
async function readBitmaps(
  chain: Chain,
  heads: ReadonlyMap<string, Head>,
  at: BlockRef,
): Promise<readonly { readonly head: V3Head; readonly ticks: readonly number[] }[]> {
  const v3 = [...heads.values()].filter((head) => head.kind === 'uniswapV3');
  const words = v3.map((head) => {
    const last = Math.floor(TICK_MAX / head.tickSpacing);
    const lowest = Math.floor(-last / 256);
    const highest = Math.floor(last / 256);
    return Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  });
  const calls = v3.flatMap((head, i) =>
    present(words[i], 'words per pool').map((word) => ({
      to: head.pool.address,
      data: encodeFunctionData({ abi: v3Abi, functionName: 'tickBitmap', args: [word] }),
    })),
  );
  const results = await chain.read(calls, at);
  let next = 0;
  return v3.map((head, i) => {
    const ticks: number[] = [];
    for (const word of present(words[i], 'words per pool')) {
      const result = present(results[next++], 'a result per call');
      if (answered(result))
        ticks.push(...setBits(result, word).map((bit) => bit * head.tickSpacing));
    }
    return { head, ticks };
  });
}

/** Compressed ticks whose bit is set in one word, ascending. */
function setBits({ data }: CallResult, word: number): number[] {
  let bits = decodeFunctionResult({ abi: v3Abi, functionName: 'tickBitmap', data });
  const found: number[] = [];
  for (let bit = 0; bits !== 0n; bit++, bits >>= 1n) {
    if ((bits & 1n) === 1n) found.push(word * 256 + bit);
  }
  return found;
}

async function readNets(
  chain: Chain,
  bitmaps: readonly { readonly head: V3Head; readonly ticks: readonly number[] }[],
  at: BlockRef,
  skipped: Map<string, string>,
): Promise<ReadonlyMap<string, Ticks>> {
  const usable = bitmaps.filter(({ head, ticks }) => {
    if (ticks.length <= TICKS_PER_POOL_MAX) return true;
    skipped.set(head.pool.id, `has ${ticks.length} ticks, more than ${TICKS_PER_POOL_MAX}`);
    return false;
  });
  const calls = usable.flatMap(({ head, ticks }) =>
    ticks.map((tick) => ({
      to: head.pool.address,
      data: encodeFunctionData({ abi: v3Abi, functionName: 'ticks', args: [tick] }),
    })),
  );
  const results = calls.length === 0 ? [] : await chain.read(calls, at);
  const nets = new Map<string, Ticks>();
  let next = 0;
  for (const { head, ticks } of usable) {
    const list: Ticks[number][] = [];
    for (const tick of ticks) {
      const result = present(results[next++], 'a result per call');
      if (!answered(result)) break;
      const [, liquidityNet] = decodeFunctionResult({
        abi: v3Abi,
        functionName: 'ticks',
        data: result.data,
      });
      list.push({ tick, liquidityNet });
    }
    if (list.length === ticks.length) nets.set(head.pool.id, list);
    else skipped.set(head.pool.id, 'a tick did not answer');
  }
  return nets;
}

/** A call to an address without code succeeds with nothing: that is no answer either. */
const answered = (result: CallResult | undefined): result is CallResult =>
  result?.ok === true && result.data !== '0x';
