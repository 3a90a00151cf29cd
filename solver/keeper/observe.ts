// The world as a policy sees it: prices from every source, what the owner holds on every chain with
// funds in flight counted once, gas. Owns what makes a portfolio visible at all; whether a price
// may be believed is the policy's to judge. Worth is taken in exact integers, and only then made
// weights.

import { type Fixed36, fixed36, ONE36 } from '../market/decimal.ts';
import { priceFromFeed } from '../market/prices.ts';
import { nodeIdOf } from '../market/snapshot.ts';
import type { ChainMarket } from '../market/source.ts';
import type { PriceReading } from '../policy/guards/oracle.ts';
import type { Policy } from '../policy/types.ts';
import { orderCosts } from '../quoting/costs.ts';
import { type Usd, usd, worthDown } from '../quoting/money.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { Fault, isRefusal } from '../types/errors.ts';
import type { ChainId, EvmAddress } from '../types/ids.ts';
import type { ChainConfig, TokenConfig } from '../types/network.ts';
import type { PolicyRefusal } from '../types/policyService.ts';
import type { StoredOrder } from '../types/store.ts';
import { type InFlight, readInFlight } from './inFlight.ts';
import { deepestPoolPrice } from './poolPrice.ts';
import type { KeeperDeps } from './ports.ts';

export interface Observed {
  readonly now: UnixSeconds;
  /** Ascending by chain id. */
  readonly chains: readonly ChainConfig[];
  /** Per asset of the policy, every source's reading. */
  readonly prices: readonly (readonly PriceReading[])[];
  /** Per asset: the freshest feed's, dollars per whole token; what worth is counted at. */
  readonly usd: Float64Array;
  /** When that feed spoke. */
  readonly usdAt: readonly UnixSeconds[];
  readonly weights: Float64Array;
  readonly chainWeights: ReadonlyMap<ChainId, Float64Array>;
  readonly worthUsd: number;
  readonly inFlightUsd: number;
  readonly gasUsd: number | null;
  /** Ids of configured pools that do not answer or are empty. */
  readonly failedVenues: readonly string[];
  /** The owner's unfinished orders. */
  readonly orders: readonly StoredOrder[];
}

interface Live {
  readonly config: ChainConfig;
  readonly market: ChainMarket;
  readonly balances: ReadonlyMap<EvmAddress, bigint>;
}

export type Look = Pick<KeeperDeps, 'source' | 'network' | 'clock' | 'orders' | 'standing'>;

/** What is held instead of what the chains say: base units by node id. */
export type Instead = ReadonlyMap<string, bigint>;

/**
 * Reads every chain in scope at its head. A portfolio that cannot be seen whole is a Refusal:
 * `chainDown`, `stalePrice` (a price is missing altogether), `emptyPortfolio`. Throws Fault when
 * the store is down.
 */
