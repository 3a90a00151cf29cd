// One award from its signature to the released escrow. Every step follows from what the chains say, so
// a solver that restarts goes on where it was and sends nothing twice that matters.
//
// The money rule (PROTOCOL.md, rule 3), asserted at the only place that pays: no output is filled
// before every origin is Open under this award at finality and enough time is left. Until the first
// fill the award can be given back at no loss but gas; after it the solver finishes.

import { encodeFunctionData, erc20Abi, type Hex, type LocalAccount } from 'viem';
import {
  decodeUint,
  encodeExecute,
  encodeFillBatch,
  encodeOpen,
  encodeOpenWithPermit2,
  encodeQuoteMany,
  encodeRefundDeclined,
  encodeRelease,
  encodeSubmitMany,
  type FillItem,
  type TokenAmountCall,
} from '../../../contracts-abi/calls.ts';
import {
  encodeFillDescription,
  type Fill,
  type MandateOutput,
} from '../../../contracts-abi/typedData.ts';
import { pause, type SendCall, type Sent } from './chain.ts';
import { type AwardFacts, addressOf, type Chains, chainOf, outputsOf, readFacts } from './facts.ts';
import { tokenOf } from './network.ts';
import type { FillNeed, Purchase, SolverNetwork, WonAward } from './types.ts';

export interface ServeContext {
  readonly network: SolverNetwork;
  readonly chains: Chains;
  readonly account: LocalAccount;
  readonly buy: ((need: FillNeed) => Promise<Purchase | null>) | null;
  /** Unix seconds by the service's clock. */
  readonly now: () => number;
  readonly onProblem: (award: WonAward, reason: string) => void;
  readonly timing?: Partial<ServeTiming>;
}
export interface ServeTiming {
  /** Between looks at the chains, milliseconds. */
  readonly pollMs: number;
  /** No opening and no first fill with less time left to the fill deadline, seconds. */
  readonly minFillSeconds: number;
  /** A proof that has not arrived is sent again after this, seconds. */
  readonly proofRetrySeconds: number;
}
const TIMING: ServeTiming = { pollMs: 400, minFillSeconds: 12, proofRetrySeconds: 90 };

/** A route waits in the pool no longer than this, seconds. */
const ROUTE_LIFE_SECONDS = 120;
/** After expiry an escrow is refunded sooner or later: nothing is left to earn, seconds. */
const GIVE_UP_SECONDS = 600;
/** What the oracle's quote may rise by before inclusion: half a percent; change comes back. */
const FEE_HEADROOM = 200n;

/**
 * settled: released on every origin. declined: given back before any fill. lapsed: never opened, by
 * anyone, and too late now. lost: an output was tombstoned or filled too late, or the escrow was
 * refunded.
 */
export type ServeEnd = 'settled' | 'declined' | 'lapsed' | 'lost';

export async function serveAward(
  context: ServeContext,
  award: WonAward,
  signal: AbortSignal,
): Promise<ServeEnd | 'stopped'> {
  const { pollMs } = { ...TIMING, ...context.timing };
  const state: ServeState = { proofs: new Map() };
  let said = '';
  // Bounded by the order's own expiry; each turn is one look at every chain it names.
  while (!signal.aborted) {
    try {
      const end = await look(context, award, state);
      if (end !== null) return end;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== said) context.onProblem(award, reason);
      said = reason;
    }
    if (context.now() > award.order.expiry + GIVE_UP_SECONDS) return 'lost';
    await pause(pollMs);
  }
  return 'stopped';
}

interface ServeState {
  /** Source chain → when its proofs were last sent, Unix seconds. */
  readonly proofs: Map<number, number>;
}

