// PortfolioSettler, OutputSettler and LayerZeroOracle as a small state machine over plain data: the
// rules of PROTOCOL.md that the workflows rely on, written a second time and independently of them.
// It executes real calldata, so the encoders are exercised too.

import {
  decodeFunctionData,
  encodeErrorResult,
  encodeFunctionResult,
  erc20Abi,
  type Hex,
  toFunctionSelector,
  toHex,
} from 'viem';
import { layerZeroOracleAbi } from '../../../contracts-abi/abi/layerZeroOracle.ts';
import { outputSettlerAbi } from '../../../contracts-abi/abi/outputSettler.ts';
import { portfolioSettlerAbi } from '../../../contracts-abi/abi/portfolioSettler.ts';
import {
  amountsHash,
  awardDigest,
  cancelDigest,
  declineDigest,
  encodeFillDescription,
  type Fill,
  fillRecord,
  hashAward,
  hashOutputs,
  type MandateOutput,
  orderDigest,
  outputHash,
  type PortfolioOrder,
  payloadHash,
  TOMBSTONE_RECORD,
  tombstonePayload,
  ZERO_HASH,
} from '../../../contracts-abi/typedData.ts';
import { recoverSigner as recover } from '../../../solver/settlement/signature.ts';

/** Hashing and recovery are most of a simulated run: the same questions are asked at every poll. */
function remembered<Args extends readonly unknown[], T>(
  keyOf: (...args: Args) => string,
  compute: (...args: Args) => T,
) {
  const known = new Map<string, T>();
  return (...args: Args): T => {
    const key = keyOf(...args);
    if (known.size > 1_000) known.clear();
    if (!known.has(key)) known.set(key, compute(...args));
    return known.get(key) as T;
  };
}
const recoverSigner = remembered((digest: Hex, signature: Hex) => digest + signature, recover);
const outputsJson = (outputs: readonly MandateOutput[]) =>
  JSON.stringify(outputs, (_k, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
const outputsHash = remembered(outputsJson, hashOutputs);

export type SlotState = 'open' | 'released' | 'refunded' | 'cancelled';
export interface SimLog {
  readonly award: Hex;
  readonly output: MandateOutput;
  readonly fill: Fill;
}
/** One chain's contract state at one block. Cloned whole per block: orders are few. */
export interface SimState {
  /** By `owner:nonce`. */
  slots: Map<string, { status: SlotState; awardId: Hex }>;
  /** By `awardId:outputHash`. */
  records: Map<string, Hex>;
  /** By `chainId:payloadHash`. */
  attested: Set<string>;
  /** By `token:account`. */
  balances: Map<string, bigint>;
  allowed: boolean;
  logs: SimLog[];
  /** Every payout of an escrow, for the invariant that there is one at most. */
  payouts: { readonly awardId: Hex; readonly to: 'filler' | 'owner' }[];
}

export const SETTLER = `0x${'a1'.repeat(20)}` as const;
export const OUTPUT_SETTLER = `0x${'b1'.repeat(20)}` as const;
export const ORACLE = `0x${'c1'.repeat(20)}` as const;
const MESSAGE_FEE = 1_000n;

export class SimRevert extends Error {
  readonly data: Hex;
  constructor(data: Hex, message: string) {
    super(message);
    this.data = data;
  }
}

/** What a call may touch outside its own chain's state. */
export interface SimContext {
  readonly chainId: number;
  readonly now: number;
  readonly from: Hex;
  readonly value: bigint;
  readonly orders: ReadonlyMap<Hex, PortfolioOrder>;
  /** A message left for another chain. */
  send(toEid: number, payloadHashes: readonly Hex[]): void;
}

export const emptyState = (): SimState => ({
  slots: new Map(),
  records: new Map(),
  attested: new Set(),
  balances: new Map(),
  allowed: true,
  logs: [],
  payouts: [],
});

export const balanceKey = (token: string, account: string) =>
  `${token.toLowerCase()}:${account.toLowerCase()}`;
export const slotKey = (owner: string, nonce: bigint) => `${owner.toLowerCase()}:${nonce}`;

export function move(s: SimState, token: string, from: string, to: string, amount: bigint) {
  const have = s.balances.get(balanceKey(token, from)) ?? 0n;
  if (have < amount) throw new SimRevert('0x', 'transfer exceeds balance');
  s.balances.set(balanceKey(token, from), have - amount);
  const other = s.balances.get(balanceKey(token, to)) ?? 0n;
  s.balances.set(balanceKey(token, to), other + amount);
}

/** Executes calldata on the state, or throws SimRevert and leaves it to the caller to discard it. */
export function execute(s: SimState, to: Hex, data: Hex, c: SimContext): void {
  if (to === SETTLER) settlerCall(s, data, c);
  else if (to === OUTPUT_SETTLER) outputCall(s, data, c);
  else if (to === ORACLE) oracleCall(s, data, c);
  else throw new SimRevert('0x', `no contract at ${to}`);
}

function fail(errorName: 'NotNone' | 'NotOpen' | 'BadAward' | 'BadTimes' | 'NotExpired'): never {
  throw new SimRevert(encodeErrorResult({ abi: portfolioSettlerAbi, errorName }), errorName);
}

interface Terms {
  readonly filler: Hex;
  readonly openBy: number;
  readonly amountsHash: Hex;
}

function identify(
  c: SimContext,
  head: { readonly owner: Hex; readonly nonce: bigint },
  given: Hex,
  terms: Terms,
) {
  const [orderId, order] =
    [...c.orders].find(([, o]) => o.owner === head.owner.toLowerCase() && o.nonce === head.nonce) ??
    [];
  if (orderId === undefined || order === undefined || outputsHash(order.outputs) !== given)
    fail('BadAward');
  const origin = order.origins.find((o) => Number(o.chainId) === c.chainId);
  if (origin === undefined) fail('BadAward');
  const award = {
    orderId,
    filler: terms.filler.toLowerCase() as Hex,
    fillDeadline: order.fillDeadline,
    openBy: terms.openBy,
    amountsHash: terms.amountsHash,
  };
  return { order, origin, award, awardId: hashAward(award) };
}

type Known = ReturnType<typeof identify>;

function settlerCall(s: SimState, data: Hex, c: SimContext): void {
  const call = decodeFunctionData({ abi: portfolioSettlerAbi, data });
  switch (call.functionName) {
    case 'open': {
      const [head, , given, terms, awardSig, ownerSig] = call.args;
      const known = identify(c, head, given, terms);
      const { order, award, awardId } = known;
      const key = slotKey(order.owner, order.nonce);
      if (s.slots.has(key)) fail('NotNone');
      if (c.now > order.openDeadline) fail('BadTimes');
      if (c.now > award.openBy) fail('BadAward');
      if (recoverSigner(awardDigest(award), awardSig) !== order.auctioneer) fail('BadAward');
      if (recoverSigner(orderDigest(order), ownerSig) !== order.owner) fail('BadAward');
      if (!s.allowed) throw new SimRevert('0x', 'insufficient allowance');
      s.slots.set(key, { status: 'open', awardId });
      for (const { token, amount } of known.origin.inputs) {
        move(s, token, order.owner, SETTLER, amount);
      }
      return;
    }
    case 'release': {
      const [head, , outputs, terms, amounts, fills] = call.args;
      const known = identify(c, head, outputsHash(outputs), terms);
      if (amountsHash(amounts) !== known.award.amountsHash) fail('BadAward');
      outputs.forEach((output, i) => {
        const fill = fills[i];
        const amount = amounts[i] ?? 0n;
        if (fill === undefined || fill.timestamp > known.order.fillDeadline) fail('BadAward');
        if (!fillProven(s, c, known.awardId, { ...output, amount }, fill)) fail('BadAward');
      });
      close(s, known, 'released');
      return;
    }
    case 'refundDeclined': {
      const [head, , given, terms, signature] = call.args;
      const known = identify(c, head, given, terms);
      const signer = recoverSigner(declineDigest(known.awardId), signature);
      if (signer !== known.award.filler && c.from !== known.award.filler) fail('BadAward');
      close(s, known, 'refunded');
      return;
    }
    case 'refundExpired': {
      const [head, , given, terms] = call.args;
      const known = identify(c, head, given, terms);
      if (c.now <= known.order.expiry) fail('NotExpired');
      close(s, known, 'refunded');
      return;
    }
    case 'refundTombstone':
    case 'refundLate': {
      const [head, , outputs, terms, amounts, index, fill] = call.args;
      const known = identify(c, head, outputsHash(outputs), terms);
      if (amountsHash(amounts) !== known.award.amountsHash) fail('BadAward');
      const output = outputs[Number(index)];
      if (output === undefined) fail('BadAward');
      const awarded = { ...output, amount: amounts[Number(index)] ?? 0n };
      const proven =
        fill === undefined
          ? tombstoneProven(s, c, known.awardId, awarded)
          : fill.timestamp > known.order.fillDeadline &&
            fillProven(s, c, known.awardId, awarded, fill);
      if (!proven) fail('BadAward');
      close(s, known, 'refunded');
      return;
    }
    case 'cancelFor': {
      const [who, nonce, signature] = call.args;
      const of = who.toLowerCase() as Hex;
      if (recoverSigner(cancelDigest(of, nonce), signature) !== of) fail('BadAward');
      const key = slotKey(of, nonce);
      if (s.slots.has(key)) fail('NotNone');
      s.slots.set(key, { status: 'cancelled', awardId: ZERO_HASH });
      return;
    }
    default:
      throw new SimRevert('0x', `not modelled: ${call.functionName}`);
  }
}

function close(s: SimState, { order, origin, award, awardId }: Known, to: 'released' | 'refunded') {
  const slot = s.slots.get(slotKey(order.owner, order.nonce));
  if (slot?.status !== 'open' || slot.awardId !== awardId) fail('NotOpen');
  s.slots.set(slotKey(order.owner, order.nonce), { status: to, awardId });
  const receiver = to === 'released' ? award.filler : order.owner;
  s.payouts.push({ awardId, to: to === 'released' ? 'filler' : 'owner' });
  for (const { token, amount } of origin.inputs) move(s, token, SETTLER, receiver, amount);
}

const recordKey = (awardId: Hex, output: MandateOutput) => `${awardId}:${outputHash(output)}`;

function fillProven(s: SimState, c: SimContext, id: Hex, output: MandateOutput, fill: Fill) {
  if (Number(output.chainId) === c.chainId) {
    return s.records.get(recordKey(id, output)) === fillRecord(fill.solver, fill.timestamp);
  }
  const hash = payloadHash(encodeFillDescription(id, output, fill));
  return s.attested.has(`${output.chainId}:${hash}`);
}

function tombstoneProven(s: SimState, c: SimContext, id: Hex, output: MandateOutput) {
  if (Number(output.chainId) === c.chainId) {
    return s.records.get(recordKey(id, output)) === TOMBSTONE_RECORD;
  }
  return s.attested.has(`${output.chainId}:${payloadHash(tombstonePayload(id, output))}`);
}

function outputCall(s: SimState, data: Hex, c: SimContext): void {
  const call = decodeFunctionData({ abi: outputSettlerAbi, data });
  if (call.functionName === 'fillBatch') {
    const [items, fillerData] = call.args;
    for (const { id, output, fillDeadline } of items) {
      if (c.now > fillDeadline) throw new SimRevert('0x', 'FillDeadline');
      fillOne(s, c, id, output, fillerData.slice(0, 66) as Hex);
    }
    return;
  }
  if (call.functionName === 'cancel') {
    const [award, outputs] = call.args;
    const id = hashAward(award);
    if (c.now <= award.fillDeadline) throw new SimRevert('0x', 'NotPastDeadline');
    for (const output of outputs) {
      const key = recordKey(id, output);
      const record = s.records.get(key) ?? ZERO_HASH;
      if (record === TOMBSTONE_RECORD) continue;
      if (record !== ZERO_HASH) throw new SimRevert('0x', 'AlreadyFilled');
      s.records.set(key, TOMBSTONE_RECORD);
    }
    return;
  }
  throw new SimRevert('0x', `not modelled: ${call.functionName}`);
}

export function fillOne(s: SimState, c: SimContext, id: Hex, output: MandateOutput, solver: Hex) {
  const key = recordKey(id, output);
  const record = s.records.get(key) ?? ZERO_HASH;
  if (record === TOMBSTONE_RECORD) throw new SimRevert('0x', 'Tombstoned');
  if (record !== ZERO_HASH) return;
  const fill = { solver, timestamp: c.now };
  s.records.set(key, fillRecord(solver, c.now));
  s.logs.push({ award: id, output, fill });
  move(s, `0x${output.token.slice(26)}`, c.from, `0x${output.recipient.slice(26)}`, output.amount);
}

function oracleCall(s: SimState, data: Hex, c: SimContext): void {
  const call = decodeFunctionData({ abi: layerZeroOracleAbi, data });
  if (call.functionName !== 'submitMany') throw new SimRevert('0x', call.functionName);
  const [eids, , payloads] = call.args;
  if (c.value < MESSAGE_FEE * BigInt(eids.length)) throw new SimRevert('0x', 'FeeTooLow');
  for (const payload of payloads) {
    if (!isRecorded(s, c, payload)) throw new SimRevert('0x', 'NotAttested');
  }
  for (const eid of eids) c.send(eid, payloads.map(payloadHash));
}

/** Whether some record or tombstone of this chain has exactly this payload. */
function isRecorded(s: SimState, c: SimContext, payload: Hex): boolean {
  const fromFills = s.logs.some(
    (log) => encodeFillDescription(log.award, log.output, log.fill) === payload,
  );
  if (fromFills) return true;
  // 96 bytes: tag ‖ awardId ‖ outputHash.
  const key = `0x${payload.slice(66, 130)}:0x${payload.slice(130, 194)}`;
  return payload.length === 194 && c.chainId > 0 && s.records.get(key) === TOMBSTONE_RECORD;
}

/** Answers a view call. */
export function view(s: SimState, to: Hex, data: Hex): Hex {
  if (to === SETTLER) {
    const call = decodeFunctionData({ abi: portfolioSettlerAbi, data });
    if (call.functionName !== 'slot') return '0x';
    const slot = s.slots.get(slotKey(call.args[0], call.args[1]));
    const status = ['open', 'released', 'refunded', 'cancelled'].indexOf(slot?.status ?? '') + 1;
    if (slot === undefined) return ZERO_HASH;
    const prefix = slot.status === 'cancelled' ? ZERO_HASH : slot.awardId;
    return `${prefix.slice(0, 64)}0${status}` as Hex;
  }
  if (to === OUTPUT_SETTLER) {
    const call = decodeFunctionData({ abi: outputSettlerAbi, data });
    if (call.functionName !== 'getFillRecord') return '0x';
    return s.records.get(`${call.args[0]}:${call.args[1]}`) ?? ZERO_HASH;
  }
  if (to === ORACLE) {
    const call = decodeFunctionData({ abi: layerZeroOracleAbi, data });
    const abi = layerZeroOracleAbi;
    if (call.functionName === 'isProven') {
      const [chain, , , hash] = call.args;
      const result = s.attested.has(`${chain}:${hash}`);
      return encodeFunctionResult({ abi, functionName: 'isProven', result });
    }
    if (call.functionName === 'quoteMany') {
      const result = MESSAGE_FEE * BigInt(call.args[0].length);
      return encodeFunctionResult({ abi, functionName: 'quoteMany', result });
    }
    return '0x';
  }
  return tokenView(s, to, data);
}

/** Every other address is a token, if the call is a token's; else an account without code. */
function tokenView(s: SimState, token: Hex, data: Hex): Hex {
  const selector = data.slice(0, 10);
  if (selector !== BALANCE_OF && selector !== ALLOWANCE) return '0x';
  const call = decodeFunctionData({ abi: erc20Abi, data });
  const amount =
    call.functionName === 'balanceOf'
      ? (s.balances.get(balanceKey(token, call.args[0])) ?? 0n)
      : s.allowed
        ? 2n ** 256n - 1n
        : 0n;
  return toHex(amount, { size: 32 });
}
const BALANCE_OF = toFunctionSelector('balanceOf(address)');
const ALLOWANCE = toFunctionSelector('allowance(address,address)');
