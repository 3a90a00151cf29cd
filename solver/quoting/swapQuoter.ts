// OIF's swaps behind the HTTP. A swap is the rebalance of exactly its inputs into one token: the same
// scene, plan, exact trade and certificate, with the amounts, the receiver and the minimum the caller
// names. For exact-output the input is searched for. Owns that exactly what was given is sold, and that
// no less than what was asked for is signed. Also offers rebalances in other order types.

import type { MarketSource } from '../market/source.ts';
import { MAX_UINT256, mulDivUp, unixSeconds } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import { isRefusal } from '../types/errors.ts';
import type { JsonObject } from '../types/json.ts';
import type { Quote, RebalanceRequest, SwapRequest } from '../types/service.ts';
import { addUsd, amountForDown, bpsOfUp, toMicroUp, usd, worthDown, worthUp } from './money.ts';
import { offerOf, type Planned } from './offering.ts';
import { minimum } from './orderBuilder.ts';
import { type PlanDeps, planToTargets } from './planner.ts';
import { DEFAULT_POLICY, type QuotePolicy } from './policy.ts';
import { type QuoterDeps, rebalanceQuote } from './quoter.ts';
import { ORDER_TYPE, type QuoteParts, quoteResponse } from './response.ts';
import { readScene, type Scene, type Warning } from './scene.ts';
import { type QuoteRefusal, refuse } from './scope.ts';
import { createSharedMarkets } from './shared.ts';
import { resolveSwap, type SwapScope, scopeOf } from './swapScope.ts';
import { inTypes, PERMIT2_TYPE, wantedTypes } from './swapTypes.ts';
import type { Flow, Trade } from './trade.ts';

export interface SwapQuoter {
  /**
   * Offers in the order types the caller supports. Throws as Quoter.quote does. A rebalance without
   * supportedTypes is offered as trimtab-portfolio-v1 alone.
   */
  offers(request: RebalanceRequest | SwapRequest): Promise<readonly Quote[] | QuoteRefusal>;
}

/** Solves for the input of an exact-output swap; each closes in on it by a factor of some fifty. */
const SEARCH_MAX = 6;
/** The search ends within this much above what is wanted, bps; it is paid out as more output. */
const SEARCH_SLACK_BPS = 5;
/** Of an input this share may stay unsold in the plan (rounding, dust): 1 / 10,000. */
const UNSOLD_BPS = 1;

type Deps = QuoterDeps & PlanDeps & { readonly policy: QuotePolicy };

export function createSwapQuoter(given: QuoterDeps): SwapQuoter {
  const policy = { ...DEFAULT_POLICY, ...given.policy };
  const deps = { ...given, policy, shared: createSharedMarkets() };
  return {
    offers: (request) =>
      request.intentType === 'oif-swap'
        ? swapOffers(deps, request)
        : rebalanceOffers(deps, request),
  };
}

async function rebalanceOffers(
  deps: Deps,
  request: RebalanceRequest,
): Promise<readonly Quote[] | QuoteRefusal> {
  const types = wantedTypes(request.supportedTypes, [ORDER_TYPE]);
  if (isRefusal(types)) return types;
  const { supportedTypes: _, ...rest } = request;
  const stored = await rebalanceQuote(deps, deps.policy, rest);
  return isRefusal(stored) ? stored : inTypes(deps, stored, types);
}

async function swapOffers(
  deps: Deps,
  request: SwapRequest,
): Promise<readonly Quote[] | QuoteRefusal> {
  const types = wantedTypes(request.supportedTypes, [PERMIT2_TYPE, ORDER_TYPE]);
  if (isRefusal(types)) return types;
  const scope = resolveSwap(request, deps.network);
  if (isRefusal(scope)) return scope;
  const planned =
    request.swapType === 'exact-input'
      ? await exactInput(deps, request, scope)
      : await exactOutput(deps, request, scope);
  if (isRefusal(planned)) return atOif(planned);
  const { policy } = deps;
  const terms = {
    owner: request.owner,
    slippageBps: policy.slippageBps,
    recipient: request.output.receiver,
    minimums: [signedAmount(request, scope, planned, policy)],
  };
  const stored = await offerOf(deps, policy, planned, terms, (parts) => responseOf(request, parts));
  if (isRefusal(stored)) return atOif(stored);
  await deps.store.putQuote(stored);
  return inTypes(deps, stored, types);
}

interface SwapPlan extends Planned {
  /** Base units the output is worth to the owner, as billed. */
  readonly out: bigint;
}

