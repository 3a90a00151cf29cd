// The cheapest single path that buys an amount: one pool or two in a row, in exact integers. It splits
// nothing and looks no further, which is what makes the greedy rival greedy.

import { concentratedIn } from '../../../solver/market/exact/concentrated.ts';
import { constantProductIn } from '../../../solver/market/exact/constantProduct.ts';
import type { PoolState } from '../../../solver/market/snapshot.ts';

/** Uniswap v3's tick spacing by fee. */
const SPACING: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };

export interface Path {
  /** Base units of the token paid. */
  readonly amountIn: bigint;
  readonly hops: readonly PathHop[];
}
export interface PathHop {
  readonly pool: string;
  readonly tokenOut: `0x${string}`;
  /** As RouteExecutor names pools: 0 is the v2 pair. */
  readonly feePips: number;
}

/** Null when no pool or pair of pools delivers it. `used`: pools that another purchase moves. */
export function cheapestPath(
  pools: readonly PoolState[],
  tokenIn: string,
  tokenOut: string,
  amountOut: bigint,
  used: ReadonlySet<string> = new Set(),
): Path | null {
  const free = pools.filter(({ pool }) => !used.has(pool.id));
  let best: Path | null = null;
  const consider = (path: Path) => {
    if (best === null || path.amountIn < best.amountIn) best = path;
  };
  for (const last of free) {
    const between = other(last, tokenOut);
    if (between === null) continue;
    const needed = amountFor(last, between, amountOut);
    if (needed === null) continue;
    const hop = hopOf(last, tokenOut);
    if (between === tokenIn) consider({ amountIn: needed, hops: [hop] });
    else {
      for (const first of free) {
        if (first === last || other(first, between) !== tokenIn) continue;
        const paid = amountFor(first, tokenIn, needed);
        if (paid !== null) consider({ amountIn: paid, hops: [hopOf(first, between), hop] });
      }
    }
  }
  return best;
}

/** The pool's other token; null when it does not trade this one. */
function other({ pool: { tokens } }: PoolState, token: string): string | null {
  if (tokens[0] === token) return tokens[1];
  return tokens[1] === token ? tokens[0] : null;
}

const hopOf = ({ kind, pool }: PoolState, tokenOut: string): PathHop => ({
  pool: pool.id,
  tokenOut: tokenOut as `0x${string}`,
  feePips: kind === 'uniswapV2' ? 0 : pool.feePips,
});

/** Input of `tokenIn` that the pool charges for exactly `amountOut`; null when it cannot. */
function amountFor(state: PoolState, tokenIn: string, amountOut: bigint): bigint | null {
  const { tokens, feePips } = state.pool;
  const zeroForOne = tokens[0] === tokenIn;
  if (state.kind === 'uniswapV2') {
    const [a, b] = zeroForOne ? state.reserves : [state.reserves[1], state.reserves[0]];
    const needed = constantProductIn(a, b, feePips, amountOut);
    return typeof needed === 'bigint' ? needed : null;
  }
  const tickSpacing = SPACING[feePips];
  if (tickSpacing === undefined) return null;
  const trade = concentratedIn({ ...state, feePips, tickSpacing }, zeroForOne, amountOut);
  return 'refused' in trade ? null : trade.amountIn;
}
