// The decisions of both workflows as pure functions from facts to actions, so that every branch can
// be tested without a chain. A decision is safe to repeat and safe to be late: each action's own
// contract call re-checks its condition on chain.

import {
  allFilledInTime,
  allOpen,
  isClosed,
  isDead,
  isLost,
  isOpen,
  type OrderFacts,
  type OrderTimes,
  type OriginFact,
  type OutputFact,
} from './facts.ts';

/** Why an origin may be refunded now. */
export type RefundGround =
  | { readonly kind: 'decline' }
  | { readonly kind: 'tombstone'; readonly output: number }
  | { readonly kind: 'lateFill'; readonly output: number }
  | { readonly kind: 'expired' };

export type GuardAction =
  /** Record that these outputs will never be filled. */
  | { readonly kind: 'tombstone'; readonly chainId: number; readonly outputs: readonly number[] }
  /** Send the proof of one lost output from its chain to origins that still hold the inputs. */
  | {
      readonly kind: 'prove';
      readonly chainId: number;
      readonly output: number;
      readonly origins: readonly number[];
    }
  | { readonly kind: 'refund'; readonly chainId: number; readonly ground: RefundGround };

/** Where an order with an award stands, from facts alone. */
export type Standing =
  | 'nothingTaken'
  | 'opening'
  | 'partlyOpen'
  | 'allOpen'
  | 'allFilled'
  | 'lost'
  | 'released'
  | 'refunded';

/**
 * The standing at finality. Precedence: closed escrows, then filled, then lost, then open ones.
 *   refunded   no escrow is Open or can open, and at least one was Refunded
 *   released   the same, at least one was Released and none Refunded: every output was delivered
 *              (by a stranger even where an origin never opened: then its inputs stay the owner's)
 *   allFilled  every output is filled in time, and no origin can still open or stay shut: a stranger
 *              may fill before our opens are through, which changes nothing about opening
 *   lost       some escrow is Open and the order can no longer be filled in time, or one was Refunded
 *   partlyOpen some escrow is Open and another can never open: nobody may fill
 * An unreachable chain counts as undecided, never as closed or dead.
 */
export function standingOf(facts: OrderFacts, times: OrderTimes): Standing {
  const { origins } = facts;
  const settledDown = origins.every((o) => isClosed(o) || isDead(o, times.openBy));
  const someRefunded = origins.some((o) => o.reachable && o.ours && o.status === 'refunded');
  const someOpen = origins.some(isOpen);
  if (settledDown && someRefunded) return 'refunded';
  if (settledDown) return origins.some(isClosed) ? 'released' : 'nothingTaken';
  if (someRefunded) return 'lost';
  const decided = origins.every((o) => isOpen(o) || isClosed(o) || isDead(o, times.openBy));
  if (decided && allFilledInTime(facts, times.fillDeadline)) return 'allFilled';
  if (someOpen && facts.outputs.some((o) => isLost(o, times.fillDeadline))) return 'lost';
  if (someOpen && origins.some((o) => isDead(o, times.openBy))) return 'partlyOpen';
  if (allOpen(facts)) return 'allOpen';
  return 'opening';
}

/**
 * What protects the owner now. Empty while the filler may still finish, or while nothing is in
 * escrow. Per open origin the quickest valid ground wins: Decline, a proven tombstone, a proven late
 * fill, expiry. Expiry is not used while every output is known to be filled in time: the owner has
 * been served, and the escrow is the filler's.
 */
export function guardActions(
  facts: OrderFacts,
  times: OrderTimes,
  declined: boolean,
): readonly GuardAction[] {
  const open = facts.origins.filter(isOpen);
  if (open.length === 0) return [];
  const actions: GuardAction[] = [];
  const stuck: OriginFact[] = [];
  for (const origin of open) {
    const ground = refundGround(origin, facts, times, declined);
    if (ground === null) stuck.push(origin);
    else actions.push({ kind: 'refund', chainId: origin.chainId, ground });
  }
  if (stuck.length === 0) return actions;
  return [...actions, ...tombstones(facts, times), ...proofs(facts, times, stuck)];
}

function refundGround(
  origin: OriginFact,
  facts: OrderFacts,
  times: OrderTimes,
  declined: boolean,
): RefundGround | null {
  if (declined) return { kind: 'decline' };
  const tombstone = origin.proofs.indexOf('tombstone');
  if (tombstone >= 0) return { kind: 'tombstone', output: tombstone };
  const late = facts.outputs.find(
    (o) =>
      o.reachable &&
      o.fill !== null &&
      o.fill.timestamp > times.fillDeadline &&
      origin.proofs[o.index] === 'fill',
  );
  if (late !== undefined) return { kind: 'lateFill', output: late.index };
  const served = allFilledInTime(facts, times.fillDeadline);
  if (!served && origin.at.timestamp > times.expiry) return { kind: 'expired' };
  return null;
}

function tombstones(facts: OrderFacts, times: OrderTimes): GuardAction[] {
  const byChain = new Map<number, number[]>();
  for (const output of facts.outputs) {
    if (!output.reachable || output.record !== 'empty') continue;
    if (output.at.timestamp <= times.fillDeadline) continue;
    byChain.set(output.chainId, [...(byChain.get(output.chainId) ?? []), output.index]);
  }
  return [...byChain].map(([chainId, outputs]) => ({ kind: 'tombstone', chainId, outputs }));
}

/** One proof per chain that has a lost output: a second path helps when the first is stuck. */
function proofs(facts: OrderFacts, times: OrderTimes, stuck: readonly OriginFact[]): GuardAction[] {
  const witness = new Map<number, number>();
  for (const output of facts.outputs) {
    if (!isProvablyLost(output, times) || witness.has(output.chainId)) continue;
    witness.set(output.chainId, output.index);
  }
  return [...witness].flatMap(([chainId, output]) => {
    const origins = stuck.map((o) => o.chainId).filter((origin) => origin !== chainId);
    return origins.length === 0 ? [] : [{ kind: 'prove' as const, chainId, output, origins }];
  });
}

const isProvablyLost = (output: OrderFacts['outputs'][number], times: OrderTimes): boolean =>
  output.reachable && output.record !== 'empty' && isLost(output, times.fillDeadline);

/** Origins that lack the proof of some remote output's fill, by the chain that must send it. */
export function missingFillProofs(
  facts: OrderFacts,
): ReadonlyMap<
  number,
  { readonly outputs: readonly number[]; readonly origins: readonly number[] }
> {
  const missing = new Map<number, { outputs: number[]; origins: number[] }>();
  const filled = facts.outputs.filter((o): o is OutputFact => o.reachable && o.record === 'filled');
  for (const output of filled) {
    for (const origin of facts.origins.filter(isOpen)) {
      if (origin.chainId === output.chainId || origin.proofs[output.index] === 'fill') continue;
      const entry = missing.get(output.chainId) ?? { outputs: [], origins: [] };
      if (!entry.outputs.includes(output.index)) entry.outputs.push(output.index);
      if (!entry.origins.includes(origin.chainId)) entry.origins.push(origin.chainId);
      missing.set(output.chainId, entry);
    }
  }
  return missing;
}
