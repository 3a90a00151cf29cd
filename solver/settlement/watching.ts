// An order that a third party was awarded: this workflow only watches. It moves the stored state to
// where the chains say the order is, sends nothing for the filler, and asks the guard as soon as there
// is something to refund. Also the end of any award that lapsed unopened, our own desk's included:
// back to the auction while there is time, else failed.

import type { AwardedOrder } from './awardedOrder.ts';
import { cancelAsked, unopened } from './cancelling.ts';
import { missingFillProofs, standingOf } from './decide.ts';
import { isLost, isOpen, type OrderFacts } from './facts.ts';
import { GUARD_JOB } from './kinds.ts';
import { failure } from './lifecycle.ts';
import { outcomeUnserved } from './outcomes.ts';
import type { SettlementPolicy } from './policy.ts';
import { openTimeNeeded } from './rules.ts';
import { again, finished, type JobOutcome, moveTo, type Run } from './steps.ts';

/** One look. Never ahead of the chains: every step is made on facts at finality. */
export async function watch(
  run: Run,
  policy: SettlementPolicy,
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<JobOutcome> {
  const { state } = run.order;
  const standing = standingOf(facts, order.times);
  if (standing === 'nothingTaken') return lapse(run, policy, order, facts);
  const served = standing === 'allFilled' || standing === 'released';
  if (standing === 'partlyOpen' || standing === 'lost' || standing === 'refunded') {
    // The table has no shorter way, and the timeline should show where it was.
    if (state === 'awarded') return step(run, 'opening');
    return refunding(run, standing, order, facts);
  }
  switch (state) {
    case 'awarded':
      if (facts.origins.some(isOpen) || served) return step(run, 'opening');
      break;
    case 'opening':
      if (standing === 'allOpen' || served) return step(run, 'opened');
      break;
    case 'opened': {
      const begun = facts.outputs.some((o) => o.reachable && o.fill !== null);
      if (begun || served) return step(run, 'filling');
      break;
    }
    case 'filling':
      if (served) return step(run, 'filled');
      break;
    case 'filled':
      return step(run, 'proving');
    case 'proving':
      if (standing === 'released' || isProven(facts)) return step(run, 'releasing');
      break;
    case 'releasing':
      if (standing === 'released') return step(run, 'settled');
      break;
  }
  return again(run.deps, policy.pollMs);
}

const isProven = (facts: OrderFacts): boolean =>
  facts.origins.every((origin) => origin.reachable) && missingFillProofs(facts).size === 0;

async function step(
  run: Run,
  to: 'opening' | 'opened' | 'filling' | 'filled' | 'proving' | 'releasing' | 'settled',
): Promise<JobOutcome> {
  await moveTo(run, to);
  return again(run.deps, 0);
}

async function refunding(
  run: Run,
  standing: 'partlyOpen' | 'lost' | 'refunded',
  order: AwardedOrder,
  facts: OrderFacts,
): Promise<JobOutcome> {
  const lost = facts.outputs.filter((output) => isLost(output, order.times.fillDeadline));
  const why = {
    partlyOpen: 'the filler opened only some origins, so nobody may fill',
    lost:
      lost.length === 0
        ? 'an origin was refunded before the fills were proven'
        : `the filler did not deliver in time: ${lost.length} of ${facts.outputs.length} outputs`,
    refunded: 'the filler gave the order back, and the escrow was refunded',
  }[standing];
  const code = { partlyOpen: 'partlyOpened', lost: 'notFilled', refunded: 'declined' }[standing];
  await moveTo(run, 'refunding', {
    failure: failure(code, why, 'refunding'),
    outcome: await outcomeUnserved(run.deps, order, facts),
    jobs: [{ kind: GUARD_JOB, key: run.order.orderId, runAtMs: run.deps.clock.nowMs() }],
  });
  return finished;
}

/**
 * No origin opened and, at finality, none can any more under this award. Another auction is safe:
 * the chains have never seen the award, and openBy is over on every origin.
 */
export async function lapse(
  run: Run,
  policy: SettlementPolicy,
  order: AwardedOrder,
  facts: OrderFacts,
  because = '',
): Promise<JobOutcome> {
  const outcome = await outcomeUnserved(run.deps, order, facts);
  const why = `no origin was opened before the award lapsed${because}`;
  if (!cancelAsked(run.order) && mayAwardAgain(run, policy, order, facts)) {
    await moveTo(run, 'created', {
      outcome,
      award: null,
      facts: { reserves: {}, openProblem: null, decline: null, noBid: null, nextAuctionAtMs: null },
      data: { code: 'notOpened', why, filler: order.award.award.filler },
    });
    return again(run.deps, 0);
  }
  await moveTo(run, 'failed', { failure: unopened(run.order, why), outcome });
  return finished;
}

function mayAwardAgain(
  run: Run,
  policy: SettlementPolicy,
  { order, times }: AwardedOrder,
  facts: OrderFacts,
): boolean {
  const untouched = facts.origins.every(
    (o) => o.reachable && o.status === 'none' && o.at.timestamp > times.openBy,
  );
  const { awards } = run.order.facts;
  if (!untouched || typeof awards !== 'number' || awards >= policy.awardsMax) return false;
  const auction = Math.ceil((policy.gatherMs + policy.biddingMs) / 1_000);
  const then = run.deps.clock.now() + auction;
  const needed = openTimeNeeded(order, run.deps.network, policy.minFillSeconds);
  return then < order.openDeadline && order.fillDeadline - then >= needed;
}
