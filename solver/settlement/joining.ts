// `created`: the order joins the auction that is gathering, again and again while there is time to
// open and fill it, until an auction's closing awards it. Fails it when the time is up, with what the
// last auction said. It chooses nobody: auctioning.ts does.

import type { AuctionStore } from '../types/auctionStore.ts';
import { parseOrder } from './awardedOrder.ts';
import { failure } from './lifecycle.ts';
import type { SettlementPolicy } from './policy.ts';
import { openTimeNeeded, orderFault, timesFault } from './rules.ts';
import { again, finished, type JobOutcome, moveTo, type Run } from './steps.ts';

export interface Joining {
  readonly auctions: Pick<AuctionStore, 'join'>;
  readonly policy: SettlementPolicy;
}

export async function join(run: Run, { auctions, policy }: Joining): Promise<JobOutcome> {
  const { deps, order: row } = run;
  const order = parseOrder(row);
  const now = deps.clock.now();
  const { noBid, nextAuctionAtMs } = row.facts;
  const fault = orderFault(order, deps.network) ?? timesFault(order, deps.network, now);
  const left = order.fillDeadline - now;
  const needed = openTimeNeeded(order, deps.network, policy.minFillSeconds);
  if (fault !== null || left < needed) {
    if (typeof noBid === 'string') return fail(run, 'noBid', noBid);
    if (fault !== null) return fail(run, fault.refused, fault.message);
    const why = `${left} s are left to the fill deadline, and opening and filling take ${needed}`;
    return fail(run, 'tooLateToFill', why);
  }
  if (typeof nextAuctionAtMs === 'number' && deps.clock.nowMs() < nextAuctionAtMs) {
    return { runAtMs: nextAuctionAtMs };
  }
  await auctions.join(row.orderId, policy.gatherMs, policy.auctionOrdersMax, run.lease);
  // The auction's closing calls this job; until then it only looks whether there still is time.
  return again(deps, policy.idleMs);
}

async function fail(run: Run, code: string, why: string): Promise<JobOutcome> {
  await moveTo(run, 'failed', { failure: failure(code, why, 'failed') });
  return finished;
}