async function look(
  context: ServeContext,
  award: WonAward,
  state: ServeState,
): Promise<ServeEnd | null> {
  const { chains } = context;
  const { fillDeadline } = award.order;
  const facts = await readFacts(chains, award, 'latest');
  const held = (status: string) =>
    facts.origins.filter((origin) => origin.status === status && origin.ours);
  if (held('released').length === facts.origins.length) {
    const final = await readFacts(chains, award, 'final');
    return final.origins.every(({ status, ours }) => status === 'released' && ours)
      ? 'settled'
      : null;
  }
  const filled = facts.outputs.map(({ fill }) => fill !== null && fill.timestamp <= fillDeadline);
  const tombstoned = facts.outputs.some(({ record }) => record === 'tombstone');
  const tooLate = facts.outputs.some(({ fill }) => (fill?.timestamp ?? 0) > fillDeadline);
  if (held('refunded').length > 0 || tombstoned || tooLate) return 'lost';
  if (filled.every(Boolean)) {
    await prove(context, award, facts, state);
    await release(context, award, facts);
    return null;
  }
  if (held('open').length < facts.origins.length) return open(context, award, facts);
  if (facts.outputs.some(({ timestamp }, i) => !filled[i] && timestamp > fillDeadline)) {
    // Nobody can fill this output any more.
    return 'lost';
  }
  if (filled.some(Boolean) || timeLeft(context, award, facts) > 0) {
    return fill(context, award, filled);
  }
  return decline(context, award, facts);
}

/** Opens what is not open yet, all or nothing; gives the award back where that failed. */
async function open(
  context: ServeContext,
  award: WonAward,
  facts: AwardFacts,
): Promise<ServeEnd | null> {
  const { openBy } = award.award;
  const ours = facts.origins.filter(({ status, ours }) => status === 'open' && ours);
  const missing = facts.origins.filter(({ status }) => status === 'none');
  const dead = facts.origins.some(
    ({ status, ours, timestamp }) =>
      status === 'cancelled' ||
      (status !== 'none' && status !== 'unknown' && !ours) ||
      (status === 'none' && timestamp > openBy),
  );
  const late = timeLeft(context, award, facts) <= 0;
  if (dead || late) {
    if (ours.length > 0) return decline(context, award, facts);
    return facts.origins.some(({ status }) => status === 'unknown') ? null : 'lapsed';
  }
  if (context.now() > openBy) return null;
  if (ours.length === 0) {
    // The first escrow is opened only if every origin would accept its own.
    for (const { chainId } of missing) await simulateOpen(context, award, chainId);
  }
  const sent = await Promise.all(
    missing.map(({ chainId }) =>
      chainOf(context.chains, chainId).exclusive((send) => send(openCall(award, chainId))),
    ),
  );
  throwFailed(sent, 'open');
  return null;
}

function openCall(award: WonAward, chainId: number): SendCall {
  const { order, ownerSignature, awardSignature: awardSig } = award;
  const escrow = { order, chainId: BigInt(chainId), award: award.award, awardSig };
  return {
    label: 'open',
    to: settlerOf(award, chainId),
    data:
      award.signatureKind === 'permit2'
        ? encodeOpenWithPermit2({ ...escrow, permit2Sig: ownerSignature })
        : encodeOpen({ ...escrow, ownerSig: ownerSignature }),
  };
}

async function simulateOpen(context: ServeContext, award: WonAward, chainId: number) {
  const { to, data } = openCall(award, chainId);
  const { public: client } = chainOf(context.chains, chainId);
  try {
    await client.estimateGas({ account: context.account.address, to, data });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`chain ${chainId} would not open: ${why}`);
  }
}

/** Before the first fill only: the owner is refunded at once, on every origin that is open. */
async function decline(
  context: ServeContext,
  award: WonAward,
  facts: AwardFacts,
): Promise<ServeEnd | null> {
  const ours = facts.origins.filter(({ status, ours }) => status === 'open' && ours);
  const sent = await Promise.all(
    ours.map(({ chainId }) =>
      chainOf(context.chains, chainId).exclusive((send) =>
        send({
          label: 'decline',
          to: settlerOf(award, chainId),
          data: encodeRefundDeclined({
            order: award.order,
            chainId: BigInt(chainId),
            award: award.award,
            // The filler itself calls: that is its word.
            fillerSig: '0x',
          }),
        }),
      ),
    ),
  );
  throwFailed(sent, 'decline');
  return 'declined';
}

/** Seconds left for a safe first fill on every destination, by its clock and ours. */
function timeLeft(context: ServeContext, award: WonAward, facts: AwardFacts): number {
  const { minFillSeconds } = { ...TIMING, ...context.timing };
  const configs = facts.outputs.map(({ chainId }) => chainOf(context.chains, chainId).config);
  const finality = Math.max(...configs.map((c) => (c.confirmations + 2) * c.blockSeconds));
  const several = new Set(configs.map(({ chainId }) => chainId)).size > 1;
  const needed = minFillSeconds + (several ? finality : 0);
  const clocks = facts.outputs.map(({ timestamp }) => timestamp);
  return award.order.fillDeadline - Math.max(context.now(), ...clocks) - needed;
}

