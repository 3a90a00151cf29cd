// Proofs, releases and refunds: what either workflow sends once the outputs' fate is known. Each
// sends only what the facts say is missing, under purposes of its own account; a message that was
// lost on the way is sent again. Changes no state: serve.ts and guard.ts do.

import type { Fill } from '../../contracts-abi/typedData.ts';
import { present } from '../types/assert.ts';
import { chainId, type Hex } from '../types/ids.ts';
import type { JsonObject } from '../types/json.ts';
import type { AwardedOrder } from './awardedOrder.ts';
import * as contracts from './contracts.ts';
import { type GuardAction, guardActions, missingFillProofs } from './decide.ts';
import { isOpen, type OrderFacts } from './facts.ts';
import type { SettlementPolicy } from './policy.ts';
import { chainConfig } from './rules.ts';
import { chainOf, ensure, forEachChain, note, type Run, unlessDown } from './steps.ts';

/**
 * Rounds of one proof: a message that never arrives in so many is left to expiry. The first few come
 * at the policy's pace, later ones ever more slowly: a path that is down for hours must not use
 * them up in minutes, because after the last one a filler that delivered would go unpaid.
 */
const PROOF_ROUNDS_MAX = 24;
const PROOF_ROUNDS_QUICK = 8;
const PROOF_PAUSE_FACTOR_MAX = 16;
/** What the oracle quotes may rise by between asking and inclusion: half a percent; change returns. */
const FEE_HEADROOM = 200n;

/** Purposes of the guard's account never meet the filler's. */
const purposeOf = (run: Run, name: string) => (run.actor === 'guard' ? `guard:${name}` : name);

/** Sends the proofs of fills that some open origin lacks. True when none is missing. */
export async function proveFills(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  policy: SettlementPolicy,
): Promise<boolean> {
  const missing = missingFillProofs(facts);
  await forEachChain(missing, async ([source, { outputs, origins }]) => {
    const payloads = outputs.map((i) => contracts.fillPayload(order, i, fillAt(facts, i)));
    const first = present(outputs[0], 'an output');
    await sendProof(run, order, policy, { kind: 'prove', source, first, payloads, origins });
  });
  return missing.size === 0;
}

/** Releases every open origin that has all proofs. */
export async function releaseOpen(run: Run, order: AwardedOrder, facts: OrderFacts) {
  const fills = order.outputs.map((_, i) => fillAt(facts, i));
  const proven = facts.origins
    .filter(isOpen)
    .filter((origin) => origin.proofs.every((proof) => proof === 'fill'));
  await noteArrivals(
    run,
    order,
    proven.map((origin) => origin.chainId),
  );
  await forEachChain(proven, (origin) =>
    ensure(run, {
      chainId: chainId(origin.chainId),
      purpose: purposeOf(run, `release:${origin.chainId}`),
      ...contracts.releaseCall(order, origin.chainId, fills),
      summary: { step: 'release', inputs: inputsOf(order, origin.chainId) },
    }),
  );
}

/** Tells the timeline, once per origin, that the proofs of all remote fills stand there at finality. */
async function noteArrivals(run: Run, order: AwardedOrder, origins: readonly number[]) {
  const fresh = origins.filter((id) => run.order.facts[`arrived:${id}`] === undefined);
  const events = fresh.flatMap((id) => {
    const from = [...new Set(order.outputs.map((output) => Number(output.chainId)))];
    const remote = from.filter((source) => source !== id);
    return remote.length === 0
      ? []
      : [{ type: 'proof.arrived', data: { chain: id, from: remote } }];
  });
  if (fresh.length === 0) return;
  await note(run, events, Object.fromEntries(fresh.map((id) => [`arrived:${id}`, true])));
}

/** Does what protects the owner now (decide.ts). */
export async function protectOwner(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  policy: SettlementPolicy,
) {
  const actions = guardActions(facts, order.times, order.decline !== null);
  await forEachChain(actions, (action) => protect(run, order, facts, policy, action));
}

