// Plan → what the order exchanges: inputs (nodes that end lower) and outputs (nodes that end
// higher), with everything it costs taken off the outputs so that the filler is repaid at feed
// prices. Exact integers only: outputs round down, charges round up. Pure.
//
// The filler delivers from inventory and buys the rest at the destination; what it receives it may
// keep. So a leg that trades better than the feed price is not promised to the owner: it would be a
// gain only if the pools still stand when the filler gets to trade there. It stays as part of the
// solver's fee, and is said there.

import type { PoolState } from '../market/snapshot.ts';
import { mulDivUp } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { ChainId } from '../types/ids.ts';
import type { ProblemResult } from '../types/problem.ts';
import { type OrderShape, orderCosts } from './costs.ts';
import {
  addUsd,
  amountForDown,
  bpsOfUp,
  formatUsdDown,
  formatUsdUp,
  toMicroUp,
  type Usd,
  usd,
  worthDown,
  worthUp,
  ZERO_USD,
} from './money.ts';
import type { QuotePolicy } from './policy.ts';
import { type BuiltProblem, swapGas } from './problemBuilder.ts';
import type { Scene, SceneToken } from './scene.ts';
import { type QuoteRefusal, refuse } from './scope.ts';

/** Base units of one token that enter or leave the owner's portfolio. */
export interface Flow {
  readonly token: SceneToken;
  readonly amount: bigint;
}
/** Dollars, each rounded up to a micro-dollar. */
export interface Charges {
  readonly gas: Usd;
  readonly messages: Usd;
  /** The pools' own fees, inside the legs' amounts. */
  readonly venues: Usd;
  /** Ours: margin, transfers and kept gains together. */
  readonly solver: Usd;
  readonly margin: Usd;
  readonly transfers: Usd;
  /** Gains of legs over feed prices, which are not promised. */
  readonly keptGains: Usd;
}
export interface Trade {
  /** Chain ascending, token address ascending: the order's canonical form. */
  readonly inputs: readonly Flow[];
  /** What the filler delivers; same order. */
  readonly outputs: readonly Flow[];
  readonly charges: Charges;
}

/** The trade a plan amounts to, or why none is offered. */
export function tradeOf(
  scene: Scene,
  built: BuiltProblem,
  result: ProblemResult,
  policy: QuotePolicy,
): Trade | QuoteRefusal {
  const gross = dropDust(grossFlows(scene, result), usd(BigInt(policy.dustCents) * 10n ** 16n));
  if (gross.inputs.length === 0 || gross.outputs.length === 0) return nothingToDo();
  const costs = orderCosts(scene, shapeOf(scene, built, result, gross));
  if (costs === null) {
    return refuse('noRoute', 'an origin cannot be reached by proofs from a destination');
  }
  const legs = legCharges(scene, built, result);
  const worthOut = addUsd(...gross.outputs.map(({ token, amount }) => worthUp(amount, token)));
  const margin = bpsOfUp(worthOut, policy.marginBps);
  // One micro-dollar more than the parts, for their roundings.
  const taken = addUsd(costs.gas, costs.messages, margin, legs.gains, gross.debit, usd(10n ** 12n));
  if (taken >= worthOut) {
    const message =
      `serving the order costs ${formatUsdUp(taken)} dollars, more than the ` +
      `${formatUsdDown(worthOut)} it would move; wait for more drift`;
    return refuse('costAboveLimit', message);
  }
  const outputs = gross.outputs.map(({ token, amount }) => ({
    token,
    amount: amount - mulDivUp(amount, taken, worthOut),
  }));
  if (outputs.some(({ amount }) => amount <= 0n)) return nothingToDo();
  const parts = {
    margin: toMicroUp(margin),
    transfers: toMicroUp(legs.transferFees),
    keptGains: toMicroUp(legs.gains),
  };
  const charges: Charges = {
    gas: costs.gas,
    messages: costs.messages,
    venues: toMicroUp(legs.fees),
    solver: addUsd(parts.margin, parts.transfers, parts.keptGains),
    ...parts,
  };
  const trade = { inputs: gross.inputs, outputs, charges };
  assertRepaid(trade);
  return trade;
}

/** The owner's holdings once the trade is settled as quoted. */
export function afterTrade(scene: Scene, { inputs, outputs }: Trade): ReadonlyMap<string, bigint> {
  const after = new Map(scene.holdings);
  for (const { token, amount } of inputs) {
    after.set(token.node, (after.get(token.node) ?? 0n) - amount);
  }
  for (const { token, amount } of outputs) {
    after.set(token.node, (after.get(token.node) ?? 0n) + amount);
  }
  return after;
}

const nothingToDo = () =>
  refuse(
    'nothingToDo',
    'the portfolio is as close to its targets as trading pays for; ask again when it has drifted',
  );

/** The filler receives at least what it delivers and spends, at feed prices. */
function assertRepaid({ inputs, outputs, charges }: Trade): void {
  const received = addUsd(...inputs.map(({ token, amount }) => worthDown(amount, token)));
  const delivered = addUsd(...outputs.map(({ token, amount }) => worthUp(amount, token)));
  assert(
    received >= addUsd(delivered, charges.gas, charges.messages),
    `a trade must repay its filler: receives ${received}, delivers ${delivered}`,
  );
}

