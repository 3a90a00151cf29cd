// The very JSON of one offered quote, OIF's GetQuoteResponse.quotes[i] with our metadata: what is
// signed in words and numbers. Pure; amounts are decimal strings, dollars decimal strings, bps
// numbers. Costs round up, worths down, and the printed fees sum exactly to the printed total.

import { type PortfolioOrder, typedDataPayload } from '../../contracts-abi/typedData.ts';
import { coverage } from '../certificate/bound.ts';
import { formatFixed36 } from '../market/decimal.ts';
import type { ParsedProblem } from '../market/parsedProblem.ts';
import type { PoolState, Snapshot } from '../market/snapshot.ts';
import { present } from '../types/assert.ts';
import type { FillTimes } from '../types/fillTimes.ts';
import { type EvmAddress, fromBytes32Address } from '../types/ids.ts';
import { interoperable } from '../types/interop.ts';
import type { JsonObject } from '../types/json.ts';
import type { Leg, ProblemResult } from '../types/problem.ts';
import { addUsd, formatUsdDown, formatUsdUp, type Usd, ZERO_USD } from './money.ts';
import { type BuiltOrder, etaOf } from './orderBuilder.ts';
import type { BuiltProblem } from './problemBuilder.ts';
import type { Scene, SceneToken, Warning } from './scene.ts';
import type { TrackingAccount } from './tracking.ts';
import { afterTrade, type Flow, type Trade } from './trade.ts';
import { driftOf, heldWeights, weightsOf, worthOf } from './weights.ts';

export const ORDER_TYPE = 'trimtab-portfolio-v1';
export const PROVIDER = 'trimtab';

export interface QuoteParts {
  readonly quoteId: string;
  readonly owner: EvmAddress;
  readonly validUntil: number;
  readonly scene: Scene;
  readonly built: BuiltProblem;
  /** What was solved, parsed. */
  readonly problem: ParsedProblem;
  readonly result: ProblemResult;
  /** Legs on the market alone: `result` without the portfolio's layer, where it has one. */
  readonly flat: ProblemResult;
  readonly trade: Trade;
  /** Of a rebalance judged by its risk. */
  readonly account: TrackingAccount | null;
  readonly order: BuiltOrder;
  readonly slippageBps: number;
  readonly fillTimes?: FillTimes | undefined;
}

export function quoteResponse(parts: QuoteParts): JsonObject {
  const { quoteId, validUntil, trade, scene, order } = parts;
  const eta = etaOf(trade, parts.fillTimes);
  const fees = feesBlock(trade);
  return {
    order: orderToSign(order.order),
    validUntil,
    eta: eta.p50Seconds,
    quoteId,
    provider: PROVIDER,
    preview: preview(parts),
    failureHandling: 'refund-automatic',
    partialFill: false,
    metadata: {
      worthUsd: formatUsdDown(worthOf(scene, scene.holdings)),
      weights: weightsBlock(scene, trade),
      ...(parts.account === null ? {} : { tracking: trackingBlock(parts.account) }),
      legs: parts.flat.legs.map((leg) => legBlock(scene, parts.built, leg)),
      fees: fees.items,
      totalFeesUsd: fees.total,
      solverFee: {
        marginUsd: formatUsdUp(trade.charges.margin),
        transfersUsd: formatUsdUp(trade.charges.transfers),
        keptGainsUsd: formatUsdUp(trade.charges.keptGains),
      },
      eta: { ...eta },
      slippageBps: parts.slippageBps,
      approvals: approvalsBlock(scene, trade),
      warnings: [...scene.warnings, ...certificateWarnings(parts.result)].map((w) => ({ ...w })),
      certificate: certificateBlock(scene, parts.problem, parts.result),
    },
  };
}

/** The same for every order: made when the first is written, and never changed. */
let typesOfOrders: JsonObject | null = null;

export function orderToSign(order: PortfolioOrder): JsonObject {
  const { domain, types, primaryType, message } = typedDataPayload(order);
  typesOfOrders ??= Object.fromEntries(
    Object.entries(types).map(([name, fields]) => [name, fields.map((field) => ({ ...field }))]),
  );
  return {
    type: ORDER_TYPE,
    payload: {
      signatureType: 'eip712',
      domain: { ...domain },
      primaryType,
      message: { ...message },
      types: typesOfOrders,
    },
  };
}

function preview({ owner, trade, order }: QuoteParts): JsonObject {
  const place = ({ token }: Flow) => ({
    asset: interoperable(token.chain.chainId, token.token.address),
    symbol: token.token.symbol,
    chainId: token.chain.chainId,
  });
  return {
    inputs: trade.inputs.map((flow) => ({
      user: interoperable(flow.token.chain.chainId, owner),
      ...place(flow),
      amount: flow.amount.toString(),
    })),
    outputs: trade.outputs.map((flow, i) => {
      const signed = present(order.order.outputs[i], 'an output per flow');
      const receiver = fromBytes32Address(signed.recipient);
      return {
        receiver: interoperable(flow.token.chain.chainId, receiver),
        ...place(flow),
        amount: flow.amount.toString(),
        minimumAmount: signed.amount.toString(),
      };
    }),
  };
}