async function fill(
  context: ServeContext,
  award: WonAward,
  filled: readonly boolean[],
): Promise<null> {
  const final = await readFacts(context.chains, award, 'final');
  const begun = filled.some(Boolean);
  const allOpen = final.origins.every(({ status, ours }) => status === 'open' && ours);
  if (!begun && !allOpen) return null;
  if (begun && !final.outputs.some(({ fill }) => fill !== null)) return null;
  const outputs = outputsOf(award);
  const ids = [...new Set(outputs.map(({ chainId }) => Number(chainId)))];
  const pending = ids.filter((id) =>
    outputs.some((output, i) => Number(output.chainId) === id && !filled[i]),
  );
  const plans = await Promise.all(
    pending.map(async (chainId) => {
      const missing = outputs.filter((o, i) => Number(o.chainId) === chainId && !filled[i]);
      const need = { award, chainId, outputs: missing.map((o) => needOf(context, o)) };
      return { chainId, missing, purchase: (await context.buy?.(need)) ?? null };
    }),
  );
  // Likeliest to fail first: a pool can move under a purchase, a balance does not. Alone, until final.
  plans.sort((a, b) => Number(b.purchase !== null) - Number(a.purchase !== null));
  const now = begun ? plans : plans.slice(0, 1);
  const sent = await Promise.all(
    now.map(({ chainId, missing, purchase }) => pay(context, award, chainId, missing, purchase)),
  );
  throwFailed(sent, 'fill');
  return null;
}

function needOf({ network }: ServeContext, output: MandateOutput): FillNeed['outputs'][number] {
  const token = tokenOf(network, Number(output.chainId), addressOf(output.token));
  if (token === undefined) throw new Error(`${output.token} is not listed`);
  return { token, amount: output.amount };
}

/** The only place that spends on outputs: one transaction, swaps included. */
function pay(
  { chains, account }: ServeContext,
  award: WonAward,
  chainId: number,
  outputs: readonly MandateOutput[],
  purchase: Purchase | null,
): Promise<Sent> {
  const chain = chainOf(chains, chainId);
  const { outputSettler, routeExecutor } = chain.config.contracts;
  const { fillDeadline } = award.award;
  const items = outputs.map((output): FillItem => ({ id: award.awardId, output, fillDeadline }));
  const fillerData: Hex = `0x${account.address.slice(2).toLowerCase().padStart(64, '0')}`;
  const spender = purchase === null ? outputSettler : routeExecutor;
  const pulls =
    purchase?.pulls ?? outputs.map((o) => ({ token: addressOf(o.token), amount: o.amount }));
  return chain.exclusive(async (send) => {
    const approved = await approve(chain, account, spender, pulls, send);
    if (!approved.ok) return approved;
    const { timestamp } = await chain.latest();
    const deadline = Math.min(fillDeadline, timestamp + ROUTE_LIFE_SECONDS);
    const data =
      purchase === null
        ? encodeFillBatch(items, fillerData)
        : encodeExecute({ ...purchase, items, fillerData, deadline });
    return send({ label: 'fill', to: spender, data });
  });
}

