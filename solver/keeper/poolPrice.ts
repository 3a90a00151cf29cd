// A second opinion on a price: what the deepest pool of a chain says of an asset, in dollars by the
// feed of the token on its other side. Pure. It moves no money: it only has to agree with the
// feeds.

import type { PoolState } from '../market/snapshot.ts';
import type { ChainMarket } from '../market/source.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { ChainConfig } from '../types/network.ts';

export interface PoolPrice {
  /** Dollars per whole token. */
  readonly price: number;
  /** Dollars on the other side at the present price: what the reading is worth believing by. */
  readonly depthUsd: number;
}

/** 2^96 as a float. */
const Q96 = 2 ** 96;

/**
 * The mid of the pool with the most dollars opposite `token`; null when no pool of it has a priced
 * other side. `usdOf`: dollars per whole token by feed, or null.
 */
export function deepestPoolPrice(
  chain: ChainConfig,
  market: ChainMarket,
  token: EvmAddress,
  usdOf: (other: EvmAddress) => number | null,
): PoolPrice | null {
  const decimals = new Map(chain.tokens.map((listed) => [listed.address, listed.decimals]));
  let best: PoolPrice | null = null;
  for (const state of market.pools) {
    const side = state.pool.tokens.indexOf(token);
    const other = state.pool.tokens[1 - side];
    if (side < 0 || other === undefined) continue;
    const usd = usdOf(other);
    const [own, opposite] = [decimals.get(token), decimals.get(other)];
    if (usd === null || own === undefined || opposite === undefined) continue;
    const { perUnit, otherUnits } = midOf(state, side === 0);
    const price = perUnit * 10 ** (own - opposite) * usd;
    const depthUsd = otherUnits * 10 ** -opposite * usd;
    if (!Number.isFinite(price) || price <= 0 || !Number.isFinite(depthUsd)) continue;
    if (best === null || depthUsd > best.depthUsd) best = { price, depthUsd };
  }
  return best;
}

/**
 * Base units of the other token per base unit of ours at the margin, and how many of them stand
 * there: reserves of a constant product; of concentrated liquidity L the virtual reserve, L·√P or
 * L/√P.
 */
function midOf(state: PoolState, first: boolean): { perUnit: number; otherUnits: number } {
  if (state.kind === 'uniswapV2') {
    const [r0, r1] = [Number(state.reserves[0]), Number(state.reserves[1])];
    return first ? { perUnit: r1 / r0, otherUnits: r1 } : { perUnit: r0 / r1, otherUnits: r0 };
  }
  const root = Number(state.sqrtPriceX96) / Q96;
  const liquidity = Number(state.liquidity);
  return first
    ? { perUnit: root * root, otherUnits: liquidity * root }
    : { perUnit: 1 / (root * root), otherUnits: liquidity / root };
}
