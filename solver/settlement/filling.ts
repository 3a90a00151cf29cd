// opened → filling → filled: the only place from which outputs are paid. It keeps PROTOCOL.md's
// rule 3: before the first fill every origin is Open under this award at finality, the order keeps
// every rule, every destination has time left, and every fill has been planned. The destination that
// is likeliest to fail goes first and must be final before the others are begun; from then on the
// filler bears the risk of finishing.

import { isRefusal } from '../types/errors.ts';
import { chainId, fromBytes32Address } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import { type AwardedOrder, destinationsOf } from './awardedOrder.ts';
import { quotedPlan } from './awarding.ts';
import { allOpen, filledInTime, type OrderFacts } from './facts.ts';
import type { SettlementPolicy } from './policy.ts';
import type { DeskCall, FillerDesk, FillPlan } from './ports.ts';
import { orderFault } from './rules.ts';
import {
  again,
  ensure,
  everSent,
  follow,
  type JobOutcome,
  moveTo,
  nextPurpose,
  type Run,
  type SendResult,
  unlessDown,
} from './steps.ts';

export interface Filling {
  readonly desk: FillerDesk;
  readonly policy: SettlementPolicy;
}

/** Why the order must not or cannot be filled; nothing has been filled yet. */
export interface CannotFill {
  readonly cannotFill: string;
  readonly why: string;
}

/** opened → filling, or the reason to decline. Throws Fault when a destination is down. */
export async function commit(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  { desk, policy }: Filling,
): Promise<JobOutcome | CannotFill> {
  const broken = orderFault(order.order, run.deps.network);
  if (broken !== null) return { cannotFill: broken.refused, why: broken.message };
  const late = timeLeftFault(run, order, facts, policy);
  if (late !== null) return late;
  if (!allOpen(facts)) return again(run.deps, policy.pollMs);
  const risks = new Map<number, number>();
  for (const destination of destinationsOf(order)) {
    if (unfilled(order, facts, destination).length === 0) continue;
    const plan = await planFor(run, order, facts, desk, destination);
    if (isRefusal(plan)) return { cannotFill: plan.refused, why: plan.message };
    risks.set(destination, plan.risk);
    // Early, so that no fill has to wait for its approval to be mined.
    await unlessDown(() => sendApprovals(run, chainId(destination), plan.approvals));
  }
  const fillOrder = [...risks].sort(([a, x], [b, y]) => y - x || a - b).map(([id]) => id);
  await moveTo(run, 'filling', { facts: { fillOrder }, data: { fillOrder } });
  return again(run.deps, 0);
}

/** One look at a filling order: sends what is missing and may be sent. */
export async function fill(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  filling: Filling,
): Promise<JobOutcome | CannotFill> {
  const { policy } = filling;
  const fillOrder = fillOrderOf(run);
  if (!(await everSent(run, 'fill:'))) {
    const late = timeLeftFault(run, order, facts, policy);
    if (late !== null) return late;
    // Rule 3 once more: a commitment may be older than the chains' last word.
    if (!allOpen(facts)) return again(run.deps, policy.pollMs);
  }
  if (run.deps.clock.now() > order.times.fillDeadline) return again(run.deps, policy.idleMs);
  for (const [position, id] of fillOrder.entries()) {
    const first = position === 0;
    if (unfilled(order, facts, id).length === 0) continue;
    const result = await unlessDown(() => fillChain(run, order, facts, filling, id));
    // The others wait until the riskiest destination is filled at finality.
    if (first) return pauseAfter(run, policy, result);
  }
  return again(run.deps, policy.pollMs);
}

function pauseAfter(run: Run, policy: SettlementPolicy, result: unknown): JobOutcome {
  return again(run.deps, result instanceof Error ? policy.faultRetryMs : policy.pollMs);
}

async function fillChain(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  { desk }: Filling,
  destination: number,
): Promise<SendResult | null> {
  const id = chainId(destination);
  const purpose = `fill:${id}`;
  const known = await follow(run, { chainId: id, purpose, to: desk.address });
  if (known !== null) return known;
  const plan = await planFor(run, order, facts, desk, destination);
  if (isRefusal(plan)) return { state: 'wouldRevert', reason: plan.message };
  await sendApprovals(run, id, plan.approvals);
  const { to, data, value } = plan.call;
  const summary: JsonObject = {
    step: 'fill',
    outputs: unfilled(order, facts, destination).map(({ output }) => ({
      token: fromBytes32Address(output.token),
      amount: output.amount.toString(),
      recipient: fromBytes32Address(output.recipient),
    })),
    ...plan.call.summary,
  };
  return ensure(run, { chainId: id, purpose, to, data, value, summary });
}

/** Sends the approvals a desk call lacks. What needs them would revert until they are mined. */
export async function sendApprovals(
  run: Run,
  id: ReturnType<typeof chainId>,
  approvals: readonly DeskCall[],
): Promise<void> {
  for (const { key, to, data, value, summary } of approvals) {
    const purpose = nextPurpose(run.order, `approve:${id}:${key}`);
    if (purpose === null) continue;
    await ensure(run, {
      chainId: id,
      purpose,
      to,
      data,
      value,
      summary: { step: 'approve', ...summary },
    });
  }
}

async function planFor(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  desk: FillerDesk,
  destination: number,
): Promise<FillPlan | Extract<Awaited<ReturnType<FillerDesk['planFill']>>, { refused: string }>> {
  return desk.planFill({
    orderId: order.orderId,
    award: order.award,
    chainId: chainId(destination),
    outputs: unfilled(order, facts, destination).map(({ output }) => output),
    quote: await quotedPlan(run),
  });
}

/** A destination's outputs that have no record in time at finality. */
function unfilled(order: AwardedOrder, facts: OrderFacts, destination: number) {
  return [...order.outputs.entries()]
    .map(([index, output]) => ({ index, output }))
    .filter(({ index, output }) => {
      const fact = facts.outputs[index];
      if (Number(output.chainId) !== destination || fact === undefined) return false;
      return !filledInTime(fact, order.times.fillDeadline);
    });
}

/** Time left on every destination, by its own clock and by ours, whichever is later. */
function timeLeftFault(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  policy: SettlementPolicy,
): CannotFill | null {
  for (const output of facts.outputs) {
    const theirs = output.reachable ? output.at.timestamp : 0;
    const left = order.times.fillDeadline - Math.max(theirs, run.deps.clock.now());
    if (left >= policy.minFillSeconds) continue;
    return {
      cannotFill: 'tooLateToFill',
      why: `${Math.max(0, left)} s are left on chain ${output.chainId}, too few to fill safely`,
    };
  }
  return null;
}

function fillOrderOf(run: Run): readonly number[] {
  const stored = run.order.facts.fillOrder;
  return Array.isArray(stored) ? stored.map(Number) : [];
}
