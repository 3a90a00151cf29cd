// opened → filling → filled: the only place from which outputs are paid. It keeps PROTOCOL.md's
// rule 3: before the first fill every origin is Open under this award at finality, the order keeps
// every rule, every destination has time left, and every fill has been planned. The destination that
// is likeliest to fail goes first and must be final before the others are begun; from then on the
// filler bears the risk of finishing.

import { isRefusal } from '../types/errors.ts';
import { chainId, evmAddress, fromBytes32Address } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import { type AwardedOrder, destinationsOf } from './awardedOrder.ts';
import { allOpen, filledInTime, type OrderFacts } from './facts.ts';
import type { SettlementPolicy } from './policy.ts';
import type { DeskCall, FillerDesk, FillPlan } from './ports.ts';
import { quotedPlan } from './quotedPlan.ts';
import { reservesWith, reserving, type Sharing } from './reserving.ts';
import { fillTimeNeeded, orderFault } from './rules.ts';
import {
  again,
  ensure,
  everSent,
  follow,
  type JobOutcome,
  moveTo,
  nextPurpose,
  note,
  type Run,
  type SendResult,
  unlessDown,
} from './steps.ts';

/** A commitment older than this is reconsidered before the first fill, milliseconds. */
const COMMITMENT_MS = 10_000;

/** Named where only a transaction that is stored already is asked after. */
const NOBODY = evmAddress(`0x${'0'.repeat(40)}`);

export interface Filling extends Sharing {
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
  filling: Filling,
): Promise<JobOutcome | CannotFill> {
  const { policy } = filling;
  const broken = orderFault(order.order, run.deps.network);
  if (broken !== null) return { cannotFill: broken.refused, why: broken.message };
  const late = timeLeftFault(run, order, facts, policy);
  if (late !== null) return late;
  if (!allOpen(facts)) return again(run.deps, policy.pollMs);
  const kept = await reserving(
    [run.order.orderId],
    filling,
    () => planAll(run, order, facts, filling),
    async (plans) => {
      if ('cannotFill' in plans) return plans;
      const { fillOrder, reserves } = plans;
      const committedAtMs = run.deps.clock.nowMs();
      const facts = { fillOrder: [...fillOrder], reserves, committedAtMs };
      await moveTo(run, 'filling', { facts, data: { fillOrder: [...fillOrder] } });
      return again(run.deps, 0);
    },
  );
  return kept ?? again(run.deps, 0);
}

interface Commitment {
  /** Destinations, riskiest first. */
  readonly fillOrder: readonly number[];
  readonly reserves: JsonObject;
}

/** Plans every destination and sends the approvals, so that no fill has to wait for its own. */
async function planAll(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  { desk }: Filling,
): Promise<Commitment | CannotFill> {
  const unwise = await reconsidered(run, order, facts, desk);
  if (unwise !== null) return unwise;
  const risks = new Map<number, number>();
  let reserves: JsonObject = {};
  for (const destination of destinationsOf(order)) {
    if (unfilled(order, facts, destination).length === 0) continue;
    const plan = await planFor(run, order, facts, desk, destination);
    if (isRefusal(plan)) return { cannotFill: plan.refused, why: plan.message };
    risks.set(destination, plan.risk);
    reserves = { ...reserves, ...plan.reserves };
    await unlessDown(() => sendApprovals(run, chainId(destination), plan.approvals));
  }
  const fillOrder = [...risks].sort(([a, x], [b, y]) => y - x || a - b).map(([id]) => id);
  return { fillOrder, reserves };
}

/** Markets move between award and fill: while nothing is filled, giving the order back is free. */
async function reconsidered(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  desk: FillerDesk,
): Promise<CannotFill | null> {
  const { fillDeadline } = order.times;
  const unwise = await desk.reconsider({
    orderId: order.orderId,
    order: order.order,
    amounts: order.outputs.map(({ amount }, index) => {
      const fact = facts.outputs[index];
      return fact !== undefined && filledInTime(fact, fillDeadline) ? 0n : amount;
    }),
    quote: await quotedPlan(run.deps.store, run.order),
  });
  return unwise === null ? null : { cannotFill: unwise.refused, why: unwise.message };
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
    const committed = run.order.facts.committedAtMs;
    const age = run.deps.clock.nowMs() - (typeof committed === 'number' ? committed : 0);
    if (age > COMMITMENT_MS) {
      const unwise = await reconsidered(run, order, facts, filling.desk);
      if (unwise !== null) return unwise;
      await note(run, [], { committedAtMs: run.deps.clock.nowMs() });
    }
  }
  if (run.deps.clock.now() > order.times.fillDeadline) return again(run.deps, policy.idleMs);
  for (const [position, id] of fillOrder.entries()) {
    const first = position === 0;
    if (unfilled(order, facts, id).length === 0) {
      // The fill is final; its receipt frees what was reserved for it and belongs in the timeline.
      await unlessDown(() =>
        follow(run, { chainId: chainId(id), purpose: `fill:${id}`, to: NOBODY }),
      );
      continue;
    }
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
  filling: Filling,
  destination: number,
): Promise<SendResult | null> {
  const { desk } = filling;
  const id = chainId(destination);
  const purpose = `fill:${id}`;
  const known = await follow(run, { chainId: id, purpose, to: NOBODY });
  if (known !== null) return known;
  const plan = await reserving(
    [run.order.orderId],
    filling,
    () => planFor(run, order, facts, desk, destination),
    async (planned) => {
      if (!isRefusal(planned)) await keepReserved(run, destination, planned);
      return planned;
    },
  );
  if (plan === null) return null;
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

/** A fill that is planned otherwise than it was committed to spends otherwise: others must see it. */
async function keepReserved(run: Run, destination: number, { reserves }: FillPlan) {
  const wanted = reservesWith(run.order, destination, reserves);
  const text = (of: unknown) => JSON.stringify(Object.entries(of ?? {}).sort());
  if (text(wanted) !== text(run.order.facts.reserves)) await note(run, [], { reserves: wanted });
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
    quote: await quotedPlan(run.deps.store, run.order),
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
  const { fillDeadline } = order.times;
  const open = order.outputs.filter((_, index) => {
    const fact = facts.outputs[index];
    return fact === undefined || !filledInTime(fact, fillDeadline);
  });
  const needed = fillTimeNeeded(open, run.deps.network, policy.minFillSeconds);
  for (const output of facts.outputs) {
    const theirs = output.reachable ? output.at.timestamp : 0;
    const left = fillDeadline - Math.max(theirs, run.deps.clock.now());
    if (left >= needed) continue;
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
