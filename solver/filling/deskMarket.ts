// One chain's market as the desk trades on it: pools as venues with their gas, every listed token as
// a node with its feed's price, and the desk's own balances. Made from the same read that quoting
// uses. Refuses a chain of which any price is stale: worth at feed prices must mean something.

import { GAS } from '../../contracts-abi/gas.ts';
import { type Fixed36, fixed36, formatFixed36 } from '../market/decimal.ts';
import { priceFromFeed } from '../market/prices.ts';
import { nodeIdOf, venueOfPool } from '../market/snapshot.ts';
import type { ChainMarket, MessageFee } from '../market/source.ts';
import { mulDivUp, type UnixSeconds } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { Fault, isRefusal } from '../types/errors.ts';
import type { ChainId, EvmAddress } from '../types/ids.ts';
import type { ChainConfig, PoolConfig, TokenConfig } from '../types/network.ts';
import type { BlockRef } from '../types/ports.ts';
import type { ConcentratedVenue, ConstantProductVenue, ProblemNode } from '../types/problem.ts';
import type { Amounts } from './value.ts';

const SWAP_GAS = { uniswapV2: GAS.swapV2, uniswapV3: GAS.swapV3 } as const;

export interface DeskMarket {
  readonly chainId: ChainId;
  readonly config: ChainConfig;
  readonly block: BlockRef;
  readonly nodes: readonly ProblemNode[];
  readonly venues: readonly (ConstantProductVenue | ConcentratedVenue)[];
  /** By venue id. */
  readonly pools: ReadonlyMap<string, PoolConfig>;
  /** The desk's balances by node, before reservations. */
  readonly balances: Amounts;
  readonly messageFees: ReadonlyMap<ChainId, MessageFee>;
  /** Worth of so much gas spent now, 18-decimal dollars, rounded up. */
  gasWad(gas: bigint): bigint;
  /** Worth of so many wei of the native coin, 18-decimal dollars, rounded up. */
  weiWad(wei: bigint): bigint;
}

export function deskMarket(config: ChainConfig, market: ChainMarket, now: UnixSeconds): DeskMarket {
  const { chainId } = config;
  const prices = new Map<EvmAddress, Fixed36>(
    config.tokens.map((token) => [token.address, feedPrice(token, market, now)]),
  );
  const nativeConfig = present(
    config.tokens.find((token) => token.asset === config.nativeAsset),
    `a token of asset ${config.nativeAsset} on chain ${chainId}`,
  );
  const native = present(prices.get(nativeConfig.address), 'native price');
  // Dollars × 10^36 per wei × 10^18; so worth in 10^-18 dollars is wei · price / 10^36.
  const weiWad = (wei: bigint) => mulDivUp(wei, native, 10n ** 36n);
  const gasWad = (gas: bigint) => weiWad(gas * market.gasPrice);
  const idOf = new Map(config.tokens.map((t) => [t.address, nodeIdOf(chainId, t.symbol)]));
  return {
    chainId,
    config,
    block: market.block,
    nodes: config.tokens.map((token) => ({
      id: nodeIdOf(chainId, token.symbol),
      asset: token.asset,
      chain: chainId,
      decimals: token.decimals,
      price: formatFixed36(present(prices.get(token.address), token.symbol)),
    })),
    venues: market.pools.flatMap((state) => {
      const [a, b] = state.pool.tokens.map((token) => idOf.get(token));
      if (a === undefined || b === undefined) return [];
      const cost = fixed36(gasWad(SWAP_GAS[state.kind]) * 10n ** 18n);
      return [venueOfPool(state, [a, b], cost)];
    }),
    pools: new Map(market.pools.map(({ pool }) => [pool.id, pool])),
    balances: new Map(
      config.tokens.map((t) => [
        nodeIdOf(chainId, t.symbol),
        market.inventory.get(t.address) ?? 0n,
      ]),
    ),
    messageFees: market.messageFees,
    gasWad,
    weiWad,
  };
}

/** The node of a token address; null for a token that is not listed. */
export function nodeOfToken(market: DeskMarket, token: string): ProblemNode | null {
  const config = market.config.tokens.find((t) => t.address === token.toLowerCase());
  if (config === undefined) return null;
  return market.nodes.find((n) => n.id === nodeIdOf(market.chainId, config.symbol)) ?? null;
}

/** The token address of a node. */
export function tokenOfNode(market: DeskMarket, nodeId: string): EvmAddress {
  const config = market.config.tokens.find((t) => nodeIdOf(market.chainId, t.symbol) === nodeId);
  return present(config, `token of node ${nodeId}`).address;
}

function feedPrice(token: TokenConfig, market: ChainMarket, now: UnixSeconds): Fixed36 {
  const reading = market.feeds.get(token.address);
  if (reading === undefined) {
    throw new Fault(`the feed of ${token.symbol} on chain ${market.chainId} did not answer`, {
      code: 'feedDown',
    });
  }
  const price = priceFromFeed(token, market.chainId, reading, now);
  if (isRefusal(price)) throw new Fault(price.message, { code: price.refused });
  return price;
}
