// Scene → plan → exact trade, by either rule: to the targets, or as far as the risk saved pays for what
// the trade is billed. Owns the repeats (inventory shared out, chain limits, single chains, turnover),
// each with its maximum. Throws Fault and Defect as the engine does.

import type { ParsedProblem } from '../market/parsedProblem.ts';
import { nodeIdOf } from '../market/snapshot.ts';
import { Defect, present } from '../types/assert.ts';
import { InvalidInput, isRefusal } from '../types/errors.ts';
import type { ChainId } from '../types/ids.ts';
import type { Problem, ProblemResult } from '../types/problem.ts';
import { flatten, type Terms } from './layer.ts';
import {
  type Allowed,
  allowedOf,
  brokenLimit,
  brokenNow,
  type Limits,
  limitTransfers,
  wrongWay,
} from './limits.ts';
import { formatUsdDown, formatUsdUp } from './money.ts';
import { type QuotePolicy, SOLVES_MAX } from './policy.ts';
import { type Available, type BuiltProblem, buildProblem } from './problemBuilder.ts';
import { type Aimed, pulledTargets } from './pull.ts';
import { unreachableTarget } from './reach.ts';
import type { Scene } from './scene.ts';
import { type QuoteRefusal, refuse } from './scope.ts';
import type { SharedMarkets } from './shared.ts';
import { accountOf, type Tracking, type TrackingAccount } from './tracking.ts';
import { afterTrade, shareInventory, type Trade, tradeOf } from './trade.ts';
import { worthsByAsset } from './weights.ts';

export interface PlanDeps {
  /**
   * The optimizer with exact re-execution and certificate: quoting/solve.ts over an engine. `parsed` is
   * the problem already read; those of one market share its parts.
   */
  readonly solve: (problem: Problem, parsed: () => ParsedProblem) => Promise<ProblemResult>;
  /** Base units promised to orders in flight, by node id; null: too many orders to count. */
  readonly reserved: () => Promise<ReadonlyMap<string, bigint> | null>;
  /** What quotes on one market have in common. */
  readonly shared: SharedMarkets;
}
export interface Plan {
  readonly built: BuiltProblem;
  /** As certified. */
  readonly result: ProblemResult;
  /** `result` on the market alone: without the portfolio's layer, where it has one. */
  readonly flat: ProblemResult;
  readonly trade: Trade;
  /** Of a rebalance judged by its risk. */
  readonly account: TrackingAccount | null;
}
/** What a rebalance judged by its risk is held to. */
export interface TrackingTerms {
  readonly tracking: Tracking;
  readonly limits: Limits;
  /** ½Σ|Δw| by asset; Infinity: none. */
  readonly maxTurnover: number;
  /** JSON pointer of the intent, for refusals. */
  readonly at: string;
}
interface Setting {
  readonly deps: PlanDeps;
  readonly policy: QuotePolicy;
  readonly scene: Scene;
  readonly available: Available;
  /** Not null where a limit is broken and must be mended, whether or not that pays. */
  readonly aimed: Aimed | null;
}

/** To the targets. */
export async function planToTargets(
  deps: PlanDeps,
  policy: QuotePolicy,
  scene: Scene,
): Promise<Plan | QuoteRefusal> {
  const available = await availableInventory(deps, scene);
  const solved = await solvePlan({ deps, policy, scene, available, aimed: null });
  if (isRefusal(solved)) return solved;
  const trade = tradeOf(scene, solved.built, solved.result, policy);
  return isRefusal(trade) ? trade : { ...solved, trade, account: null };
}

/**
 * As far as the risk saved pays for. The search only estimates what an order's shape costs, so that it
 * may spread a trade over more chains than pay: then every chain alone is tried too, and the trade
 * that is worth most as billed is taken, if it is worth more than none.
 */
