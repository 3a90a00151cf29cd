// What one request is answered from: the markets of its chains at named blocks, one price per
// asset, and what the owner holds there. Owns which missing fact refuses a request and which only
// narrows it: a chain that is down, or a stale price, never silently changes what is being signed.

import type { Fixed36 } from '../market/decimal.ts';
import { type PriceRefusal, priceFromFeed } from '../market/prices.ts';
import { type ChainSnapshot, nodeIdOf, type Snapshot } from '../market/snapshot.ts';
import type { ChainMarket, MarketSource, OwnerState } from '../market/source.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { present } from '../types/assert.ts';
import { Fault, isRefusal } from '../types/errors.ts';
import type { ChainId, EvmAddress } from '../types/ids.ts';
import type { ChainConfig } from '../types/network.ts';
import {
  type QuoteRefusal,
  refuse,
  type Scope,
  type ScopeTarget,
  type ScopeToken,
} from './scope.ts';

export interface SceneToken extends ScopeToken {
  readonly decimals: number;
  /** Dollars per whole token × 10^36: the freshest reading among the scope's feeds of the asset. */
  readonly price: Fixed36;
}
export interface Warning {
  readonly code: string;
  readonly severity: 'info' | 'warn' | 'block';
  readonly message: string;
}
export interface Scene {
  readonly now: UnixSeconds;
  readonly snapshot: Snapshot;
  /** Ascending by chain id: the chains that answered. */
  readonly chains: readonly ChainConfig[];
  readonly markets: ReadonlyMap<ChainId, ChainMarket>;
  /** By node id; every token of the live chains with a usable price. */
  readonly tokens: ReadonlyMap<string, SceneToken>;
  readonly targets: readonly ScopeTarget[];
  /** By node id, positive, target tokens only. */
  readonly holdings: ReadonlyMap<string, bigint>;
  /** By node id, positive: what the chain's PortfolioSettler may pull already. */
  readonly allowances: ReadonlyMap<string, bigint>;
  /** Dollars per whole native coin × 10^36. */
  readonly nativePrices: ReadonlyMap<ChainId, Fixed36>;
  readonly warnings: readonly Warning[];
}

/** A chain that answered. */
export interface LiveMarket {
  readonly config: ChainConfig;
  readonly market: ChainMarket;
}
interface Live extends LiveMarket {
  readonly owner: OwnerState;
}

/** What does not depend on who asks, nor for what: every token of the chains has a fresh price. */
export interface PricedMarkets extends Pick<Scene, 'tokens' | 'nativePrices' | 'snapshot'> {
  /** Until then no price is too old. */
  readonly freshUntil: UnixSeconds;
}

export interface SceneOptions {
  readonly source: MarketSource;
  readonly now: UnixSeconds;
  readonly feedDeviationBps: number;
  /** JSON pointer of the intent, for refusals. */
  readonly at: string;
  /** What scenes on the same markets have in common. */
  readonly shared: {
    /** `read`, or what it gave on these markets before; null is asked again. */
    priced(
      live: readonly LiveMarket[],
      options: { readonly now: UnixSeconds; readonly feedDeviationBps: number },
      read: () => PricedMarkets | null,
    ): PricedMarkets | null;
    /** Makes the snapshot, or has it already. */
    snapshot(chains: readonly ChainSnapshot[]): Snapshot;
  };
}

/** Reads all chains of the scope at once. Throws only Defects. */
export async function readScene(
  scope: Scope,
  owner: EvmAddress,
  options: SceneOptions,
): Promise<Scene | QuoteRefusal> {
  const warnings: Warning[] = [];
  const live = await readLive(scope, owner, options, warnings);
  if (isRefusal(live)) return live;
  const targets = liveTargets(scope, live, options.at);
  if (isRefusal(targets)) return targets;
  const now = unixSeconds(
    Math.max(options.now, ...live.map(({ market }) => market.block.timestamp)),
  );
  const { feedDeviationBps, shared } = options;
  const priced =
    shared.priced(live, { now, feedDeviationBps }, () => allFresh(live, now, options)) ??
    priceMarkets(live, targets, now, options, warnings);
  if (isRefusal(priced)) return priced;
  const holdings = readHoldings(scope, targets, live, options.at);
  if (isRefusal(holdings)) return holdings;
  return {
    now,
    snapshot: priced.snapshot,
    chains: live.map(({ config }) => config),
    markets: new Map(live.map(({ config, market }) => [config.chainId, market])),
    tokens: priced.tokens,
    targets,
    holdings,
    allowances: allowancesOf(live),
    nativePrices: priced.nativePrices,
    warnings,
  };
}