interface Gross {
  readonly inputs: readonly Flow[];
  readonly outputs: readonly Flow[];
  /** Worth of dropped inputs: taken off the outputs instead. */
  readonly debit: Usd;
}

/** final − holdings per node; exact. */
function grossFlows(scene: Scene, result: ProblemResult): Gross {
  const inputs: Flow[] = [];
  const outputs: Flow[] = [];
  for (const token of scene.tokens.values()) {
    const before = scene.holdings.get(token.node) ?? 0n;
    const after = BigInt(result.final[token.node] ?? '0');
    if (after < before) inputs.push({ token, amount: before - after });
    if (after > before) outputs.push({ token, amount: after - before });
  }
  return { inputs: canonical(inputs), outputs: canonical(outputs), debit: ZERO_USD };
}

/**
 * Leaves flows worth less than `floor` out. An output left out lessens the largest input by its
 * worth; an input left out is made up by the outputs. Either way the filler is no worse off.
 */
function dropDust(gross: Gross, floor: Usd): Gross {
  const small = ({ token, amount }: Flow) => worthUp(amount, token) < floor;
  const outputs = gross.outputs.filter((flow) => !small(flow));
  const kept = gross.inputs.filter((flow) => !small(flow));
  const debit = addUsd(
    ...gross.inputs.filter(small).map(({ token, amount }) => worthUp(amount, token)),
  );
  const credit = addUsd(
    ...gross.outputs.filter(small).map(({ token, amount }) => worthDown(amount, token)),
  );
  const [largest] = [...kept].sort((a, b) =>
    worthDown(b.amount, b.token) > worthDown(a.amount, a.token) ? 1 : -1,
  );
  const inputs = kept.map((flow) =>
    flow === largest ? { ...flow, amount: flow.amount - amountForDown(credit, flow.token) } : flow,
  );
  return { inputs: inputs.filter(({ amount }) => amount > 0n), outputs, debit };
}

function canonical(flows: readonly Flow[]): readonly Flow[] {
  const key = ({ token }: Flow) => [token.chain.chainId, token.token.address] as const;
  return [...flows].sort((a, b) => {
    const [chainA, addressA] = key(a);
    const [chainB, addressB] = key(b);
    return chainA - chainB || (addressA < addressB ? -1 : 1);
  });
}

function shapeOf(
  scene: Scene,
  built: BuiltProblem,
  result: ProblemResult,
  gross: Gross,
): OrderShape {
  const count = (flows: readonly Flow[]) => {
    const counts = new Map<ChainId, number>();
    for (const { token } of flows) {
      counts.set(token.chain.chainId, (counts.get(token.chain.chainId) ?? 0) + 1);
    }
    return counts;
  };
  const gas = new Map<ChainId, bigint>();
  for (const leg of result.legs) {
    const pool = built.pools.get(leg.venue);
    if (pool === undefined) continue;
    const { chainId } = present(scene.tokens.get(leg.in.node), `node ${leg.in.node}`).chain;
    gas.set(chainId, (gas.get(chainId) ?? 0n) + swapGas(pool));
  }
  return { inputs: count(gross.inputs), outputs: count(gross.outputs), swapGas: gas };
}

/** What legs cost in fees, and what they gain over feed prices. */
function legCharges(scene: Scene, built: BuiltProblem, result: ProblemResult) {
  let fees = ZERO_USD;
  let transferFees = ZERO_USD;
  let gains = ZERO_USD;
  for (const leg of result.legs) {
    const from = present(scene.tokens.get(leg.in.node), `node ${leg.in.node}`);
    const to = present(scene.tokens.get(leg.out.node), `node ${leg.out.node}`);
    const paid = worthUp(BigInt(leg.in.amount), from);
    const got = worthUp(BigInt(leg.out.amount), to);
    if (got > paid) gains = usd(gains + got - paid);
    const pool = built.pools.get(leg.venue);
    if (pool !== undefined) fees = usd(fees + poolFee(pool, paid));
    else if (paid > got) transferFees = usd(transferFees + paid - got);
  }
  return { fees, transferFees, gains };
}

const poolFee = ({ pool }: PoolState, paid: Usd): bigint =>
  mulDivUp(paid, BigInt(pool.feePips), 1_000_000n);

/** Per bridge whose destination's inventory the plan oversubscribes: its fair share. */
export function shareInventory(
  built: BuiltProblem,
  result: ProblemResult,
  available: ReadonlyMap<string, bigint>,
): ReadonlyMap<string, bigint> | null {
  const used = new Map<string, bigint>();
  for (const leg of result.legs) {
    if (!built.bridges.has(leg.venue)) continue;
    used.set(leg.out.node, (used.get(leg.out.node) ?? 0n) + BigInt(leg.out.amount));
  }
  const shares = new Map<string, bigint>();
  for (const leg of result.legs) {
    const node = leg.out.node;
    const total = used.get(node) ?? 0n;
    const posted = available.get(node) ?? 0n;
    if (!built.bridges.has(leg.venue) || total <= posted) continue;
    shares.set(leg.venue, (posted * BigInt(leg.out.amount)) / total);
  }
  return shares.size === 0 ? null : shares;
}
