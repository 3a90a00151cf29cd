// What a rebalance judged by its risk must not do: sell what is only to be bought, buy what is only to
// be sold, pass a floor or a cap on a chain (one that is broken already is mended: pull.ts). As far as
// a limit is about one token it becomes the capacity of that token's two layer venues (layer.ts), so
// that no plan can break it; a limit on a whole chain bounds the transfers out of it or into it.
// Amounts round towards the limit's inside.

import { mulDivDown, mulDivUp } from '../types/amounts.ts';
import { InvalidInput } from '../types/errors.ts';
import type { ChainId } from '../types/ids.ts';
import type { ProblemResult } from '../types/problem.ts';
import type { ChainLimitRequest, RebalanceRequest } from '../types/service.ts';
import { amountForDown, type Usd, usd, worthDown, ZERO_USD } from './money.ts';
import type { Scene, SceneToken } from './scene.ts';
import { type QuoteRefusal, refuse, type ScopeTarget } from './scope.ts';
import { worthOf, worthsByAsset } from './weights.ts';

export interface Limits {
  readonly buyOnly: ReadonlySet<string>;
  readonly sellOnly: ReadonlySet<string>;
  readonly chains: readonly ChainLimitRequest[];
}
/** What must stand at `share` of the portfolio after the trade. */
export interface Pull {
  readonly chain: ChainId;
  /** null: all assets together. */
  readonly asset: string | null;
  readonly share: number;
}
/** Base units of one token that may be given up, and added. */
export interface Allowed {
  readonly spend: bigint;
  readonly add: bigint;
}

/** A venue between two chains. */
interface Transfer {
  readonly venue: { readonly id: string };
  readonly from: SceneToken;
  readonly to: SceneToken;
}

const SCALE = 1_000_000_000;
/** Shares may end this far beyond a limit: costs and rounding move them when nothing is traded. */
const SLACK = 0.001;
const LIMITS_MAX = 256;

/** Throws InvalidInput with the pointer of a limit that names nothing or contradicts itself. */
export function readLimits(
  request: RebalanceRequest,
  targets: readonly ScopeTarget[],
  at: string,
): Limits {
  const known = new Set(targets.map(({ asset }) => asset));
  const chains = new Set(
    targets.flatMap(({ tokens }) => tokens.map((t) => Number(t.chain.chainId))),
  );
  const demand = (ok: boolean, message: string, where: string) => {
    if (!ok) throw new InvalidInput(message, { pointer: `${at}/${where}` });
  };
  const assetsOf = (list: 'buyOnly' | 'sellOnly') => {
    const names = request[list] ?? [];
    names.forEach((asset, i) => {
      const message = `${JSON.stringify(asset)} is in no target; name an asset of the targets`;
      demand(known.has(asset), message, `${list}/${i}`);
    });
    return new Set(names);
  };
  const limits = request.chainLimits ?? [];
  demand(limits.length <= LIMITS_MAX, `at most ${LIMITS_MAX} limits`, 'chainLimits');
  limits.forEach(({ chain, asset, floor, cap }, i) => {
    const where = `chainLimits/${i}`;
    demand(chains.has(chain), `no target has a token on chain ${chain}`, `${where}/chain`);
    const named = asset === null || known.has(asset);
    demand(named, `${JSON.stringify(asset)} is in no target`, `${where}/asset`);
    const message = `0 ≤ floor ≤ cap ≤ 1 must hold, got ${floor} and ${cap}`;
    demand(floor >= 0 && floor <= cap && cap <= 1, message, where);
  });
  return { buyOnly: assetsOf('buyOnly'), sellOnly: assetsOf('sellOnly'), chains: limits };
}

/** Per node of a target. */
export function allowedOf(scene: Scene, limits: Limits): ReadonlyMap<string, Allowed> {
  const base = worthOf(scene, scene.holdings);
  const held = (node: string) => scene.holdings.get(node) ?? 0n;
  const allowed = new Map<string, { spend: bigint; add: bigint }>();
  for (const token of targetTokens(scene)) {
    const { asset } = token.token;
    allowed.set(token.node, {
      spend: limits.buyOnly.has(asset) ? 0n : held(token.node),
      // Nothing can be added beyond what all of the portfolio buys.
      add: limits.sellOnly.has(asset) ? 0n : amountForDown(usd(2n * base), token) + 1n,
    });
  }
  for (const limit of limits.chains) {
    if (limit.asset === null) continue;
    const tokens = under(scene, limit);
    const worths = tokens.map((token) => worthDown(held(token.node), token));
    const sum = worths.reduce<bigint>((a, b) => a + b, 0n);
    tokens.forEach((token, i) => {
      const now = allowed.get(token.node);
      if (now === undefined) return;
      const free = positive(sum - shareUp(base, limit.floor));
      const room = positive(shareDown(base, limit.cap) - sum) / BigInt(tokens.length);
      const own = sum === 0n ? 0n : mulDivDown(free, worths[i] ?? 0n, sum);
      now.spend = smaller(now.spend, amountForDown(usd(own), token));
      if (limit.cap < 1) now.add = smaller(now.add, amountForDown(usd(room), token));
    });
  }
  return allowed;
}

/**
 * Limits that the holdings break, each with the bound to be pulled to. Of several on one place that are
 * broken the same way the furthest bound stands for all.
 */
export function brokenNow(scene: Scene, { chains }: Limits): readonly Pull[] {
  const base = Number(worthOf(scene, scene.holdings));
  const pulls = new Map<string, Pull>();
  for (const limit of chains) {
    const { floor, cap, asset } = limit;
    const share = Number(limitWorth(scene, limit, scene.holdings)) / base;
    if (share >= floor - SLACK && share <= cap + SLACK) continue;
    const up = share < floor;
    const place = `${limit.chain} ${asset ?? ''} ${up}`;
    const other = pulls.get(place)?.share ?? (up ? floor : cap);
    const bound = up ? Math.max(floor, other) : Math.min(cap, other);
    pulls.set(place, { chain: limit.chain as ChainId, asset, share: bound });
  }
  return [...pulls.values()];
}