/** The markets' prices; null where one is missing or too old, which a request may have to be told of. */
function allFresh(
  live: readonly Live[],
  now: UnixSeconds,
  options: SceneOptions,
): PricedMarkets | null {
  const notes: Warning[] = [];
  const priced = priceMarkets(live, [], now, options, notes);
  return isRefusal(priced) || notes.length > 0 ? null : priced;
}

/** Refuses where a target's price is missing or too old; other tokens are left out with a warning. */
function priceMarkets(
  live: readonly Live[],
  targets: readonly ScopeTarget[],
  now: UnixSeconds,
  options: SceneOptions,
  warnings: Warning[],
): PricedMarkets | QuoteRefusal {
  const tokens = priceTokens(live, targets, now, options, warnings);
  if (isRefusal(tokens)) return tokens;
  const nativePrices = priceNatives(live, tokens);
  if (isRefusal(nativePrices)) return nativePrices;
  const snapshot = options.shared.snapshot(live.map((chain) => chainSnapshot(chain, tokens)));
  let freshUntil = Number.POSITIVE_INFINITY;
  for (const { config, market } of live) {
    for (const { address, feedHeartbeatSeconds } of config.tokens) {
      const updatedAt = market.feeds.get(address)?.updatedAt ?? 0;
      freshUntil = Math.min(freshUntil, updatedAt + feedHeartbeatSeconds);
    }
  }
  return { tokens, nativePrices, snapshot, freshUntil: freshUntil as UnixSeconds };
}

async function readLive(
  scope: Scope,
  owner: EvmAddress,
  { source, at }: SceneOptions,
  warnings: Warning[],
): Promise<readonly Live[] | QuoteRefusal> {
  const reads = await Promise.all(
    scope.chains.map(async (config): Promise<Live | { config: ChainConfig; fault: Fault }> => {
      try {
        const market = await source.chain(config.chainId);
        return { config, market, owner: await source.owner(config.chainId, owner, market.block) };
      } catch (error) {
        if (error instanceof Fault) return { config, fault: error };
        throw error;
      }
    }),
  );
  const live: Live[] = [];
  for (const read of reads) {
    if (!('fault' in read)) {
      live.push(read);
      continue;
    }
    const { chainId } = read.config;
    const details = { chainId, reason: read.fault.message };
    const pointer = scope.named.get(chainId);
    if (pointer !== undefined) {
      const message = `chain ${chainId} does not answer now; leave it out, or try again later`;
      return refuse('chainDown', message, pointer, details);
    }
    if (scope.holdings === null) {
      const message =
        `chain ${chainId} does not answer now, so what you hold there is unknown; name the ` +
        'other chains in scope.chains, or say your holdings';
      return refuse('chainDown', message, `${at}/scope`, details);
    }
    const message = `chain ${chainId} does not answer now and was left out`;
    warnings.push({ code: 'chainLeftOut', severity: 'warn', message });
  }
  if (live.length === 0) {
    return refuse('chainDown', 'no chain of the scope answers now; try again later', `${at}/scope`);
  }
  return live;
}

function liveTargets(
  scope: Scope,
  live: readonly Live[],
  at: string,
): readonly ScopeTarget[] | QuoteRefusal {
  const up = new Set(live.map(({ config }) => config.chainId));
  const targets: ScopeTarget[] = [];
  for (const [i, target] of scope.targets.entries()) {
    const tokens = target.tokens.filter(({ chain }) => up.has(chain.chainId));
    if (tokens.length > 0) targets.push({ ...target, tokens });
    else if (target.weightBps > 0) {
      const message = `every chain that has ${target.asset} is down; try again later`;
      return refuse('chainDown', message, `${at}/targets/${i}`);
    }
  }
  return targets;
}