async function exactInput(
  deps: Deps,
  request: SwapRequest,
  scope: SwapScope,
): Promise<SwapPlan | QuoteRefusal> {
  const amounts = scope.inputs.map(({ amount }) => present(amount, 'an amount'));
  const planned = await planFor(deps, request, scope, amounts);
  if (isRefusal(planned)) return planned;
  const { outputAmount: least } = scope;
  if (least === null || planned.out >= least) return planned;
  const message =
    `the inputs buy ${planned.out} base units of ${scope.output.node} now, less than the ` +
    `${least} asked for; ask for less, or give more`;
  const details = { node: scope.output.node, out: planned.out.toString() };
  return refuse('limitUnmet', message, '/intent/outputs/0/amount', details);
}

/**
 * Newton's method on out(in), whose slope is the price less a little and whose offset are the fixed
 * costs: from what feed prices say, each step gives what was missing at that price.
 */
async function exactOutput(
  deps: Deps,
  request: SwapRequest,
  scope: SwapScope,
): Promise<SwapPlan | QuoteRefusal> {
  const asked = present(scope.outputAmount, 'the wanted amount');
  // The signed amount is the asked one: what slippage may take lies in the input.
  const wanted = mulDivUp(asked, 10_000n, BigInt(10_000 - deps.policy.slippageBps));
  const highest = mulDivUp(wanted, BigInt(10_000 + SEARCH_SLACK_BPS), 10_000n);
  let amount: bigint | null = null;
  for (let attempt = 0; attempt < SEARCH_MAX; attempt++) {
    const planned: SwapPlan | QuoteRefusal = await planFor(deps, request, scope, [amount ?? 1n], {
      // The first look is at prices alone.
      plan: amount !== null,
    });
    if (isRefusal(planned)) {
      if (planned.refused !== 'costAboveLimit' || amount === null) return planned;
      // Too little to pay its own costs: more may.
      amount *= 2n;
      continue;
    }
    const { out } = planned;
    if (amount !== null && out >= wanted && out <= highest) return planned;
    const [from, to] = pricesOf(planned.scene, scope);
    const missing: bigint = wanted - out;
    const step =
      missing >= 0n
        ? amountForDown(bpsOfUp(worthUp(missing, to), 10_002), from) + 1n
        : -amountForDown(bpsOfUp(worthDown(-missing, to), 9_998), from);
    const next: bigint = (amount ?? 0n) + step;
    if (next > MAX_UINT256) break;
    amount = next > 0n ? next : 1n;
  }
  const message =
    'no input was found that buys exactly this much now; try a smaller amount, or exact-input';
  return refuse('quoteUnavailable', message, '/intent/outputs/0/amount');
}

/** The plan of exactly these inputs, all of them sold. Without `plan`: prices, nothing sold. */
async function planFor(
  deps: Deps,
  { owner, minValidUntil }: SwapRequest,
  swap: SwapScope,
  amounts: readonly bigint[],
  { plan: planning } = { plan: true },
): Promise<SwapPlan | QuoteRefusal> {
  const balances = new Map<string, bigint>();
  const scene = await readScene(scopeOf(swap, amounts), owner, {
    source: unlimited(deps.source, balances),
    now: deps.clock.now(),
    feedDeviationBps: deps.policy.feedDeviationBps,
    at: '/intent',
    shared: deps.shared,
  });
  if (isRefusal(scene)) return scene;
  const validUntil = unixSeconds(scene.now + deps.policy.quoteTtlSeconds);
  if (minValidUntil !== undefined && minValidUntil > validUntil) {
    const { quoteTtlSeconds } = deps.policy;
    const message = `quotes are valid for ${quoteTtlSeconds} s, until ${validUntil} at most`;
    return refuse('quoteUnavailable', message, '/intent/minValidUntil');
  }
  if (!planning) return { scene, out: 0n } as SwapPlan;
  const plan = await planToTargets(deps, deps.policy, scene);
  if (isRefusal(plan)) return plan;
  const trade = allSold(swap, amounts, plan.trade);
  if (isRefusal(trade)) return trade;
  const out = present(trade.outputs[0], 'the output').amount;
  const warnings = [...scene.warnings, ...unfunded(swap, amounts, balances)];
  return { ...plan, trade, out, scene: { ...scene, warnings }, validUntil };
}