export async function planTracking(
  deps: PlanDeps,
  policy: QuotePolicy,
  scene: Scene,
  terms: TrackingTerms,
): Promise<Plan | QuoteRefusal> {
  const pulls = brokenNow(scene, terms.limits);
  const aimed = pulls.length === 0 ? null : pulledTargets(scene, terms.tracking, pulls);
  if (pulls.length > 0 && aimed === null) return unmendable(scene, terms);
  const available = await availableInventory(deps, scene);
  const setting = { deps, policy, scene, available, aimed };
  const allowed = allowedOf(scene, terms.limits);
  const plan = await bestPlan(setting, terms, allowed);
  if (isRefusal(plan)) return plan;
  const turnover = turnoverOf(scene, plan.trade);
  if (turnover <= terms.maxTurnover) return plan;
  return bestPlan(setting, terms, cutAdditions(plan, allowed, terms.maxTurnover / turnover));
}

type AllowedByNode = ReadonlyMap<string, Allowed>;

/** Every addition of a plan cut alike, to `share` of it: the turnover is at most the additions' sum. */
function cutAdditions(
  { built, result }: Plan,
  allowed: AllowedByNode,
  share: number,
): AllowedByNode {
  const holds = new Map(
    built.layer?.venues.flatMap(({ venue, token, side }) =>
      side === 'hold' ? [[venue.id, token.node] as const] : [],
    ),
  );
  const added = new Map<string, bigint>();
  for (const { venue, out } of result.legs) {
    const node = holds.get(venue);
    if (node !== undefined) added.set(node, (added.get(node) ?? 0n) + BigInt(out.amount));
  }
  const millionths = BigInt(Math.floor(share * 1e6));
  return new Map(
    [...allowed].map(([node, { spend }]) => [
      node,
      { spend, add: ((added.get(node) ?? 0n) * millionths) / 1_000_000n },
    ]),
  );
}

async function bestPlan(
  setting: Setting,
  terms: TrackingTerms,
  allowed: AllowedByNode,
): Promise<Billed | QuoteRefusal> {
  const first = await billedPlan(setting, terms, allowed, null);
  const mends = setting.aimed !== null;
  if (isRefusal(first) && !UNPAID.has(first.refused)) {
    return mends && first.refused === 'nothingToDo' ? unmendable(setting.scene, terms) : first;
  }
  const plans = [first];
  if (chainsUsed(first) > 1) {
    for (const { chainId } of setting.scene.chains) {
      plans.push(await billedPlan(setting, terms, allowed, chainId));
    }
  }
  const billed = plans.flatMap((plan) => (isRefusal(plan) ? [] : [plan]));
  const best = billed.reduce<Billed | null>(
    (top, plan) => (top === null || gainOf(plan) > gainOf(top) ? plan : top),
    null,
  );
  if (best === null) return first;
  return mends || gainOf(best) > 0n ? best : unpaid(best.account);
}

/** A broken limit that no trade mends, by name. */
function unmendable(scene: Scene, { limits, at }: TrackingTerms): QuoteRefusal {
  return present(brokenLimit(scene, limits, scene.holdings, at), 'a broken limit');
}

type Billed = Plan & { readonly account: TrackingAccount };

const gainOf = ({ account }: Billed): bigint => account.saved - account.cost;

/** A plan that is refused on all chains for these may still be had on one. */
const UNPAID: ReadonlySet<string> = new Set(['costAboveLimit', 'noRoute', 'limitUnmet']);

/** Chains an order would be opened or filled on; one that is refused counts as several. */
function chainsUsed(plan: Plan | QuoteRefusal): number {
  if (isRefusal(plan)) return 2;
  const { inputs, outputs } = plan.trade;
  return new Set([...inputs, ...outputs].map(({ token }) => token.chain.chainId)).size;
}

function unpaid({ saved, cost }: TrackingAccount): QuoteRefusal {
  const [riskSavedUsd, costUsd] = [formatUsdDown(saved), formatUsdUp(cost)];
  const message =
    `the best trade saves ${riskSavedUsd} dollars of risk and costs ${costUsd}; ` +
    'ask again when the portfolio has drifted further';
  return refuse('nothingToDo', message, undefined, { riskSavedUsd, costUsd });
}

