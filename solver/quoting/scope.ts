// A rebalance request against the configured network: which chains, tokens and targets it means.
// Pure; every way in which the words of the request name nothing, or contradict each other, is a
// Refusal with the JSON pointer of the field and the remedy.

import { nodeIdOf } from '../market/snapshot.ts';
import { MAX_UINT256 } from '../types/amounts.ts';
import { isRefusal, type Refusal } from '../types/errors.ts';
import type { ChainId } from '../types/ids.ts';
import type { ChainConfig, NetworkConfig, TokenConfig } from '../types/network.ts';
import type { QuoteRefusalCode, RebalanceRequest } from '../types/service.ts';
import { TARGETS_MAX } from './policy.ts';

export type QuoteRefusal = Refusal<QuoteRefusalCode>;

export interface ScopeToken {
  /** `<chainId>:<symbol>`, the problem's node id. */
  readonly node: string;
  readonly chain: ChainConfig;
  readonly token: TokenConfig;
}
export interface ScopeTarget {
  readonly asset: string;
  readonly chain: ChainId | null;
  readonly weightBps: number;
  readonly tokens: readonly ScopeToken[];
}
export interface Scope {
  readonly chains: readonly ChainConfig[];
  /** Chains that the request names: if one of them is down the request cannot be served. */
  readonly named: ReadonlyMap<ChainId, string>;
  readonly targets: readonly ScopeTarget[];
  /** By node: base units the owner offers; null: read from the chains. */
  readonly holdings: ReadonlyMap<string, { amount: bigint; pointer: string }> | null;
}

export function refuse(
  refused: QuoteRefusalCode,
  message: string,
  pointer?: string,
  details?: Readonly<Record<string, unknown>>,
): QuoteRefusal {
  return {
    refused,
    message,
    ...(pointer === undefined ? {} : { pointer }),
    ...(details === undefined ? {} : { details }),
  };
}

/** Never throws. */
export function resolveScope(
  request: RebalanceRequest,
  network: NetworkConfig,
): Scope | QuoteRefusal {
  const at = request.pointer ?? '/intent';
  const named = new Map<ChainId, string>();
  const chains = resolveChains(request, network, at, named);
  if (isRefusal(chains)) return chains;
  const assets = resolveAssets(request, chains, at);
  if (isRefusal(assets)) return assets;
  const targets = resolveTargets(request, chains, assets, at, named);
  if (isRefusal(targets)) return targets;
  const holdings = resolveHoldings(request, chains, targets, at, named);
  if (isRefusal(holdings)) return holdings;
  return { chains, named, targets, holdings };
}

function resolveChains(
  { scope }: RebalanceRequest,
  network: NetworkConfig,
  at: string,
  named: Map<ChainId, string>,
): readonly ChainConfig[] | QuoteRefusal {
  if (scope.chains === undefined) return network.chains;
  const chains = new Map<number, ChainConfig>();
  for (const [i, id] of scope.chains.entries()) {
    const chain = findChain(network.chains, id, network, `${at}/scope/chains/${i}`);
    if (isRefusal(chain)) return chain;
    chains.set(chain.chainId, chain);
    named.set(chain.chainId, `${at}/scope/chains/${i}`);
  }
  if (chains.size === 0) {
    return refuse(
      'unknownChain',
      'name at least one chain, or leave chains out',
      `${at}/scope/chains`,
    );
  }
  return [...chains.values()].sort((a, b) => a.chainId - b.chainId);
}

function findChain(
  within: readonly ChainConfig[],
  id: number,
  network: NetworkConfig,
  pointer: string,
): ChainConfig | QuoteRefusal {
  const known = network.chains.find(({ chainId }) => chainId === id);
  const ids = network.chains.map(({ chainId }) => chainId).join(', ');
  if (known === undefined) {
    return refuse('unknownChain', `chain ${id} is not served; served are ${ids}`, pointer);
  }
  if (!within.includes(known)) {
    return refuse('targetOutOfScope', `chain ${id} is not in scope.chains; add it there`, pointer);
  }
  return known;
}

function resolveAssets(
  { scope, targets }: RebalanceRequest,
  chains: readonly ChainConfig[],
  at: string,
): ReadonlySet<string> | QuoteRefusal {
  const traded = tokensByAsset(chains);
  const wanted = new Map<string, string>();
  scope.assets?.forEach((asset, i) => {
    wanted.set(asset, `${at}/scope/assets/${i}`);
  });
  targets.forEach(({ asset }, i) => {
    if (!wanted.has(asset)) wanted.set(asset, `${at}/targets/${i}/asset`);
  });
  for (const [asset, pointer] of wanted) {
    if (!traded.has(asset)) {
      const message = `asset ${JSON.stringify(asset)} is not traded on the chains in scope`;
      const list = [...traded.keys()].sort().join(', ');
      return refuse('unknownAsset', `${message}; traded are ${list}`, pointer);
    }
  }
  return new Set(scope.assets ?? wanted.keys());
}