export async function observe(
  deps: Look,
  policy: Policy,
  owner: EvmAddress,
  instead: Instead | null = null,
): Promise<Observed | PolicyRefusal> {
  const live = await readLive(deps, policy, owner);
  if (isRefusal(live)) return live;
  const now = unixSeconds(
    Math.max(deps.clock.now(), ...live.map(({ market }) => market.block.timestamp)),
  );
  const blocks = new Map(live.map(({ config, market }) => [config.chainId, market.block]));
  const flight = await inFlightOf(deps, owner, blocks);
  if (isRefusal(flight)) return flight;
  const prices = policy.universe.map((asset) => readingsOf(live, asset));
  const exact = policy.universe.map((asset) => freshest(live, asset));
  for (const [i, found] of exact.entries()) {
    if (found !== null) continue;
    const message = `no feed answers for ${policy.assets[i]}: its weight is not known`;
    return { refused: 'stalePrice', message, details: { asset: policy.assets[i] } };
  }
  const known = exact.map((found) => found?.price ?? fixed36(0n));
  const held = holdingsOf(live, flight, instead);
  const worths = worthsOf(live, policy, known, held);
  const total = worths.reduce((sum, { perAsset }) => perAsset.reduce((s, w) => s + w, sum), 0n);
  if (total <= 0n) {
    const message = 'the owner holds none of the policy’s assets on its chains; fund the account';
    return { refused: 'emptyPortfolio', message };
  }
  const chainWeights = new Map<ChainId, Float64Array>();
  const weights = new Float64Array(policy.assets.length);
  for (const { chainId, perAsset } of worths) {
    const shares = Float64Array.from(perAsset, (worth) => ratio(worth, total));
    if (perAsset.some((worth) => worth !== 0n)) chainWeights.set(chainId, shares);
  }
  for (const i of weights.keys()) {
    const worth = worths.reduce((sum, { perAsset }) => sum + (perAsset[i] ?? 0n), 0n);
    weights[i] = ratio(worth, total);
  }
  const arriving = worthsOf(live, policy, known, instead === null ? flight.expected : new Map());
  const inFlight = arriving.reduce(
    (sum, { perAsset }) => perAsset.reduce((s, w) => s + w, sum),
    0n,
  );
  return {
    now,
    chains: live.map(({ config }) => config),
    prices,
    usd: Float64Array.from(known, (price) => ratio(price, ONE36)),
    usdAt: exact.map((found) => found?.at ?? unixSeconds(0)),
    weights,
    chainWeights,
    worthUsd: dollars(total),
    inFlightUsd: dollars(inFlight),
    gasUsd: gasOf(live),
    failedVenues: live.flatMap(failedPools),
    orders: flight.orders,
  };
}

/** Chains the policy may use, ascending; an unknown one was refused when it was read. */
export function chainsOf(
  policy: Policy,
  deps: Pick<KeeperDeps, 'network'>,
): readonly ChainConfig[] {
  const all = [...deps.network.chains].sort((a, b) => a.chainId - b.chainId);
  return all.filter(({ chainId }) => policy.chains === null || policy.chains.includes(chainId));
}

async function readLive(
  deps: Look,
  policy: Policy,
  owner: EvmAddress,
): Promise<readonly Live[] | PolicyRefusal> {
  const reads = await Promise.all(
    chainsOf(policy, deps).map(async (config): Promise<Live | PolicyRefusal> => {
      try {
        const market = await deps.source.chain(config.chainId);
        const { balances } = await deps.source.owner(config.chainId, owner, market.block);
        return { config, market, balances };
      } catch (error) {
        if (error instanceof Fault) return chainDown(config.chainId, error);
        throw error;
      }
    }),
  );
  const live: Live[] = [];
  for (const read of reads) {
    if (isRefusal(read)) return read;
    live.push(read);
  }
  return live;
}

async function inFlightOf(
  deps: Look,
  owner: EvmAddress,
  blocks: ReadonlyMap<ChainId, ChainMarket['block']>,
): Promise<InFlight | PolicyRefusal> {
  try {
    return await readInFlight(deps, owner, blocks);
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'storeUnavailable') throw error;
    return chainDown(null, error);
  }
}

function chainDown(id: ChainId | null, fault: Fault): PolicyRefusal {
  const which = id === null ? 'a chain of an order in flight' : `chain ${id}`;
  const message = `${which} does not answer now, so the portfolio is not known: ${fault.message}`;
  return { refused: 'chainDown', message: message.slice(0, 300) };
}

const tokensOf = ({ config }: Live, asset: string): readonly TokenConfig[] =>
  config.tokens.filter((token) => token.asset === asset);

/** `feed:<chain>` and `pools:<chain>`, chains ascending; only positive answers are readings. */
function readingsOf(live: readonly Live[], asset: string): readonly PriceReading[] {
  return live.flatMap((chain) => {
    const { config, market } = chain;
    const readings: PriceReading[] = [];
    const [token] = tokensOf(chain, asset);
    if (token === undefined) return readings;
    const feed = market.feeds.get(token.address);
    if (feed !== undefined && feed.answer > 0n && feed.updatedAt > 0) {
      const price = Number(feed.answer) / 10 ** feed.decimals;
      readings.push({ source: `feed:${config.chainId}`, price, at: feed.updatedAt });
    }
    const mid = deepestPoolPrice(config, market, token.address, (other) => feedUsd(chain, other));
    if (mid !== null) {
      const at = market.block.timestamp;
      readings.push({ source: `pools:${config.chainId}`, price: mid.price, at });
    }
    return readings;
  });
}