async function billedPlan(
  setting: Setting,
  { tracking, limits, at }: TrackingTerms,
  allowed: AllowedByNode,
  only: ChainId | null,
): Promise<Billed | QuoteRefusal> {
  const { scene, policy } = setting;
  const terms = { tracking, allowed, only, aimed: setting.aimed };
  const solved = await solvePlan(setting, terms, limits);
  if (isRefusal(solved)) return solved;
  const trade = tradeOf(scene, solved.built, solved.flat, policy);
  if (isRefusal(trade)) return trade;
  const after = afterTrade(scene, trade);
  const broken = brokenLimit(scene, limits, after, at) ?? wrongWay(scene, limits, after, at);
  if (broken !== null) return broken;
  return { ...solved, trade, account: accountOf(scene, tracking, after) };
}

/** ½Σ|Δw| by asset, shares of the worth before. */
function turnoverOf(scene: Scene, trade: Trade): number {
  const before = worthsByAsset(scene, scene.holdings);
  const after = worthsByAsset(scene, afterTrade(scene, trade));
  const total = [...before.values()].reduce((sum, worth) => sum + worth, 0n);
  const moved = [...after].reduce((sum, [asset, worth]) => {
    const change = worth - (before.get(asset) ?? 0n);
    return sum + (change < 0n ? -change : change);
  }, 0n);
  return Number(moved) / 2 / Number(total);
}

type Solved = Pick<Plan, 'built' | 'result' | 'flat'>;

/**
 * Solves; where transfers together ask more of one balance than is there, or pass a chain's limit,
 * shares out what there is and repeats.
 */
async function solvePlan(
  { deps, policy, scene, available }: Setting,
  terms: Terms | null = null,
  limits: Limits | null = null,
): Promise<Solved | QuoteRefusal> {
  const capacities = new Map<string, bigint>();
  for (let attempt = 0; attempt < SOLVES_MAX; attempt++) {
    const plain = capacities.size === 0 && terms === null;
    const built = plain
      ? deps.shared.build(scene, policy, available)
      : buildProblem(scene, policy, available, capacities, terms);
    const hard = attempt === 0 && terms === null;
    const cutOff = hard ? unreachableTarget(scene, built.problem) : null;
    if (cutOff !== null) {
      const message =
        `no pool and no transfer leads to ${cutOff} from what is held elsewhere; widen the scope, ` +
        'or choose other targets';
      return refuse('noRoute', message, undefined, { asset: cutOff });
    }
    const result = await solveOwn(deps, built);
    if (result.status === 'noRoute' || result.status === 'infeasible') {
      const message =
        'no route over the known pools and transfers reaches these targets; widen the scope, ' +
        'or target assets that are traded where you hold something';
      return refuse('noRoute', message, undefined, { status: result.status });
    }
    const shares =
      shareInventory(built, result, available) ??
      (limits === null ? null : limitTransfers(scene, limits, built.bridges, result));
    if (shares === null) {
      return { built, result, flat: built.layer === null ? result : flatten(result, built.layer) };
    }
    for (const [venue, share] of shares) capacities.set(venue, share);
  }
  const message = 'the posted inventory is too small for this rebalance; try a smaller one';
  return refuse('insufficientInventory', message);
}

/** The problem is ours: one that the optimizer cannot read is our defect, not the caller's input. */
async function solveOwn(deps: PlanDeps, built: BuiltProblem): Promise<ProblemResult> {
  try {
    return await deps.solve(built.problem, built.parsed);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new Defect(
      `the optimizer refused a quote's problem at ${error.pointer}: ${error.message}`,
    );
  }
}

async function availableInventory(deps: PlanDeps, scene: Scene): Promise<Available> {
  const available = new Map<string, bigint>();
  const reserved = await deps.reserved();
  if (reserved === null) return available;
  for (const { chainId, tokens } of scene.chains) {
    const inventory = scene.markets.get(chainId)?.inventory;
    for (const { symbol, address } of tokens) {
      const node = nodeIdOf(chainId, symbol);
      const held = inventory?.get(address) ?? 0n;
      const promised = reserved.get(node) ?? 0n;
      available.set(node, held > promised ? held - promised : 0n);
    }
  }
  return available;
}
