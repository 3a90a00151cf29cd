// What quotes on the same blocks have in common, made once: prices, the snapshot with its digest, and
// the problem but for its objective, built, read and encoded as text. Nothing here depends on who asks; what
// comes out is what buildProblem and makeSnapshot give each time. Keeps the last few, by what they were
// made from.

import { type SharedProblem, shareProblem } from '../market/sharedProblem.ts';
import { type ChainSnapshot, makeSnapshot, type Snapshot } from '../market/snapshot.ts';
import type { QuotePolicy } from './policy.ts';
import {
  type Available,
  type BuiltProblem,
  balancedObjective,
  buildProblem,
} from './problemBuilder.ts';
import type { LiveMarket, PricedMarkets, Scene, SceneOptions } from './scene.ts';

/** Scopes times blocks in use at one time; another is made anew. */
const KEPT_MAX = 8;

export interface SharedMarkets {
  /** A rebalance to the targets, as buildProblem has it. */
  build(scene: Scene, policy: QuotePolicy, available: Available): BuiltProblem;
  readonly priced: SceneOptions['shared']['priced'];
  /** As makeSnapshot. */
  readonly snapshot: SceneOptions['shared']['snapshot'];
}

interface Frame {
  readonly built: BuiltProblem;
  readonly shared: SharedProblem;
}

export function createSharedMarkets(): SharedMarkets {
  const frames = new Map<string, Frame>();
  const prices = new Map<string, PricedMarkets>();
  const snapshots = new Map<string, Snapshot>();
  return {
    build(scene, policy, available) {
      const { built, shared } = kept(frames, frameKey(scene, policy, available), () => {
        const first = buildProblem(scene, policy, available);
        return { built: first, shared: shareProblem(first.problem) };
      });
      const member = shared.with(balancedObjective(scene));
      const { parsed, text } = member;
      return { ...built, problem: parsed.source, parsed: () => parsed, text: () => text };
    },
    priced(live, { now, feedDeviationBps }, read) {
      const key = `${feedDeviationBps};${live.map(liveKey).join(';')}`;
      const known = prices.get(key);
      if (known !== undefined && now > known.freshUntil) prices.delete(key);
      return kept(prices, key, read);
    },
    snapshot: (chains) => kept(snapshots, snapshotKey(chains), () => makeSnapshot(chains)),
  };
}

/** Most recently used last; null is not kept. */
function kept<T>(cache: Map<string, NonNullable<T>>, key: string, make: () => T): T {
  const known: T = cache.get(key) ?? make();
  if (known === null || known === undefined) return known;
  cache.delete(key);
  cache.set(key, known);
  for (const oldest of cache.keys()) {
    if (cache.size <= KEPT_MAX) break;
    cache.delete(oldest);
  }
  return known;
}

/** Everything buildProblem reads but the objective's part. */
function frameKey(scene: Scene, policy: QuotePolicy, available: Available): string {
  let key = `${numberOf(policy)};${marketKey(scene)}`;
  for (const node of scene.tokens.keys()) key += `;${available.get(node) ?? 0n}`;
  return key;
}

/** Tokens are priced once for their markets, or for one scene alone: they name the rest of the key. */
const marketKeys = new WeakMap<Scene['tokens'], string>();

function marketKey(scene: Scene): string {
  const known = marketKeys.get(scene.tokens);
  if (known !== undefined) return known;
  const tokens = [...scene.tokens.values()].map(({ node, price }) => `${node}=${price}`);
  const chains = scene.chains.map((chain) => {
    const market = scene.markets.get(chain.chainId);
    const { pools, messageFees, gasPrice } = market ?? {};
    const native = scene.nativePrices.get(chain.chainId);
    return [numberOf(chain), numberOf(pools), numberOf(messageFees), gasPrice, native].join();
  });
  const key = [...chains, ...tokens].join(';');
  marketKeys.set(scene.tokens, key);
  return key;
}

/** Everything that tells two chains' prices, pools and fees apart. */
const liveKey = ({ config, market }: LiveMarket): string =>
  `${numberOf(config)},${market.block.hash},${numberOf(market.feeds)},${numberOf(market.pools)},` +
  `${numberOf(market.messageFees)},${market.gasPrice}`;

function snapshotKey(chains: readonly ChainSnapshot[]): string {
  return chains
    .map(({ chainId, block, pools, prices }) =>
      [
        ...[chainId, block.number, block.hash, block.timestamp, numberOf(pools)],
        ...[...prices].map(([symbol, price]) => `${symbol}=${price}`),
      ].join(),
    )
    .join(';');
}

/** Markets are immutable: the same object is the same market. */
const numbers = new WeakMap<object, number>();
let last = 0;
function numberOf(object: object | undefined): number {
  if (object === undefined) return 0;
  const known = numbers.get(object);
  if (known !== undefined) return known;
  numbers.set(object, ++last);
  return last;
}
