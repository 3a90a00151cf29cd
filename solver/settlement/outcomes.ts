// How an award that ended without serving the owner counts for its filler: late, faded, or not at all
// where the owner made it impossible. Reads the owner's side of every origin that did not open. A
// filler is never charged for what nobody can know: a chain that does not answer voids.

import type { AwardOutcome } from '../types/auction.ts';
import { Fault } from '../types/errors.ts';
import { spenderOf } from './authority.ts';
import type { AwardedOrder } from './awardedOrder.ts';
import { allowanceCall, amountOf, balanceCall, originOf } from './contracts.ts';
import { isClosed, isOpen, type OrderFacts } from './facts.ts';
import type { SettlementDeps } from './ports.ts';
import { chainOf } from './steps.ts';

export async function outcomeUnserved(
  deps: SettlementDeps,
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<AwardOutcome> {
  const { fillDeadline } = order.times;
  const late = facts.outputs.some(
    (o) => o.reachable && o.fill !== null && o.fill.timestamp > fillDeadline,
  );
  if (late) return 'late';
  const shut = facts.origins.filter((origin) => !isOpen(origin) && !isClosed(origin));
  const excused = await Promise.all(
    shut.map((origin) => !origin.reachable || ownerInTheWay(deps, order, origin)),
  );
  return excused.some(Boolean) ? 'void' : 'faded';
}

/** Cancelled or used otherwise, or the owner holds or allows less than the order takes there. */
async function ownerInTheWay(
  deps: SettlementDeps,
  order: AwardedOrder,
  { chainId, status }: { readonly chainId: number; readonly status: string },
): Promise<boolean> {
  if (status !== 'none') return true;
  const origin = originOf(order, chainId);
  const { owner } = order.order;
  const spender = spenderOf(origin, order.signatureKind, deps.network);
  try {
    const chain = chainOf(deps, chainId);
    const results = await chain.read(
      origin.inputs.flatMap(({ token }) => [
        balanceCall(token, owner),
        allowanceCall(token, owner, spender),
      ]),
      await chain.block('latest'),
    );
    return origin.inputs.some(({ amount }, i) => {
      const [held, allowed] = [amountOf(results[2 * i]), amountOf(results[2 * i + 1])];
      return held < amount || allowed < amount;
    });
  } catch (error) {
    if (error instanceof Fault) return true;
    throw error;
  }
}
