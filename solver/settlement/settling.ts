// releasing → settled, as soon as every origin is Released and the order's profit and loss is counted
// from its receipts. Selling what was received, where that raises the desk's worth, begins with each
// release and may go on after `settled`, then counted again: it is the filler's own affair, and the
// owner's order waits for none of it.

import { Fault } from '../types/errors.ts';
import { chainId, evmAddress } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { StoredOrder } from '../types/store.ts';
import type { AwardedOrder } from './awardedOrder.ts';
import { sendApprovals } from './filling.ts';
import type { SettlementPolicy } from './policy.ts';
import type { FillerDesk, OrderTx } from './ports.ts';
import {
  again,
  chainOf,
  ensure,
  finished,
  follow,
  followAll,
  type JobOutcome,
  moveTo,
  note,
  type Run,
  unlessDown,
  wasSent,
} from './steps.ts';

/** `settled` waits this long at most for the receipts that its count needs, milliseconds. */
const COUNT_MS_MAX = 10_000;

export interface Settling {
  readonly desk: FillerDesk;
  readonly policy: SettlementPolicy;
}

/** Every origin is Released at finality: the order is settled; what the filler sells can wait. */
export async function settle(
  run: Run,
  { desk, policy }: Settling,
  order: AwardedOrder,
): Promise<JobOutcome> {
  const released = run.order.facts.releasedAtMs;
  const now = run.deps.clock.nowMs();
  if (typeof released !== 'number') await note(run, [], { releasedAtMs: now });
  const timeUp = typeof released === 'number' && now > released + COUNT_MS_MAX;
  const complete = await followAll(run, (purpose) => !/^(restore|approve):/.test(purpose));
  const counted = complete || timeUp ? await unlessDown(() => count(run, desk, order)) : null;
  if (!timeUp && (counted === null || counted instanceof Fault))
    return again(run.deps, policy.pollMs);
  const pnl = pnlOf(counted);
  await moveTo(run, 'settled', {
    facts: { profitAndLoss: pnl, reselling: true },
    data: { profitAndLoss: pnl },
  });
  return again(run.deps, 0);
}

/** Settled by this workflow, and its sales are not over. */
export const isReselling = ({ state, facts }: Pick<StoredOrder, 'state' | 'facts'>): boolean =>
  state === 'settled' && facts.reselling === true;

/** The filler's sales after `settled`, bounded in time; then the final count. */
export async function resell(
  run: Run,
  { desk, policy }: Settling,
  order: AwardedOrder,
): Promise<JobOutcome> {
  const origins = order.order.origins.map((origin) => Number(origin.chainId));
  const busy = await restore(run, desk, order, origins);
  const since = run.order.facts.releasedAtMs;
  const timeUp =
    typeof since !== 'number' || run.deps.clock.nowMs() > since + policy.restoreSeconds * 1_000;
  const complete = await followAll(run);
  if (!timeUp && (busy || !complete)) return again(run.deps, policy.pollMs);
  const sold = origins.some((id) => wasSent(run.order, `restore:${id}`));
  const counted = sold ? await unlessDown(() => count(run, desk, order)) : null;
  if (counted instanceof Fault && !timeUp) return again(run.deps, policy.faultRetryMs);
  const update = counted === null ? {} : { profitAndLoss: pnlOf(counted) };
  await note(run, [], { reselling: false, ...update });
  return finished;
}

const pnlOf = (counted: JsonObject | Fault | null): JsonObject =>
  counted === null || counted instanceof Fault
    ? { unknown: counted?.message ?? 'not counted in time' }
    : { ...counted };

/**
 * Sells on origins that are Released, one sale each at most; others need not be waited for. True
 * while a sale may still be under way.
 */
export async function restore(
  run: Run,
  desk: FillerDesk,
  order: AwardedOrder,
  released: readonly number[],
): Promise<boolean> {
  let busy = false;
  for (const origin of released) {
    const id = chainId(origin);
    const done = `restored:${id}`;
    if (run.order.facts[done] === true) continue;
    const state = await unlessDown(() => restoreOn(run, desk, order, id));
    if (state === 'done') await note(run, [], { [done]: true });
    else busy = true;
  }
  return busy;
}

async function restoreOn(
  run: Run,
  desk: FillerDesk,
  order: AwardedOrder,
  id: ReturnType<typeof chainId>,
): Promise<'done' | 'busy'> {
  const purpose = `restore:${id}`;
  const known = await follow(run, { chainId: id, purpose, to: desk.address });
  if (known !== null) return known.state === 'pending' ? 'busy' : 'done';
  if (wasSent(run.order, purpose)) return 'done';
  const origin = order.order.origins.find((o) => o.chainId === BigInt(id));
  const received = (origin?.inputs ?? []).map(({ token, amount }) => ({
    token: evmAddress(token),
    amount,
  }));
  const plan = await desk.planRestore({ orderId: order.orderId, chainId: id, received });
  if (plan === null) return 'done';
  await sendApprovals(run, id, plan.approvals);
  const { to, data, value, summary } = plan.call;
  await ensure(run, {
    chainId: id,
    purpose,
    to,
    data,
    value,
    summary: { step: 'restore', ...summary },
  });
  return 'busy';
}

/** From the receipts of every final transaction of the filler's for this order. */
async function count(run: Run, desk: FillerDesk, order: AwardedOrder): Promise<JsonObject> {
  const all = await run.deps.sender.list(order.orderId);
  const mine = all.filter((tx) => tx.sender === desk.address && tx.status !== 'pending');
  const txs: OrderTx[] = [];
  for (const { chainId: id, purpose, hash } of mine) {
    const receipt = await chainOf(run.deps, id).receipt(hash);
    if (receipt === null) {
      throw new Fault(`chain ${id} has no receipt of ${purpose}`, { code: 'receiptMissing' });
    }
    const value = receipt.success ? sentAlong(run, purpose) : 0n;
    txs.push({ chainId: id, purpose, receipt, value });
  }
  return desk.profitAndLoss({ order: order.order, txs });
}

/** What a message transaction sent along, as noted when it was sent. */
function sentAlong(run: Run, purpose: string): bigint {
  const noted = run.order.facts[`value:${purpose.replace(/#\d+$/, '')}`];
  return typeof noted === 'string' ? BigInt(noted) : 0n;
}