/** One price per asset over the scope. A token of a target must have a fresh feed of its own. */
function priceTokens(
  live: readonly Live[],
  targets: readonly ScopeTarget[],
  now: UnixSeconds,
  { feedDeviationBps, at }: SceneOptions,
  warnings: Warning[],
): ReadonlyMap<string, SceneToken> | QuoteRefusal {
  const targeted = new Set(targets.flatMap(({ tokens }) => tokens.map(({ node }) => node)));
  const readings: (SceneToken & { readonly updatedAt: number })[] = [];
  for (const { config, market } of live) {
    for (const token of config.tokens) {
      const node = nodeIdOf(config.chainId, token.symbol);
      const feed = market.feeds.get(token.address);
      const noAnswer = { refused: 'badPrice', message: `the feed of ${node} does not answer` };
      const price =
        feed === undefined
          ? (noAnswer as PriceRefusal)
          : priceFromFeed(token, config.chainId, feed, now);
      if (!isRefusal(price)) {
        const { decimals } = token;
        const updatedAt = feed?.updatedAt ?? 0;
        readings.push({ node, chain: config, token, decimals, price, updatedAt });
      } else if (targeted.has(node)) {
        return refuse('stalePrice', price.message, `${at}/targets`, price.details);
      } else {
        const message = `${node} is not used: ${price.message}`;
        warnings.push({ code: 'tokenLeftOut', severity: 'info', message });
      }
    }
  }
  const freshest = new Map<string, (typeof readings)[number]>();
  for (const reading of readings) {
    const best = freshest.get(reading.token.asset);
    if (best === undefined || reading.updatedAt > best.updatedAt) {
      freshest.set(reading.token.asset, reading);
    }
  }
  const tokens = new Map<string, SceneToken>();
  for (const { updatedAt: _, ...token } of readings) {
    const { asset } = token.token;
    const { price, node } = present(freshest.get(asset), 'a reading per asset');
    const apart = price > token.price ? price - token.price : token.price - price;
    if (apart * 10_000n > price * BigInt(feedDeviationBps)) {
      const message =
        `the feeds of ${asset} disagree by more than ${feedDeviationBps} bps ` +
        `(${node} and ${token.node}); try again when they have published`;
      return refuse('stalePrice', message, `${at}/targets`, { asset });
    }
    tokens.set(token.node, { ...token, price });
  }
  return tokens;
}

function priceNatives(
  live: readonly Live[],
  tokens: ReadonlyMap<string, SceneToken>,
): ReadonlyMap<ChainId, Fixed36> | QuoteRefusal {
  const prices = new Map<ChainId, Fixed36>();
  for (const { config } of live) {
    const token = [...tokens.values()].find(({ token: { asset } }) => asset === config.nativeAsset);
    if (token === undefined) {
      const message = `no fresh price for ${config.nativeAsset}, which values gas on chain ${config.chainId}`;
      return refuse('stalePrice', message, undefined, { chainId: config.chainId });
    }
    prices.set(config.chainId, token.price);
  }
  return prices;
}

function readHoldings(
  scope: Scope,
  targets: readonly ScopeTarget[],
  live: readonly Live[],
  at: string,
): ReadonlyMap<string, bigint> | QuoteRefusal {
  const owners = new Map(live.map(({ config, owner }) => [config, owner]));
  const holdings = new Map<string, bigint>();
  for (const { node, chain, token } of targets.flatMap(({ tokens }) => tokens)) {
    const balance = owners.get(chain)?.balances.get(token.address) ?? 0n;
    const given = scope.holdings?.get(node);
    if (given !== undefined && given.amount > balance) {
      const message = `the owner holds ${balance} base units of ${node}, less than the ${given.amount} given`;
      return refuse('insufficientBalance', message, given.pointer, {
        node,
        balance: balance.toString(),
      });
    }
    const amount = scope.holdings === null ? balance : (given?.amount ?? 0n);
    if (amount > 0n) holdings.set(node, amount);
  }
  if (holdings.size === 0) {
    const message = 'the owner holds none of the assets in scope on its chains; fund the account';
    return refuse('emptyPortfolio', message, `${at}/owner`);
  }
  return holdings;
}

function allowancesOf(live: readonly Live[]): ReadonlyMap<string, bigint> {
  const allowances = new Map<string, bigint>();
  for (const { config, owner } of live) {
    for (const { symbol, address } of config.tokens) {
      const amount = owner.allowances.get(address) ?? 0n;
      if (amount > 0n) allowances.set(nodeIdOf(config.chainId, symbol), amount);
    }
  }
  return allowances;
}

function chainSnapshot(
  { config, market }: LiveMarket,
  tokens: ReadonlyMap<string, SceneToken>,
): ChainSnapshot {
  const { chainId, block, pools } = market;
  const prices = new Map<string, Fixed36>();
  for (const { symbol } of config.tokens) {
    const token = tokens.get(nodeIdOf(chainId, symbol));
    if (token !== undefined) prices.set(symbol, token.price);
  }
  return { chainId, block, pools, prices };
}