/** The first limit that `amounts` break, as a refusal. */
export function brokenLimit(
  scene: Scene,
  limits: Limits,
  amounts: ReadonlyMap<string, bigint>,
  at: string,
): QuoteRefusal | null {
  const base = Number(worthOf(scene, amounts));
  for (const [i, limit] of limits.chains.entries()) {
    const share = Number(limitWorth(scene, limit, amounts)) / base;
    if (share >= limit.floor - SLACK && share <= limit.cap + SLACK) continue;
    const what = limit.asset === null ? '' : `${limit.asset} on `;
    const message =
      `${what}chain ${limit.chain} holds ${(100 * share).toFixed(2)} % of the portfolio, outside ` +
      `${100 * limit.floor} … ${100 * limit.cap} %, and no trade here mends that; loosen the limit, or ` +
      'ask for targets on that chain, without tracking';
    const { chain, asset } = limit;
    return refuse('limitUnmet', message, `${at}/chainLimits/${i}`, { chain, asset, share });
  }
  return null;
}

/** What may be left at a node by rounding, of all there is: 1 ppm. */
const LEFT_OVER = 1_000_000n;

/**
 * An asset that is only sold and ends higher, or only bought and ends lower, as a refusal. No venue of the
 * layer leads there, but what a plan strands on its way (a leg dropped for its fixed cost) does.
 */
export function wrongWay(
  scene: Scene,
  { buyOnly, sellOnly }: Limits,
  amounts: ReadonlyMap<string, bigint>,
  at: string,
): QuoteRefusal | null {
  const before = worthsByAsset(scene, scene.holdings);
  const dust = worthOf(scene, scene.holdings) / LEFT_OVER;
  for (const [asset, worth] of worthsByAsset(scene, amounts)) {
    const change = worth - (before.get(asset) ?? 0n);
    const list = change > dust ? sellOnly : change < -dust ? buyOnly : null;
    if (list === null || !list.has(asset)) continue;
    const [side, key] = list === sellOnly ? ['bought', 'sellOnly'] : ['sold', 'buyOnly'];
    const message = `the best trade would have ${asset} ${side} on its way; ask again, or lift ${key}`;
    return refuse('limitUnmet', message, `${at}/${key}`, { asset });
  }
  return null;
}

/**
 * Bridge capacities under which the transfers of a plan that took too much off a chain, or brought too
 * much to it, keep to its floor and cap; null where they do.
 */
export function limitTransfers(
  scene: Scene,
  limits: Limits,
  bridges: ReadonlyMap<string, Transfer>,
  result: ProblemResult,
): ReadonlyMap<string, bigint> | null {
  const base = worthOf(scene, scene.holdings);
  const capacities = new Map<string, bigint>();
  const moved = (chain: number, side: 'from' | 'to') =>
    result.legs.flatMap((leg) => {
      const bridge = bridges.get(leg.venue);
      if (bridge === undefined || bridge[side].chain.chainId !== chain) return [];
      return [{ bridge, worth: worthDown(BigInt(leg.out.amount), bridge.to) }];
    });
  const bound = (chain: number, side: 'from' | 'to', room: bigint) => {
    const legs = moved(chain, side);
    const sum = legs.reduce<bigint>((total, { worth }) => total + worth, 0n);
    // A unit of 10^−18 dollars per leg is rounding.
    if (sum <= room + BigInt(legs.length)) return;
    for (const { venue, [side]: end, to } of bridges.values()) {
      if (end.chain.chainId !== chain) continue;
      const own = legs.find(({ bridge }) => bridge.venue.id === venue.id)?.worth ?? ZERO_USD;
      const share = amountForDown(usd(mulDivDown(room, own, sum)), to);
      capacities.set(venue.id, smaller(share, capacities.get(venue.id) ?? share));
    }
  };
  for (const limit of limits.chains) {
    if (limit.asset !== null) continue;
    const now = limitWorth(scene, limit, scene.holdings);
    bound(limit.chain, 'from', positive(now - shareUp(base, limit.floor)));
    bound(limit.chain, 'to', positive(shareDown(base, limit.cap) - now));
  }
  return capacities.size === 0 ? null : capacities;
}

function limitWorth(
  scene: Scene,
  limit: ChainLimitRequest,
  amounts: ReadonlyMap<string, bigint>,
): bigint {
  return under(scene, limit).reduce<bigint>(
    (sum, token) => sum + worthDown(amounts.get(token.node) ?? 0n, token),
    0n,
  );
}

/** The target tokens that a limit is about. */
const under = (scene: Scene, { chain, asset }: ChainLimitRequest): readonly SceneToken[] =>
  targetTokens(scene).filter(
    ({ chain: home, token }) =>
      home.chainId === (chain as ChainId) && (asset === null || token.asset === asset),
  );

export const targetTokens = (scene: Scene): readonly SceneToken[] =>
  scene.targets.flatMap(({ tokens }) => tokens.flatMap(({ node }) => scene.tokens.get(node) ?? []));

const billionths = (share: number) => BigInt(Math.round(share * SCALE));
const shareUp = (base: Usd, share: number) => mulDivUp(base, billionths(share), BigInt(SCALE));
const shareDown = (base: Usd, share: number) => mulDivDown(base, billionths(share), BigInt(SCALE));
const positive = (value: bigint) => (value > 0n ? value : 0n);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