/** Standing but bounded: an allowance never exceeds what the account held when it was given. */
async function approve(
  chain: ReturnType<typeof chainOf>,
  account: LocalAccount,
  spender: Hex,
  pulls: readonly TokenAmountCall[],
  send: (call: SendCall) => Promise<Sent>,
): Promise<Sent | { readonly ok: true }> {
  const needs = new Map<Hex, bigint>();
  for (const { token, amount } of pulls) needs.set(token, (needs.get(token) ?? 0n) + amount);
  const tokens = [...needs.keys()];
  const owner = account.address;
  const encode = { abi: erc20Abi } as const;
  const answers = await chain.read(
    tokens.flatMap((to) => [
      {
        to,
        data: encodeFunctionData({ ...encode, functionName: 'allowance', args: [owner, spender] }),
      },
      { to, data: encodeFunctionData({ ...encode, functionName: 'balanceOf', args: [owner] }) },
    ]),
    await chain.latest(),
  );
  for (const [i, token] of tokens.entries()) {
    const need = needs.get(token) ?? 0n;
    const [allowed, balance] = [answers[2 * i], answers[2 * i + 1]].map((data) =>
      data === null || data === undefined || data === '0x' ? 0n : decodeUint(data),
    );
    if (balance === undefined || balance < need) {
      return { ok: false, reason: `the balance of ${token} is ${balance}, ${need} are needed` };
    }
    if (allowed !== undefined && allowed >= need) continue;
    const set = (amount: bigint) =>
      send({
        label: 'approve',
        to: token,
        data: encodeFunctionData({ ...encode, functionName: 'approve', args: [spender, amount] }),
      });
    let sent = await set(balance);
    if (!sent.ok && allowed !== undefined && allowed > 0n) {
      // Some tokens take a new allowance only over zero.
      sent = await set(0n);
      if (sent.ok) sent = await set(balance);
    }
    if (!sent.ok) return sent;
  }
  return { ok: true };
}

/** Sends, per destination, the records that some open origin lacks; again when they do not arrive. */
async function prove(
  context: ServeContext,
  award: WonAward,
  facts: AwardFacts,
  state: ServeState,
): Promise<void> {
  const { proofRetrySeconds } = { ...TIMING, ...context.timing };
  const outputs = outputsOf(award);
  const sources = [...new Set(facts.outputs.map(({ chainId }) => chainId))];
  await Promise.all(
    sources.map(async (source) => {
      const here = outputs.flatMap((output, i) => (Number(output.chainId) === source ? [i] : []));
      const origins = facts.origins.filter(
        ({ chainId, status, ours, proven }) =>
          chainId !== source && status === 'open' && ours && here.some((i) => !proven[i]),
      );
      const last = state.proofs.get(source);
      if (origins.length === 0) return;
      if (last !== undefined && context.now() - last < proofRetrySeconds) return;
      const payloads = here.map((i) => {
        const fill = facts.outputs[i]?.fill as Fill;
        return encodeFillDescription(award.awardId, outputs[i] as MandateOutput, fill);
      });
      const eids = origins.map(({ chainId }) => chainOf(context.chains, chainId).config.eid);
      const chain = chainOf(context.chains, source);
      const { layerZeroOracle: to, outputSettler } = chain.config.contracts;
      const quote = { to, data: encodeQuoteMany(eids, payloads.length) };
      const [quoted] = await chain.read([quote], await chain.latest());
      if (quoted === null || quoted === undefined) throw new Error('the oracle quotes no fee');
      const fee = decodeUint(quoted);
      const sent = await chain.exclusive((send) =>
        send({
          label: 'prove',
          to,
          data: encodeSubmitMany(eids, outputSettler, payloads),
          value: fee + fee / FEE_HEADROOM + 1n,
        }),
      );
      if (sent.ok) state.proofs.set(source, context.now());
      throwFailed([sent], 'prove');
    }),
  );
}

async function release(context: ServeContext, award: WonAward, facts: AwardFacts): Promise<void> {
  const fills = facts.outputs.map(({ fill }) => fill as Fill);
  const ready = facts.origins.filter(
    ({ status, ours, proven }) => status === 'open' && ours && proven.every(Boolean),
  );
  const sent = await Promise.all(
    ready.map(({ chainId }) =>
      chainOf(context.chains, chainId).exclusive((send) =>
        send({
          label: 'release',
          to: settlerOf(award, chainId),
          data: encodeRelease({
            order: award.order,
            chainId: BigInt(chainId),
            award: award.award,
            amounts: award.amounts,
            fills,
            to: award.award.filler,
          }),
        }),
      ),
    ),
  );
  throwFailed(sent, 'release');
}

function settlerOf({ order }: WonAward, chainId: number): Hex {
  const origin = order.origins.find((one) => Number(one.chainId) === chainId);
  if (origin === undefined) throw new Error(`the order has no origin on chain ${chainId}`);
  return origin.settler;
}

/** Another look decides what to do about it: someone else may have sent the same. */
function throwFailed(sent: readonly Sent[], what: string): void {
  const failed = sent.find((one) => !one.ok);
  if (failed !== undefined && !failed.ok) throw new Error(`${what}: ${failed.reason}`);
}
