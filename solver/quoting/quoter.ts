// POST /v1/quotes behind the HTTP: request → scene → problem → plan → exact trade → order, stored
// and offered. Owns the order of the steps and every reason not to offer; the steps are the other
// files of this room. Signs nothing, sends nothing, reads no chain but through the MarketSource.

import { bytesToHex } from '@noble/hashes/utils.js';
import { orderToJson } from '../../contracts-abi/orderJson.ts';
import type { PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { canonicalJson } from '../market/jsonText.ts';
import { parseProblem } from '../market/problemFile.ts';
import { nodeIdOf } from '../market/snapshot.ts';
import type { MarketSource } from '../market/source.ts';
import { type UnixSeconds, unixSeconds } from '../types/amounts.ts';
import { Defect } from '../types/assert.ts';
import { InvalidInput, isRefusal, type Refusal } from '../types/errors.ts';
import type { EvmAddress } from '../types/ids.ts';
import type { NetworkConfig } from '../types/network.ts';
import type { Clock, Rng } from '../types/ports.ts';
import type { Problem, ProblemResult } from '../types/problem.ts';
import type { Quote, QuoteRequest } from '../types/service.ts';
import type { Store } from '../types/store.ts';
import { addUsd, bpsOfUp, formatUsdUp } from './money.ts';
import { buildOrder } from './orderBuilder.ts';
import { DEFAULT_POLICY, type QuotePolicy, SOLVES_MAX } from './policy.ts';
import { type Available, type BuiltProblem, buildProblem } from './problemBuilder.ts';
import { unreachableTarget } from './reach.ts';
import { ORDER_TYPE, quoteResponse } from './response.ts';
import { readScene, type Scene } from './scene.ts';
import { type QuoteRefusal, refuse, resolveScope } from './scope.ts';
import { shareInventory, type Trade, tradeOf } from './trade.ts';
import { driftOf, weightsOf, worthOf } from './weights.ts';

export interface QuoterDeps {
  readonly network: NetworkConfig;
  readonly source: MarketSource;
  readonly store: Pick<Store, 'putQuote'>;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Signs awards; named in every order. */
  readonly auctioneer: EvmAddress;
  /** The optimizer with exact re-execution and certificate: quoting/solve.ts over an engine. */
  readonly solve: (problem: Problem) => Promise<ProblemResult>;
  /** Base units promised to orders in flight, by node id; null: too many orders to count. */
  readonly reserved: () => Promise<ReadonlyMap<string, bigint> | null>;
  /** Whether our filler can deliver these amounts now: filling's word, null for yes. */
  readonly canFund: (request: {
    readonly order: PortfolioOrder;
    readonly amounts: readonly bigint[];
    readonly result: ProblemResult;
  }) => Promise<Refusal | null>;
  readonly policy?: Partial<QuotePolicy>;
}

export interface Quoter {
  /** Throws Fault (store or engine) and Defect; everything expected is a Refusal. */
  quote(request: QuoteRequest): Promise<Quote | QuoteRefusal>;
}

export function createQuoter(deps: QuoterDeps): Quoter {
  const policy = { ...DEFAULT_POLICY, ...deps.policy };
  return { quote: (request) => quote(deps, policy, request) };
}

async function quote(
  deps: QuoterDeps,
  policy: QuotePolicy,
  request: QuoteRequest,
): Promise<Quote | QuoteRefusal> {
  const unfit = unsupported(request);
  if (unfit !== null) return unfit;
  const scope = resolveScope(request, deps.network);
  if (isRefusal(scope)) return scope;
  const at = request.pointer ?? '/intent';
  const scene = await readScene(scope, request.owner, {
    source: deps.source,
    now: deps.clock.now(),
    feedDeviationBps: policy.feedDeviationBps,
    at,
  });
  if (isRefusal(scene)) return scene;
  const validUntil = unixSeconds(scene.now + policy.quoteTtlSeconds);
  if (request.minValidUntil !== undefined && request.minValidUntil > validUntil) {
    const message = `quotes are valid for ${policy.quoteTtlSeconds} s, until ${validUntil} at most`;
    return refuse('quoteUnavailable', message, `${at}/minValidUntil`);
  }
  const drift = driftOf(scene, weightsOf(scene, scene.holdings));
  if (drift <= (request.bandBps ?? 0)) {
    const message = `the largest drift is ${drift} bps, within the band; nothing to do`;
    return refuse('nothingToDo', message, undefined, { driftBps: drift });
  }
  const plan = await solvePlan(deps, policy, scene);
  if (isRefusal(plan)) return plan;
  const { built, result } = plan;
  const trade = tradeOf(scene, built, result, policy);
  if (isRefusal(trade)) return trade;
  const dear = tooDear(scene, trade, request.maxCostBps, at);
  if (dear !== null) return dear;
  return offer(deps, policy, request, { scene, built, result, trade, validUntil });
}

interface Planned {
  readonly scene: Scene;
  readonly built: BuiltProblem;
  readonly result: ProblemResult;
  readonly trade: Trade;
  readonly validUntil: UnixSeconds;
}

/** The order of a trade that is wanted: built, funded, stored. */
async function offer(
  deps: QuoterDeps,
  policy: QuotePolicy,
  { owner, maxSlippageBps }: QuoteRequest,
  planned: Planned,
): Promise<Quote | QuoteRefusal> {
  const { scene, built, result, trade, validUntil } = planned;
  const slippageBps = maxSlippageBps ?? policy.slippageBps;
  const terms = { owner, auctioneer: deps.auctioneer, targets: scene.targets };
  const order = buildOrder(
    trade,
    { ...terms, slippageBps, validUntil },
    deps.network,
    policy,
    deps.rng,
  );
  if (isRefusal(order)) return order;
  const unfunded = await deps.canFund({ order: order.order, amounts: order.quotedAmounts, result });
  if (unfunded !== null) {
    const details = { reason: unfunded.refused, ...unfunded.details };
    return refuse('insufficientInventory', unfunded.message, undefined, details);
  }
  const quoteId = `q-${bytesToHex(deps.rng.bytes(16))}`;
  const problem = parseProblem(built.problem);
  const response = quoteResponse({ ...planned, quoteId, owner, problem, order, slippageBps });
  await deps.store.putQuote({
    quoteId,
    createdAtMs: deps.clock.nowMs(),
    validUntilMs: validUntil * 1000,
    order: { ...orderToJson(order.order) },
    quotedAmounts: order.quotedAmounts.map(String),
    problem: canonicalJson(built.problem),
    result: canonicalJson(result),
    response,
  });
  return { quoteId, validUntil, response };
}

function unsupported(request: QuoteRequest): QuoteRefusal | null {
  const { supportedTypes } = request;
  if (supportedTypes !== undefined && !supportedTypes.includes(ORDER_TYPE)) {
    const message = `quotes are orders of type ${ORDER_TYPE}; add it to supportedTypes`;
    return refuse('unsupportedOrderType', message, '/supportedTypes');
  }
  return null;
}

/** Solves; where transfers together ask more of one balance than is there, shares it and repeats. */
async function solvePlan(
  deps: QuoterDeps,
  policy: QuotePolicy,
  scene: Scene,
): Promise<{ built: BuiltProblem; result: ProblemResult } | QuoteRefusal> {
  const available = await availableInventory(deps, scene);
  const capacities = new Map<string, bigint>();
  for (let attempt = 0; attempt < SOLVES_MAX; attempt++) {
    const built = buildProblem(scene, policy, available, capacities);
    const cutOff = attempt === 0 ? unreachableTarget(scene, built.problem) : null;
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
    const shares = shareInventory(built, result, available);
    if (shares === null) return { built, result };
    for (const [venue, share] of shares) capacities.set(venue, share);
  }
  const message = 'the posted inventory is too small for this rebalance; try a smaller one';
  return refuse('insufficientInventory', message);
}

/** The problem is ours: one that the optimizer cannot read is our defect, not the caller's input. */
async function solveOwn(deps: QuoterDeps, { problem }: BuiltProblem): Promise<ProblemResult> {
  try {
    return await deps.solve(problem);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new Defect(
      `the optimizer refused a quote's problem at ${error.pointer}: ${error.message}`,
    );
  }
}

async function availableInventory(deps: QuoterDeps, scene: Scene): Promise<Available> {
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

function tooDear(
  scene: Scene,
  { charges }: Trade,
  maxCostBps: number | undefined,
  at: string,
): QuoteRefusal | null {
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