/** A fresh feed only: a pool's price must not carry another token's old one. */
function feedUsd({ config, market }: Live, address: EvmAddress): number | null {
  const token = config.tokens.find((listed) => listed.address === address);
  const feed = market.feeds.get(address);
  if (token === undefined || feed === undefined) return null;
  const price = priceFromFeed(token, config.chainId, feed, market.block.timestamp);
  return isRefusal(price) ? null : ratio(price, ONE36);
}

/** The newest positive answer, however old: `prices` shows its age to the policy's guard. */
function freshest(
  live: readonly Live[],
  asset: string,
): { readonly price: Fixed36; readonly at: UnixSeconds } | null {
  let best: { price: Fixed36; at: UnixSeconds } | null = null;
  for (const chain of live) {
    for (const token of tokensOf(chain, asset)) {
      const feed = chain.market.feeds.get(token.address);
      if (feed === undefined || feed.answer <= 0n || feed.decimals > 36) continue;
      if (best !== null && feed.updatedAt <= best.at) continue;
      best = {
        price: fixed36(feed.answer * 10n ** BigInt(36 - feed.decimals)),
        at: feed.updatedAt,
      };
    }
  }
  return best;
}

function holdingsOf(
  live: readonly Live[],
  flight: InFlight,
  instead: Instead | null,
): ReadonlyMap<string, bigint> {
  if (instead !== null) return instead;
  const held = new Map<string, bigint>();
  for (const { config, balances } of live) {
    for (const { address, symbol } of config.tokens) {
      const node = nodeIdOf(config.chainId, symbol);
      const amount = (balances.get(address) ?? 0n) + (flight.change.get(node) ?? 0n);
      // A wallet that spent what it signed for cannot owe: the order will fail.
      held.set(node, amount > 0n ? amount : 0n);
    }
  }
  return held;
}

function worthsOf(
  live: readonly Live[],
  policy: Policy,
  prices: readonly Fixed36[],
  held: ReadonlyMap<string, bigint>,
): readonly { readonly chainId: ChainId; readonly perAsset: readonly bigint[] }[] {
  return live.map((chain) => ({
    chainId: chain.config.chainId,
    perAsset: policy.universe.map((asset, i) =>
      tokensOf(chain, asset).reduce<bigint>((sum, { symbol, decimals }) => {
        const amount = held.get(nodeIdOf(chain.config.chainId, symbol)) ?? 0n;
        return sum + worthDown(amount, { price: prices[i] ?? fixed36(0n), decimals });
      }, 0n),
    ),
  }));
}

/**
 * Gas and messages of an order that takes one input and brings one output on every chain: what a
 * settlement costs today at most in its plainest form. null: a native coin has no fresh price.
 */
function gasOf(live: readonly Live[]): number | null {
  const nativePrices = new Map<ChainId, Fixed36>();
  for (const { config } of live) {
    const found = freshest(live, config.nativeAsset);
    if (found === null) return null;
    nativePrices.set(config.chainId, found.price);
  }
  const markets = new Map(live.map(({ config, market }) => [config.chainId, market]));
  const one = new Map(live.map(({ config }) => [config.chainId, 1]));
  const costs = orderCosts(
    { markets, nativePrices },
    { inputs: one, outputs: one, swapGas: new Map() },
  );
  return costs === null ? null : dollars(usd(costs.gas + costs.messages));
}

function failedPools({ config, market }: Live): readonly string[] {
  const answered = new Set(market.pools.map(({ pool }) => pool.id));
  return config.pools.map(({ id }) => id).filter((id) => !answered.has(id));
}

const dollars = (value: bigint | Usd): number => Number(value) / 1e18;

/** part / whole of two bigints as a float, good to 15 digits. */
function ratio(part: bigint, whole: bigint): number {
  return Number((part * 10n ** 18n) / whole) / 1e18;
}