/** Exactly the given inputs for the one output; dust the plan leaves goes to the solver, and is said. */
function allSold(swap: SwapScope, amounts: readonly bigint[], trade: Trade): Trade | QuoteRefusal {
  const [output, other] = trade.outputs;
  const stray = trade.inputs.some(({ token }) =>
    swap.inputs.every((input) => input.token.node !== token.node),
  );
  if (output?.token.node !== swap.output.node || other !== undefined || stray) {
    const message =
      'routes and inventory cannot bring all of the inputs into the output now; give less';
    return refuse('insufficientInventory', message, '/intent/inputs');
  }
  let unsold = usd(0n);
  const inputs: Flow[] = [];
  for (const [i, { token, pointer }] of swap.inputs.entries()) {
    const given = present(amounts[i], 'an amount');
    const flow = trade.inputs.find((each) => each.token.node === token.node);
    const sold = flow?.amount ?? 0n;
    if (flow === undefined || (given - sold) * 10_000n > given * BigInt(UNSOLD_BPS)) {
      const message =
        `${sold} of ${given} base units of ${token.node} can be sold now: routes and inventory ` +
        'hold no more, or it is worth less than it costs to take; give that much, or leave it out';
      const details = { node: token.node, sold: sold.toString() };
      return refuse('insufficientInventory', message, `${pointer}/amount`, details);
    }
    unsold = addUsd(unsold, worthUp(given - sold, flow.token));
    inputs.push({ token: flow.token, amount: given });
  }
  const order = (flow: Flow) => trade.inputs.findIndex(({ token }) => token === flow.token);
  const kept = toMicroUp(unsold);
  const { charges } = trade;
  return {
    inputs: inputs.sort((a, b) => order(a) - order(b)),
    outputs: [output],
    charges: {
      ...charges,
      solver: addUsd(charges.solver, kept),
      keptGains: addUsd(charges.keptGains, kept),
    },
  };
}

/** Everything is quoted, whoever asks; what the owner holds is noted on the way. */
function unlimited(source: MarketSource, balances: Map<string, bigint>): MarketSource {
  return {
    chain: (chainId) => source.chain(chainId),
    async owner(chainId, owner, at) {
      const state = await source.owner(chainId, owner, at);
      for (const [token, amount] of state.balances) balances.set(`${chainId}:${token}`, amount);
      const plenty = [...state.balances.keys()].map((token) => [token, MAX_UINT256] as const);
      return { ...state, balances: new Map(plenty) };
    },
  };
}

function unfunded(
  { inputs }: SwapScope,
  amounts: readonly bigint[],
  balances: ReadonlyMap<string, bigint>,
): readonly Warning[] {
  return inputs.flatMap(({ token: { chain, token, node } }, i) => {
    const held = balances.get(`${chain.chainId}:${token.address}`) ?? 0n;
    const needed = present(amounts[i], 'an amount');
    if (held >= needed) return [];
    const message = `the user holds ${held} base units of ${node}, and the order takes ${needed}`;
    return [{ code: 'insufficientBalance', severity: 'block' as const, message }];
  });
}

/** exact-output: what was asked; exact-input: the quoted less slippage, and never below the asked. */
function signedAmount(
  { swapType }: SwapRequest,
  { outputAmount }: SwapScope,
  { out }: SwapPlan,
  { slippageBps }: QuotePolicy,
): bigint {
  const usual = minimum(out, slippageBps);
  const asked = outputAmount ?? 0n;
  const signed = swapType === 'exact-output' || asked > usual ? asked : usual;
  assert(signed > 0n && signed <= out, 'a swap signs at most what it quotes');
  return signed;
}

function responseOf(request: SwapRequest, parts: QuoteParts): JsonObject {
  const { scene, order } = parts;
  const notes = request.notes.map((note) => ({ ...note, severity: 'info' as const }));
  const warnings = [...scene.warnings, ...notes];
  const response = quoteResponse({ ...parts, scene: { ...scene, warnings } });
  if (request.swapType === 'exact-input') return response;
  // What was asked for is what is promised; anything above it comes on top.
  const { inputs, outputs } = response.preview as { inputs: JsonObject[]; outputs: JsonObject[] };
  const amount = present(order.order.outputs[0], 'the output').amount.toString();
  return {
    ...response,
    preview: { inputs, outputs: outputs.map((output) => ({ ...output, amount })) },
  };
}

function pricesOf(scene: Scene, { inputs, output }: SwapScope) {
  const at = (node: string) => present(scene.tokens.get(node), `price of ${node}`);
  return [at(present(inputs[0], 'an input').token.node), at(output.node)] as const;
}

/** A rebalance's refusals point at targets and scope, which a swap does not have. */
function atOif(refusal: QuoteRefusal): QuoteRefusal {
  const { pointer } = refusal;
  if (pointer === undefined || !/^\/intent\/(targets|scope|owner)/.test(pointer)) return refusal;
  return { ...refusal, pointer: '/intent' };
}