async function protect(
  run: Run,
  order: AwardedOrder,
  facts: OrderFacts,
  policy: SettlementPolicy,
  action: GuardAction,
): Promise<void> {
  const id = chainId(action.chainId);
  switch (action.kind) {
    case 'tombstone': {
      const outputs = [...action.outputs];
      const summary = { step: 'tombstone', outputs };
      const purpose = purposeOf(run, `tombstone:${id}`);
      const call = contracts.tombstoneCall(order, outputs);
      await ensure(run, { chainId: id, purpose, ...call, summary });
      return;
    }
    case 'prove': {
      const late = lateFillAt(facts, order, action.output);
      const payloads = [contracts.lostPayload(order, action.output, late)];
      const { chainId: source, output: first, origins } = action;
      await sendProof(run, order, policy, { kind: 'lost', source, first, payloads, origins });
      return;
    }
    case 'refund': {
      const { ground } = action;
      const late = ground.kind === 'lateFill' ? fillAt(facts, ground.output) : null;
      await ensure(run, {
        chainId: id,
        purpose: purposeOf(run, `refund:${id}:${ground.kind}`),
        ...contracts.refundCall(order, action.chainId, ground, late),
        summary: { step: 'refund', ground: ground.kind, inputs: inputsOf(order, action.chainId) },
      });
      return;
    }
  }
}

interface ProofToSend {
  readonly kind: 'prove' | 'lost';
  readonly source: number;
  /** An output of the source's settler and oracle. */
  readonly first: number;
  readonly payloads: readonly Hex[];
  readonly origins: readonly number[];
}

/** One round per message; the next only when the last is final and has not arrived in time. */
async function sendProof(
  run: Run,
  order: AwardedOrder,
  policy: SettlementPolicy,
  proof: ProofToSend,
): Promise<void> {
  const { source, first, payloads, origins } = proof;
  const name = purposeOf(run, `${proof.kind}:${source}`);
  const last = roundOf(run.order.facts[name]);
  const now = run.deps.clock.nowMs();
  const waited = last !== null && now - last.atMs >= proofPauseMs(last.round, policy);
  if (last !== null && !waited && last.sent) return;
  const round = last === null ? 1 : waited && last.sent ? last.round + 1 : last.round;
  if (round > PROOF_ROUNDS_MAX) return;
  const chain = chainOf(run.deps, source);
  const eids = origins.map((id) => present(chainConfig(run.deps.network, id), `chain ${id}`).eid);
  await unlessDown(async () => {
    const fee = await contracts.quoteMessages(chain, order, first, eids, payloads.length);
    const value = fee + fee / FEE_HEADROOM + 1n;
    const result = await ensure(run, {
      chainId: chain.chainId,
      purpose: `${name}:${round}`,
      ...contracts.submitCall(order, first, eids, payloads),
      value,
      summary: { step: proof.kind, to: [...origins], feeWei: fee.toString() },
    });
    const sent = result.state === 'final' || result.state === 'exhausted';
    if (result.state === 'wouldRevert') return;
    if (last?.round === round && last.sent === sent) return;
    const fact: JsonObject = { round, sent, atMs: run.deps.clock.nowMs() };
    // What it sends along is what it was signed with, not what the oracle quotes at a later look.
    const sentAlong = last?.round === round ? {} : { [`value:${name}:${round}`]: value.toString() };
    await note(run, [], { [name]: fact, ...sentAlong });
  });
}

/** Milliseconds to wait for the message of a round before it is sent again. */
export function proofPauseMs(round: number, policy: SettlementPolicy): number {
  const factor = 2 ** Math.max(0, round - PROOF_ROUNDS_QUICK + 1);
  return policy.proofRetrySeconds * 1_000 * Math.min(factor, PROOF_PAUSE_FACTOR_MAX);
}

interface Round {
  readonly round: number;
  /** Its transaction is final (or given up): from then on only the message is waited for. */
  readonly sent: boolean;
  readonly atMs: number;
}

function roundOf(fact: unknown): Round | null {
  if (typeof fact !== 'object' || fact === null) return null;
  const { round, sent, atMs } = fact as Readonly<Record<string, unknown>>;
  if (typeof round !== 'number' || typeof atMs !== 'number') return null;
  return { round, sent: sent === true, atMs };
}

function fillAt(facts: OrderFacts, index: number): Fill {
  const output = facts.outputs[index];
  return present(output?.reachable === true ? output.fill : null, `fill of output ${index}`);
}

function lateFillAt(facts: OrderFacts, order: AwardedOrder, index: number): Fill | null {
  const output = facts.outputs[index];
  if (output?.reachable !== true || output.fill === null) return null;
  return output.fill.timestamp > order.times.fillDeadline ? output.fill : null;
}

/** An origin's inputs for the timeline. */
export function inputsOf(order: AwardedOrder, id: number): JsonObject[] {
  return contracts
    .originOf(order, id)
    .inputs.map(({ token, amount }) => ({ token, amount: amount.toString() }));
}
