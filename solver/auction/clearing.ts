// Who is paid what of a batch's proceeds, in exact integers, at uniform prices per (chain, token).
//
// At the clearing prices ν (the solution's dual prices) a basket gives worth W and signed minimums of
// worth V. It is owed its minimums times W/V: in the signed proportions, worth exactly what it gives.
// What trading with the venues brings beyond ν (their average price is better than their last) goes to
// those who buy there, all at one factor r_j per node; and what the batch costs (gas, messages) is kept
// back at one fraction f for all. So node j is sold at ν_j and bought at ν_j / (r_j · (1 − f)) by all:
//
//   paid = max(minimum, ⌊⌊minimum · W/V⌋ · R_j / 10^18⌋),   R_j = ⌊10^18 · r_j · (1 − f)⌋
//
// Invariants, asserted: every output gets its minimum; no node pays out more than it has; an output is
// paid its price to the base unit or, where that is less, its minimum. Refuses, as null, proceeds that
// cannot pay all minimums and costs.

import { mulDivDown } from '../types/amounts.ts';
import { assert, present } from '../types/assert.ts';
import type { OrderId } from '../types/ids.ts';
import { type BatchedOrder, byNode, type UnitPrices, worthOf } from './basket.ts';

/** R_j of a price that is neither better nor worse than ν_j. */
export const PAR = 10n ** 18n;
/** No node pays beyond this multiple of ν: a wilder one is an error of the prices, not a gain. */
const R_MAX = 1_000n * PAR;
/** Halvings that fix an R_j to its last digit. */
const HALVINGS_MAX = 72;
/** Fractions kept back for costs are multiples of 10⁻⁹. */
const FEE_GRAIN = 10n ** 9n;

export interface Paid {
  /** One per output of the order, base units. */
  readonly amounts: ReadonlyMap<OrderId, readonly bigint[]>;
  /** R_j by bought node. */
  readonly factors: ReadonlyMap<string, bigint>;
  /** f × 10^9. */
  readonly feeE9: bigint;
  /** What stays with the filler, base units by node. */
  readonly kept: ReadonlyMap<string, bigint>;
}

/**
 * @param proceeds base units by node once all inputs are given and all legs executed
 * @param clearing ν; any unit
 * @param worth prices that costs are paid at, 10⁻¹⁸ dollars × 10^54 per base unit
 * @param costWad what must be kept back, 18-decimal dollars
 */
export function payBaskets(
  orders: readonly BatchedOrder[],
  proceeds: ReadonlyMap<string, bigint>,
  clearing: UnitPrices,
  worth: UnitPrices,
  costWad: bigint,
): Paid | null {
  const claims = claimsOf(orders, clearing);
  for (const [node, list] of claims) {
    const minimums = list.reduce((sum, { minimum }) => sum + minimum, 0n);
    if (minimums > (proceeds.get(node) ?? 0n)) return null;
  }
  const full = new Map([...claims].map(([node, list]) => [node, best(list, proceeds.get(node))]));
  const at = (feeE9: bigint) =>
    new Map([...full].map(([node, r]) => [node, (r * (FEE_GRAIN - feeE9)) / FEE_GRAIN]));
  const keeps = (feeE9: bigint) => {
    const kept = keptAt(claims, at(feeE9), proceeds);
    const flows = [...kept].map(([node, amount]) => ({ node, amount }));
    return { kept, enough: worthOf(flows, worth) >= costWad * 10n ** 54n };
  };
  if (!keeps(FEE_GRAIN).enough) return null;
  let [low, high] = [0n, FEE_GRAIN];
  while (low < high) {
    const middle = (low + high) / 2n;
    if (keeps(middle).enough) high = middle;
    else low = middle + 1n;
  }
  const factors = at(low);
  const amounts = new Map(
    orders.map(({ orderId, outputs }) => [
      orderId,
      outputs.map((_, j) => {
        const claim = present(claimOf(claims, orderId, j), 'claim');
        const amount = paidTo(claim, present(factors.get(claim.node), 'factor'));
        assert(amount >= claim.minimum, 'an output is paid below its minimum');
        return amount;
      }),
    ]),
  );
  const { kept } = keeps(low);
  for (const [node, amount] of kept) assert(amount >= 0n, `${node} pays out more than it has`);
  return { amounts, factors, feeE9: low, kept };
}

interface Claim {
  readonly orderId: OrderId;
  readonly index: number;
  readonly node: string;
  readonly minimum: bigint;
  /** ⌊minimum · W/V⌋. */
  readonly owed: bigint;
}
type Claims = ReadonlyMap<string, readonly Claim[]>;

function claimsOf(orders: readonly BatchedOrder[], clearing: UnitPrices): Claims {
  const claims = new Map<string, Claim[]>();
  for (const { orderId, inputs, outputs } of orders) {
    const gives = worthOf(inputs, clearing);
    const wants = worthOf(outputs, clearing);
    assert(gives > 0n && wants > 0n, 'baskets are worth something');
    for (const [index, { node, amount }] of outputs.entries()) {
      const owed = mulDivDown(amount, gives, wants);
      const claim = { orderId, index, node, minimum: amount, owed };
      claims.set(node, [...(claims.get(node) ?? []), claim]);
    }
  }
  return claims;
}

const claimOf = (claims: Claims, orderId: OrderId, index: number): Claim | undefined => {
  for (const list of claims.values()) {
    const own = list.find((claim) => claim.orderId === orderId && claim.index === index);
    if (own !== undefined) return own;
  }
  return undefined;
};

function paidTo({ minimum, owed }: Claim, factor: bigint): bigint {
  const amount = mulDivDown(owed, factor, PAR);
  return amount > minimum ? amount : minimum;
}

const totalAt = (list: readonly Claim[], factor: bigint): bigint =>
  list.reduce((sum, claim) => sum + paidTo(claim, factor), 0n);

/** The largest factor the node can pay; minimums are covered. */
function best(list: readonly Claim[], available = 0n): bigint {
  let [low, high] = [0n, R_MAX];
  for (let step = 0; step < HALVINGS_MAX && low < high; step += 1) {
    const middle = (low + high + 1n) / 2n;
    if (totalAt(list, middle) <= available) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function keptAt(
  claims: Claims,
  factors: ReadonlyMap<string, bigint>,
  proceeds: ReadonlyMap<string, bigint>,
): ReadonlyMap<string, bigint> {
  return new Map(
    [...proceeds].map(([node, amount]) => {
      const list = claims.get(node) ?? [];
      return [node, amount - totalAt(list, factors.get(node) ?? 0n)];
    }),
  );
}

/** Everything the orders give, base units by node. */
export function givenBy(orders: readonly BatchedOrder[]): ReadonlyMap<string, bigint> {
  return byNode(orders.flatMap(({ inputs }) => inputs));
}
