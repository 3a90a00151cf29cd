// What the workflows say to and hear from our contracts, in terms of an awarded order. Encodes and
// decodes only: no decision, no sending. A read that a healthy node cannot refuse, refused, is a
// Fault, so that no fact is ever made of a missing answer.

import {
  decodeEventLog,
  encodeEventTopics,
  encodeFunctionData,
  erc20Abi,
  getAbiItem,
  type Hex,
  parseAbi,
  toFunctionSelector,
} from 'viem';
import { outputSettlerAbi } from '../../contracts-abi/abi/outputSettler.ts';
import {
  decodeBool,
  decodeFillRecord,
  decodeSlot,
  decodeUint,
  type Escrow,
  encodeGetFillRecord,
  encodeIsProven,
  encodeOpen,
  encodeOpenWithPermit2,
  encodeOutputCancel,
  encodeQuoteMany,
  encodeRefundDeclined,
  encodeRefundExpired,
  encodeRefundLate,
  encodeRefundTombstone,
  encodeRelease,
  encodeSlot,
  encodeSubmitMany,
  type OutputRecord,
  recordIsOf,
  slotIsOf,
} from '../../contracts-abi/calls.ts';
import {
  encodeFillDescription,
  type Fill,
  type MandateOutput,
  type Origin,
  outputHash,
  payloadHash,
  tombstonePayload,
} from '../../contracts-abi/typedData.ts';
import { addressWord } from '../../contracts-abi/words.ts';
import { present } from '../types/assert.ts';
import { Fault } from '../types/errors.ts';
import { type EvmAddress, evmAddress, fromBytes32Address } from '../types/ids.ts';
import type { BlockRef, Call, CallResult, Chain, ChainLog } from '../types/ports.ts';
import type { AwardedOrder } from './awardedOrder.ts';
import type { RefundGround } from './decide.ts';
import type { SlotStatus } from './facts.ts';

const erc1271Abi = parseAbi([
  'function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)',
]);
const permit2Abi = parseAbi([
  'function nonceBitmap(address owner, uint256 word) view returns (uint256)',
]);
/** isValidSignature's answer, as the one 32-byte word that counts. */
const ERC1271_MAGIC_WORD = `0x1626ba7e${'0'.repeat(56)}`;

/** The data of a call that must not fail. */
function answer(result: CallResult | undefined, what: string): Hex {
  if (result?.ok !== true || result.data === '0x') {
    throw new Fault(`${what}: the node gave no answer`, { code: 'badAnswer' });
  }
  return result.data;
}

// Origins

export interface SlotRead {
  readonly status: SlotStatus;
  /** The slot carries this order's award. */
  readonly ours: boolean;
}

export const slotCall = (origin: Origin, owner: Hex, nonce: bigint): Call => ({
  to: evmAddress(origin.settler),
  data: encodeSlot(owner, nonce),
});

export function decodeSlotStatus(result: CallResult | undefined): SlotStatus {
  return decodeSlot(answer(result, 'slot')).status;
}

/** One output's two possible proofs; `fill` is null while it is not known to be filled. */
export interface ProofQuery {
  readonly output: MandateOutput;
  readonly fill: Fill | null;
}

/** The slot and, per output, which proof the origin's oracle holds. One round trip. */
export async function readOrigin(
  chain: Chain,
  order: AwardedOrder,
  origin: Origin,
  queries: readonly ProofQuery[],
  at: BlockRef,
): Promise<SlotRead & { readonly proven: readonly { fill: boolean; tombstone: boolean }[] }> {
  const { awardId } = order.award;
  const oracle = evmAddress(origin.oracle);
  const isProven = ({ output }: ProofQuery, payload: Hex): Call => ({
    to: oracle,
    data: encodeIsProven(output.chainId, output.oracle, output.settler, payloadHash(payload)),
  });
  const tombstones = queries.map((q) => isProven(q, tombstonePayload(awardId, q.output)));
  const fills = queries.map((q) =>
    q.fill === null ? null : isProven(q, encodeFillDescription(awardId, q.output, q.fill)),
  );
  const asked = fills.filter((call) => call !== null);
  const results = await chain.read(
    [slotCall(origin, order.order.owner, order.order.nonce), ...tombstones, ...asked],
    at,
  );
  const slot = decodeSlot(answer(results[0], 'slot'));
  const ours =
    slot.status !== 'none' && slot.status !== 'cancelled' && slotIsOf(slot, slot.status, awardId);
  const proof = (result: CallResult | undefined) => decodeBool(answer(result, 'isProven'));
  let next = 1 + tombstones.length;
  const proven = queries.map((_, i) => {
    const tombstone = proof(results[1 + i]);
    if (fills[i] === null) return { fill: false, tombstone };
    const fill = proof(results[next]);
    next += 1;
    return { fill, tombstone };
  });
  return { status: slot.status, ours, proven };
}