function resolveTargets(
  { targets: wanted }: RebalanceRequest,
  chains: readonly ChainConfig[],
  assets: ReadonlySet<string>,
  at: string,
  named: Map<ChainId, string>,
): readonly ScopeTarget[] | QuoteRefusal {
  if (wanted.length > TARGETS_MAX) {
    return refuse('invalidWeights', `at most ${TARGETS_MAX} targets`, `${at}/targets`);
  }
  const sum = wanted.reduce((total, { weightBps }) => total + weightBps, 0);
  if (sum !== 10_000) {
    const message = `weights must sum to exactly 10000 bps (100 %), they sum to ${sum}`;
    return refuse('invalidWeights', message, `${at}/targets`, { sumBps: sum });
  }
  const taken = new Map<string, number>();
  const targets: ScopeTarget[] = [];
  for (const [i, { asset, weightBps, chain }] of wanted.entries()) {
    const where = `${at}/targets/${i}`;
    const target = resolveTarget(asset, chain, chains, assets, where);
    if (isRefusal(target)) return target;
    if (chain !== undefined && target.chain !== null) named.set(target.chain, `${where}/chain`);
    for (const { node } of target.tokens) {
      const first = taken.get(node);
      if (first !== undefined) {
        const message = `${node} is in ${at}/targets/${first} already; name every token once`;
        return refuse('duplicateTarget', message, where);
      }
      taken.set(node, i);
    }
    targets.push({ ...target, weightBps });
  }
  // What is in scope and in no target is to be sold, or moved to where a target is: weight zero.
  for (const asset of assets) {
    const tokens = tokensOf(asset, chains).filter(({ node }) => !taken.has(node));
    if (tokens.length > 0) targets.push({ asset, chain: null, weightBps: 0, tokens });
  }
  if (targets.length > TARGETS_MAX) {
    const message = `at most ${TARGETS_MAX} targets, assets of the scope in no target included`;
    return refuse('invalidWeights', message, `${at}/scope/assets`);
  }
  return targets;
}

function resolveTarget(
  asset: string,
  chain: number | undefined,
  chains: readonly ChainConfig[],
  assets: ReadonlySet<string>,
  where: string,
): Omit<ScopeTarget, 'weightBps'> | QuoteRefusal {
  if (!assets.has(asset)) {
    const message = `asset ${JSON.stringify(asset)} is not in scope.assets; add it there`;
    return refuse('targetOutOfScope', message, `${where}/asset`);
  }
  if (chain === undefined) return { asset, chain: null, tokens: tokensOf(asset, chains) };
  const found = chains.find(({ chainId }) => chainId === chain);
  if (found === undefined) {
    const ids = chains.map(({ chainId }) => chainId).join(', ');
    const message = `chain ${chain} is not in scope; in scope are ${ids}`;
    return refuse('unknownChain', message, `${where}/chain`);
  }
  const tokens = tokensOf(asset, [found]);
  if (tokens.length === 0) {
    const message = `asset ${JSON.stringify(asset)} has no token on chain ${chain}`;
    return refuse('unknownAsset', message, `${where}/asset`);
  }
  return { asset, chain: found.chainId, tokens };
}

function resolveHoldings(
  { holdings: given }: RebalanceRequest,
  chains: readonly ChainConfig[],
  targets: readonly ScopeTarget[],
  at: string,
  named: Map<ChainId, string>,
): Scope['holdings'] | QuoteRefusal {
  if (given === undefined) return null;
  const usable = new Set(targets.flatMap(({ tokens }) => tokens.map(({ node }) => node)));
  const holdings = new Map<string, { amount: bigint; pointer: string }>();
  for (const [i, { chain, asset, amount }] of given.entries()) {
    const pointer = `${at}/holdings/${i}`;
    const found = chains.find(({ chainId }) => chainId === chain);
    if (found === undefined) {
      const message = `chain ${chain} is not in scope; add it to scope.chains`;
      return refuse('unknownChain', message, `${pointer}/chain`);
    }
    const [token] = tokensOf(asset, [found]);
    if (token === undefined || !usable.has(token.node)) {
      const message = `asset ${JSON.stringify(asset)} on chain ${chain} is in no target`;
      return refuse('unknownAsset', `${message}; add it to scope.assets`, `${pointer}/asset`);
    }
    const value = BigInt(amount);
    if (value <= 0n || value > MAX_UINT256) {
      const message = `amount must be 1 … 2^256 − 1 base units; leave out what is not held`;
      return refuse('invalidAmount', message, `${pointer}/amount`);
    }
    if (holdings.has(token.node)) {
      return refuse('duplicateTarget', `${token.node} is listed twice`, pointer);
    }
    named.set(found.chainId, `${pointer}/chain`);
    holdings.set(token.node, { amount: value, pointer: `${pointer}/amount` });
  }
  return holdings;
}

/** Every token of an asset, chains ascending. */
export const tokensOf = (asset: string, chains: readonly ChainConfig[]): readonly ScopeToken[] =>
  tokensByAsset(chains).get(asset) ?? [];

/** The network's chains are one array for all requests that name none; it never changes. */
const known = new WeakMap<readonly ChainConfig[], ReadonlyMap<string, readonly ScopeToken[]>>();

function tokensByAsset(chains: readonly ChainConfig[]): ReadonlyMap<string, readonly ScopeToken[]> {
  const made = known.get(chains);
  if (made !== undefined) return made;
  const tokens = new Map<string, ScopeToken[]>();
  for (const chain of chains) {
    for (const token of chain.tokens) {
      const one = { node: nodeIdOf(chain.chainId, token.symbol), chain, token };
      const among = tokens.get(token.asset);
      if (among === undefined) tokens.set(token.asset, [one]);
      else among.push(one);
    }
  }
  known.set(chains, tokens);
  return tokens;
}
