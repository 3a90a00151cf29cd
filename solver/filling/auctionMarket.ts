// What an auction is priced with: decimals and feed prices of every output, from the very market reads
// the desk plans on, with the blocks they were read at and the digest of the whole snapshot. A chain
// that does not answer, or whose price is stale, leaves its orders out; it never stops the others.

import { parseFixed36 } from '../market/decimal.ts';
import { makeSnapshot } from '../market/snapshot.ts';
import type { ChainMarket, MarketSource } from '../market/source.ts';
import type { AuctionedOrder, AuctionMarket, PricedOrders } from '../settlement/ports.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { type ChainId, chainId, fromBytes32Address, type Hash32 } from '../types/ids.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { Clock } from '../types/ports.ts';
import { type DeskMarket, deskMarket, nodeOfToken } from './deskMarket.ts';
import { priceWadOf } from './value.ts';

export interface AuctionMarketDeps {
  readonly source: MarketSource;
  readonly network: NetworkConfig;
  readonly clock: Clock;
  readonly engine: Hash32;
  /** A chain that was left out, and why. */
  readonly onDown?: (fault: Fault) => void;
}

interface ReadChain {
  readonly desk: DeskMarket;
  readonly market: ChainMarket;
}

export function createAuctionMarket(deps: AuctionMarketDeps): AuctionMarket {
  return {
    engine: deps.engine,
    async price(orders) {
      const ids = [...new Set(orders.flatMap(({ order }) => destinations(order)))];
      const reads = new Map<ChainId, ReadChain>();
      await Promise.all(
        ids.map(async (id) => {
          const read = await readChain(deps, id);
          if (read !== null) reads.set(id, read);
        }),
      );
      return priced(orders, reads);
    },
  };
}

async function readChain(deps: AuctionMarketDeps, id: ChainId): Promise<ReadChain | null> {
  const config = deps.network.chains.find((chain) => chain.chainId === id);
  try {
    const market = await deps.source.chain(id);
    const desk = deskMarket(present(config, `chain ${id}`), market, deps.clock.now());
    return { desk, market };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    deps.onDown?.(error);
    return null;
  }
}

function priced(
  orders: readonly AuctionedOrder[],
  reads: ReadonlyMap<ChainId, ReadChain>,
): PricedOrders {
  const known = orders.filter(({ order }) => destinations(order).every((id) => reads.has(id)));
  const used = new Set(known.flatMap(({ order }) => destinations(order)));
  const chains = [...reads].filter(([id]) => used.has(id)).sort(([a], [b]) => a - b);
  const snapshot = makeSnapshot(
    chains.map(([id, { desk, market }]) => ({
      chainId: id,
      block: market.block,
      pools: market.pools,
      prices: new Map(
        desk.nodes.map((node) => [
          node.id.slice(node.id.indexOf(':') + 1),
          parseFixed36(present(node.price, node.id)),
        ]),
      ),
    })),
  );
  return {
    snapshotDigest: snapshot.digest,
    blocks: chains.map(([id, { market }]) => ({
      chainId: id,
      number: market.block.number.toString(),
      hash: market.block.hash,
    })),
    prices: new Map(
      known.map(({ orderId, order }) => [
        orderId,
        order.outputs.map((output) => {
          const { desk } = present(reads.get(chainId(Number(output.chainId))), 'a chain read');
          const token = fromBytes32Address(output.token);
          const node = present(nodeOfToken(desk, token), `node of ${token}`);
          return { decimals: node.decimals, priceWad: priceWadOf(node) };
        }),
      ]),
    ),
  };
}

const destinations = (order: AuctionedOrder['order']): readonly ChainId[] => [
  ...new Set(order.outputs.map((output) => chainId(Number(output.chainId)))),
];