const escrowOf = (order: AwardedOrder, chainId: number) => ({
  order: order.order,
  chainId: BigInt(chainId),
  award: order.award.award,
});

export const originOf = (order: AwardedOrder, chainId: number): Origin =>
  present(
    order.order.origins.find((o) => o.chainId === BigInt(chainId)),
    `origin on chain ${chainId}`,
  );

const settlerOf = (order: AwardedOrder, chainId: number) =>
  evmAddress(originOf(order, chainId).settler);

export const openCall = (order: AwardedOrder, chainId: number): Call => ({
  to: settlerOf(order, chainId),
  data: encodeOpening(order, {
    ...escrowOf(order, chainId),
    awardSig: order.award.signature,
  }),
});

/** The owner's signature says which of the two ways its inputs are pulled. */
function encodeOpening(
  { ownerSignature, signatureKind }: AwardedOrder,
  escrow: Escrow & { readonly awardSig: Hex },
): Hex {
  return signatureKind === 'permit2'
    ? encodeOpenWithPermit2({ ...escrow, permit2Sig: ownerSignature })
    : encodeOpen({ ...escrow, ownerSig: ownerSignature });
}

export const releaseCall = (
  order: AwardedOrder,
  chainId: number,
  fills: readonly Fill[],
): Call => ({
  to: settlerOf(order, chainId),
  data: encodeRelease({
    ...escrowOf(order, chainId),
    amounts: order.award.amounts,
    fills,
    to: order.award.award.filler,
  }),
});

/** `fill` is the late fill that ground `lateFill` names. */
export function refundCall(
  order: AwardedOrder,
  chainId: number,
  ground: RefundGround,
  fill: Fill | null,
): Call {
  const escrow = escrowOf(order, chainId);
  const { amounts } = order.award;
  const encode = (): Hex => {
    switch (ground.kind) {
      case 'decline':
        return encodeRefundDeclined({ ...escrow, fillerSig: present(order.decline, 'decline') });
      case 'tombstone':
        return encodeRefundTombstone({ ...escrow, amounts, index: ground.output });
      case 'lateFill':
        return encodeRefundLate({
          ...escrow,
          amounts,
          index: ground.output,
          fill: present(fill, 'late fill'),
        });
      case 'expired':
        return encodeRefundExpired(escrow);
    }
  };
  return { to: settlerOf(order, chainId), data: encode() };
}

// Destinations

/** Each output's record at one block. */
export async function readRecords(
  chain: Chain,
  order: AwardedOrder,
  outputs: readonly MandateOutput[],
  at: BlockRef,
): Promise<readonly OutputRecord[]> {
  const calls = outputs.map((output) => ({
    to: fromBytes32Address(output.settler),
    data: encodeGetFillRecord(order.award.awardId, outputHash(output)),
  }));
  const results = await chain.read(calls, at);
  return outputs.map((_, i) => decodeFillRecord(answer(results[i], 'getFillRecord')));
}

/** The fill that made `record`, from the award's OutputFilled events; null if none explains it. */
export function explainRecord(
  logs: readonly ChainLog[],
  output: MandateOutput,
  record: OutputRecord,
): Fill | null {
  for (const log of logs) {
    const { args } = decodeEventLog({
      abi: outputSettlerAbi,
      eventName: 'OutputFilled',
      topics: log.topics as [Hex, ...Hex[]],
      data: log.data,
    });
    if (outputHash(args.output) !== outputHash(output)) continue;
    const fill: Fill = { solver: args.solver, timestamp: args.timestamp };
    if (recordIsOf(record, fill)) return fill;
  }
  return null;
}

