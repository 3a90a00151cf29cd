// POST /v1/quotes behind the HTTP: request → scene → problem → plan → exact trade → order, stored
// and offered. Owns the order of the steps and every reason not to offer; the steps are the other
// files of this room. Signs nothing, sends nothing, reads no chain but through the MarketSource.

import type { MarketSource } from '../market/source.ts';
import { unixSeconds } from '../types/amounts.ts';
import { InvalidInput, isRefusal } from '../types/errors.ts';
import type { Quote, QuoteRequest } from '../types/service.ts';
import type { Store, StoredQuote } from '../types/store.ts';
import { readLimits } from './limits.ts';
import { addUsd, bpsOfUp, formatUsdUp } from './money.ts';
import { type OfferDeps, offerOf } from './offering.ts';
import { type PlanDeps, planToTargets, planTracking, type TrackingTerms } from './planner.ts';
import { DEFAULT_POLICY, type QuotePolicy } from './policy.ts';
import { ORDER_TYPE } from './response.ts';
import { readScene, type Scene } from './scene.ts';
import { type QuoteRefusal, refuse, resolveScope, type ScopeTarget } from './scope.ts';
import { createSharedMarkets } from './shared.ts';
import { readTracking } from './tracking.ts';
import type { Trade } from './trade.ts';
import { driftOf, heldWeights, worthOf } from './weights.ts';

export interface QuoterDeps extends OfferDeps, Omit<PlanDeps, 'shared'> {
  readonly source: MarketSource;
  readonly store: Pick<Store, 'putQuote'>;
  readonly policy?: Partial<QuotePolicy>;
}

export interface Quoter {
  /** Throws Fault (store or engine), Defect, and InvalidInput for malformed `tracking` and limits. */
  quote(request: QuoteRequest): Promise<Quote | QuoteRefusal>;
}

export function createQuoter(deps: QuoterDeps): Quoter {
  const policy = { ...DEFAULT_POLICY, ...deps.policy };
  const own = { ...deps, shared: createSharedMarkets() };
  return {
    async quote(request) {
      const stored = await rebalanceQuote(own, policy, request);
      if (isRefusal(stored)) return stored;
      const { quoteId, validUntilMs, response } = stored;
      return { quoteId, validUntil: unixSeconds(validUntilMs / 1000), response };
    },
  };
}

type Own = QuoterDeps & PlanDeps;

/** The offer, as it is in the store then. Throws as Quoter.quote does. */
export async function rebalanceQuote(
  deps: Own,
  policy: QuotePolicy,
  request: QuoteRequest,
): Promise<StoredQuote | QuoteRefusal> {
  const unfit = unsupported(request);
  if (unfit !== null) return unfit;
  const scope = resolveScope(request, deps.network);
  if (isRefusal(scope)) return scope;
  const at = request.pointer ?? '/intent';
  const terms = readTerms(request, scope.targets, at);
  const scene = await readScene(scope, request.owner, {
    source: deps.source,
    now: deps.clock.now(),
    feedDeviationBps: policy.feedDeviationBps,
    at,
    shared: deps.shared,
  });
  if (isRefusal(scene)) return scene;
  const validUntil = unixSeconds(scene.now + policy.quoteTtlSeconds);
  if (request.minValidUntil !== undefined && request.minValidUntil > validUntil) {
    const message = `quotes are valid for ${policy.quoteTtlSeconds} s, until ${validUntil} at most`;
    return refuse('quoteUnavailable', message, `${at}/minValidUntil`);
  }
  const drift = driftOf(scene, heldWeights(scene));
  if (drift <= (request.bandBps ?? 0)) {
    const message = `the largest drift is ${drift} bps, within the band; nothing to do`;
    return refuse('nothingToDo', message, undefined, { driftBps: drift });
  }
  const plan =
    terms === null
      ? await planToTargets(deps, policy, scene)
      : await planTracking(deps, policy, scene, terms);
  if (isRefusal(plan)) return plan;
  const dear = tooDear(scene, plan.trade, request, at);
  if (dear !== null) return dear;
  const { owner, maxSlippageBps: slippageBps = policy.slippageBps } = request;
  const planned = { ...plan, scene, validUntil };
  const stored = await offerOf(deps, policy, planned, { owner, slippageBps });
  if (!isRefusal(stored)) await deps.store.putQuote(stored);
  return stored;
}

function unsupported(request: QuoteRequest): QuoteRefusal | null {
  const { supportedTypes } = request;
  if (supportedTypes !== undefined && !supportedTypes.includes(ORDER_TYPE)) {
    const message = `quotes are orders of type ${ORDER_TYPE}; add it to supportedTypes`;
    return refuse('unsupportedOrderType', message, '/supportedTypes');
  }
  return null;
}

/** What a rebalance judged by its risk is held to; null: to the targets. Throws InvalidInput. */
function readTerms(
  request: QuoteRequest,
  targets: readonly ScopeTarget[],
  at: string,
): TrackingTerms | null {
  const { tracking, maxTurnover = Number.POSITIVE_INFINITY } = request;
  if (tracking === undefined) {
    for (const member of ['buyOnly', 'sellOnly', 'chainLimits', 'maxTurnover'] as const) {
      const given = request[member];
      if (given === undefined || (Array.isArray(given) && given.length === 0)) continue;
      const message = `${member} needs tracking; targets alone are traded to whatever they ask`;
      throw new InvalidInput(message, { pointer: `${at}/${member}` });
    }
    return null;
  }
  if (!(maxTurnover >= 0)) {
    throw new InvalidInput(`must be a fraction ≥ 0, got ${maxTurnover}`, {
      pointer: `${at}/maxTurnover`,
    });
  }
  const limits = readLimits(request, targets, at);
  return { tracking: readTracking(tracking, targets, `${at}/tracking`), limits, maxTurnover, at };
}

function tooDear(
  scene: Scene,
  { charges }: Trade,
  { maxCostBps, maxGasUsd = Number.POSITIVE_INFINITY }: QuoteRequest,
  at: string,
): QuoteRefusal | null {
  const chains = addUsd(charges.gas, charges.messages);
  if (Number(chains) / 1e18 > maxGasUsd) {
    const message =
      `gas and messages cost ${formatUsdUp(chains)} dollars, the limit is ${maxGasUsd}; ` +
      'raise maxGasUsd, or wait for cheaper gas';
    const details = { costUsd: formatUsdUp(chains), limitUsd: String(maxGasUsd) };
    return refuse('costAboveLimit', message, `${at}/maxGasUsd`, details);
  }
  if (maxCostBps === undefined) return null;
  const { gas, messages, venues, solver } = charges;
  const total = addUsd(gas, messages, venues, solver);
  const limit = bpsOfUp(worthOf(scene, scene.holdings), maxCostBps);
  if (total <= limit) return null;
  const message =
    `the rebalance costs ${formatUsdUp(total)} dollars, the limit is ${formatUsdUp(limit)}; ` +
    'raise maxCostBps, or wait for more drift';
  const details = { costUsd: formatUsdUp(total), limitUsd: formatUsdUp(limit) };
  return refuse('costAboveLimit', message, `${at}/maxCostBps`, details);
}