function feesBlock({ charges }: Trade): { items: readonly JsonObject[]; total: string } {
  const item = (kind: string, amount: Usd) => ({
    kind,
    amountUsd: formatUsdUp(amount),
    included: true,
  });
  const { gas, messages, venues, solver } = charges;
  return {
    items: [
      item('gas', gas),
      item('venue', venues),
      item('message', messages),
      item('solver', solver),
      item('protocol', ZERO_USD),
    ],
    total: formatUsdUp(addUsd(gas, venues, messages, solver)),
  };
}

function approvalsBlock(scene: Scene, { inputs }: Trade): readonly JsonObject[] {
  return inputs
    .filter(({ token, amount }) => (scene.allowances.get(token.node) ?? 0n) < amount)
    .map(({ token, amount }) => ({
      chainId: token.chain.chainId,
      token: token.token.address,
      symbol: token.token.symbol,
      spender: token.chain.contracts.portfolioSettler,
      required: amount.toString(),
      allowance: (scene.allowances.get(token.node) ?? 0n).toString(),
    }));
}

function weightsBlock(scene: Scene, trade: Trade): JsonObject {
  const before = heldWeights(scene);
  const later = weightsOf(scene, afterTrade(scene, trade));
  const targets = scene.targets.map((target, i) => ({
    asset: target.asset,
    ...(target.chain === null ? {} : { chain: target.chain }),
    targetBps: target.weightBps,
    beforeBps: before[i] ?? 0,
    afterBps: later[i] ?? 0,
  }));
  return {
    targets,
    driftBeforeBps: driftOf(scene, before),
    driftAfterBps: driftOf(scene, later),
  };
}

function trackingBlock({ before, after, saved, cost }: TrackingAccount): JsonObject {
  return {
    errorBeforeBps: before.errorBps,
    errorAfterBps: after.errorBps,
    riskBeforeUsd: formatUsdUp(before.risk),
    riskAfterUsd: formatUsdUp(after.risk),
    riskSavedUsd: formatUsdDown(saved),
    costUsd: formatUsdUp(cost),
  };
}

function legBlock(scene: Scene, built: BuiltProblem, leg: Leg): JsonObject {
  const from = present(scene.tokens.get(leg.in.node), `node ${leg.in.node}`);
  const to = present(scene.tokens.get(leg.out.node), `node ${leg.out.node}`);
  const pool = built.pools.get(leg.venue);
  return {
    venue: leg.venue,
    kind: pool?.kind ?? 'transfer',
    fromChain: from.chain.chainId,
    toChain: to.chain.chainId,
    in: { ...leg.in },
    out: { ...leg.out },
    priceImpactBps: pool === undefined ? 0 : poolImpactBps(pool, leg, from),
  };
}

const Q192 = 1n << 192n;

/**
 * How far the trade moves its own price: 1 − out / (in less fee, at the pool's price before the
 * trade), bps with two decimals. A transfer at a posted rate moves nothing.
 */
function poolImpactBps(state: PoolState, leg: Leg, from: SceneToken): number | null {
  const zeroForOne = state.pool.tokens[0] === from.token.address;
  const taken = BigInt(leg.in.amount) * BigInt(1_000_000 - state.pool.feePips);
  const [numerator, denominator] =
    state.kind === 'uniswapV2'
      ? [state.reserves[1], state.reserves[0]]
      : [state.sqrtPriceX96 * state.sqrtPriceX96, Q192];
  const [up, down] = zeroForOne ? [numerator, denominator] : [denominator, numerator];
  const expected = (taken * up) / (down * 1_000_000n);
  if (expected === 0n) return null;
  const short = expected - BigInt(leg.out.amount);
  return Math.max(0, Number((short * 1_000_000n) / expected) / 100);
}

function certificateBlock(scene: Scene, problem: ParsedProblem, result: ProblemResult): JsonObject {
  return {
    problem: result.problem,
    engine: result.engine,
    status: result.status,
    achieved: result.value,
    bound: result.bound,
    gapBps: result.gapBps,
    snapshotDigest: scene.snapshot.digest,
    blocks: blocksBlock(scene.snapshot),
    prices: pricesBlock(scene.tokens),
    dualPrices: { ...result.prices },
    covers: coverage(problem),
  };
}

/** Snapshots and their tokens are shared by the quotes of a block; these texts go when they go. */
const knownBlocks = new WeakMap<Snapshot, readonly JsonObject[]>();
const knownPrices = new WeakMap<Scene['tokens'], JsonObject>();

function blocksBlock(snapshot: Snapshot): readonly JsonObject[] {
  const known = knownBlocks.get(snapshot);
  if (known !== undefined) return known;
  const blocks = snapshot.chains.map(({ chainId, block }) => ({
    chainId,
    number: block.number.toString(),
    hash: block.hash,
  }));
  knownBlocks.set(snapshot, blocks);
  return blocks;
}

function pricesBlock(tokens: Scene['tokens']): JsonObject {
  const known = knownPrices.get(tokens);
  if (known !== undefined) return known;
  const prices = Object.fromEntries(
    [...tokens.values()].map(({ node, price }) => [node, formatFixed36(price)]),
  );
  knownPrices.set(tokens, prices);
  return prices;
}

/** A gap that costs the owner more than our own margin is worth knowing. */
const GAP_WARNING_BPS = 3;

function certificateWarnings({ gapBps }: ProblemResult): readonly Warning[] {
  if (Number(gapBps) <= GAP_WARNING_BPS) return [];
  const message = `the plan is proven to be within ${gapBps} bps of the best possible, not closer`;
  return [{ code: 'wideGap', severity: 'warn', message }];
}