/** OutputFilled events of the award in a range of blocks, by all output settlers it names there. */
export function fillLogs(
  chain: Chain,
  order: AwardedOrder,
  chainId: number,
  fromBlock: bigint,
  toBlock: bigint,
): Promise<readonly ChainLog[]> {
  const settlers = order.outputs
    .filter((output) => output.chainId === BigInt(chainId))
    .map((output) => fromBytes32Address(output.settler));
  const topics = encodeEventTopics({
    abi: outputSettlerAbi,
    eventName: 'OutputFilled',
    args: { orderId: order.award.awardId },
  });
  return chain.logs({
    address: [...new Set(settlers)],
    topics: topics as readonly Hex[],
    fromBlock,
    toBlock,
  });
}

/** Tombstones outputs of one chain, given by their indices in the order. */
export function tombstoneCall(order: AwardedOrder, indices: readonly number[]): Call {
  const outputs = indices.map((i) => present(order.outputs[i], `output ${i}`));
  return {
    to: fromBytes32Address(present(outputs[0], 'an output').settler),
    data: encodeOutputCancel(order.award.award, outputs),
  };
}

// Messages

export const fillPayload = (order: AwardedOrder, index: number, fill: Fill): Hex =>
  encodeFillDescription(order.award.awardId, present(order.outputs[index], 'output'), fill);

export const lostPayload = (order: AwardedOrder, index: number, lateFill: Fill | null): Hex =>
  lateFill === null
    ? tombstonePayload(order.award.awardId, present(order.outputs[index], 'output'))
    : fillPayload(order, index, lateFill);

/** Sends payloads of one destination's settler to several origins; value is quoteMessages'. */
export function submitCall(
  order: AwardedOrder,
  index: number,
  eids: readonly number[],
  payloads: readonly Hex[],
): Call {
  const output = present(order.outputs[index], 'output');
  return {
    to: fromBytes32Address(output.oracle),
    data: encodeSubmitMany(eids, fromBytes32Address(output.settler), payloads),
  };
}

/** Wei that submitCall costs at the head. Throws Fault when the oracle does not quote. */
export async function quoteMessages(
  chain: Chain,
  order: AwardedOrder,
  index: number,
  eids: readonly number[],
  records: number,
): Promise<bigint> {
  const oracle = fromBytes32Address(present(order.outputs[index], 'output').oracle);
  const at = await chain.block('latest');
  const [result] = await chain.read([{ to: oracle, data: encodeQuoteMany(eids, records) }], at);
  return decodeUint(answer(result, 'quoteMany'));
}

// Owners and tokens

const BALANCE_OF = toFunctionSelector(getAbiItem({ abi: erc20Abi, name: 'balanceOf' }));
const ALLOWANCE = toFunctionSelector(getAbiItem({ abi: erc20Abi, name: 'allowance' }));

export const balanceCall = (token: Hex, account: Hex): Call => ({
  to: evmAddress(token),
  data: `${BALANCE_OF}${addressWord(evmAddress(account))}`,
});
export const allowanceCall = (token: Hex, owner: Hex, spender: Hex): Call => ({
  to: evmAddress(token),
  data: `${ALLOWANCE}${addressWord(evmAddress(owner))}${addressWord(evmAddress(spender))}`,
});
/** A token that does not answer counts as zero: nothing is promised from it. */
export const amountOf = (result: CallResult | undefined): bigint =>
  result?.ok === true && result.data.length === 66 ? BigInt(result.data) : 0n;

/** 256 of Permit2's nonces as bits: the last byte of a nonce names its bit. */
export const permit2NoncesCall = (permit2: EvmAddress, owner: Hex, nonce: bigint): Call => ({
  to: permit2,
  data: encodeFunctionData({
    abi: permit2Abi,
    functionName: 'nonceBitmap',
    args: [evmAddress(owner), nonce >> 8n],
  }),
});

/** Asks an owner with code whether it signed. */
export const signatureCall = (owner: Hex, digest: Hex, signature: Hex): Call => ({
  to: evmAddress(owner),
  data: encodeFunctionData({
    abi: erc1271Abi,
    functionName: 'isValidSignature',
    args: [digest, signature],
  }),
});
/** Exact magic in the first word, as the settlers read it; no code answers with nothing. */
export const isMagic = (result: CallResult | undefined): boolean =>
  result?.ok === true && result.data.toLowerCase().startsWith(ERC1271_MAGIC_WORD);
/** The call went to an account without code: it succeeds and answers nothing. */
export const hasNoCode = (result: CallResult | undefined): boolean =>
  result?.ok === true && result.data === '0x';
