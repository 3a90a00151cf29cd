// Calldata for our contracts, and what their answers mean, from the types of typedData.ts. Pure
// encoding: it sends nothing, signs nothing, and leaves money decisions to its callers.

import {
  type Address,
  decodeErrorResult,
  encodeFunctionData,
  getAbiItem,
  type Hex,
  parseAbi,
  slice,
  toFunctionSelector,
} from 'viem';
import { layerZeroOracleAbi } from './abi/layerZeroOracle.ts';
import { outputSettlerAbi } from './abi/outputSettler.ts';
import { portfolioSettlerAbi } from './abi/portfolioSettler.ts';
import { routeExecutorAbi } from './abi/routeExecutor.ts';
import {
  type Award,
  type Fill,
  fillRecord,
  hashOrigin,
  hashOutputs,
  type MandateOutput,
  type PortfolioOrder,
  TOMBSTONE_RECORD,
  ZERO_HASH,
} from './typedData.ts';
import { addressWord, bytes32Word, uintWord } from './words.ts';

/** An order at one of its origins, under an award: what every call on an open escrow names. */
export interface Escrow {
  readonly order: PortfolioOrder;
  /** The origin's chain. */
  readonly chainId: bigint;
  readonly award: Award;
}

// PortfolioSettler

/** `ownerSig` and `awardSig` may be '0x' where the caller is the owner or the auctioneer. */
export function encodeOpen(
  escrow: Escrow & { readonly awardSig: Hex; readonly ownerSig: Hex },
): Hex {
  const { awardSig, ownerSig } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'open',
    args: [...staticArgs(escrow), awardSig, ownerSig],
  });
}

/**
 * For an owner who signed the order as Permit2's witness (permit2.ts) and approved Permit2; permit2Sig
 * is needed whoever calls.
 */
export function encodeOpenWithPermit2(
  escrow: Escrow & { readonly awardSig: Hex; readonly permit2Sig: Hex },
): Hex {
  const { awardSig, permit2Sig } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'openWithPermit2',
    args: [...staticArgs(escrow), awardSig, permit2Sig],
  });
}

/** `amounts` and `fills` in the order's output order; `to` zero or the filler unless it calls. */
export function encodeRelease(
  escrow: Escrow & {
    readonly amounts: readonly bigint[];
    readonly fills: readonly Fill[];
    readonly to: Address;
  },
): Hex {
  const { amounts, fills, to } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'release',
    args: [...fullArgs(escrow), amounts, fills, to],
  });
}

/** Release on the owner's signed Accept(awardId, to); '0x' if the owner calls. */
export function encodeReleaseAccepted(
  escrow: Escrow & { readonly to: Address; readonly ownerSig: Hex },
): Hex {
  const { to, ownerSig } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'releaseAccepted',
    args: [...staticArgs(escrow), to, ownerSig],
  });
}

/** Refund because output `index` is tombstoned at its destination, and that is proven here. */
export function encodeRefundTombstone(
  escrow: Escrow & { readonly amounts: readonly bigint[]; readonly index: number },
): Hex {
  const { amounts, index } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'refundTombstone',
    args: [...fullArgs(escrow), amounts, BigInt(index)],
  });
}

/** Refund because output `index` was filled after fillDeadline, and that is proven here. */
export function encodeRefundLate(
  escrow: Escrow & {
    readonly amounts: readonly bigint[];
    readonly index: number;
    readonly fill: Fill;
  },
): Hex {
  const { amounts, index, fill } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'refundLate',
    args: [...fullArgs(escrow), amounts, BigInt(index), fill],
  });
}

/** Refund on the filler's signed Decline(awardId); '0x' if the filler calls. */
export function encodeRefundDeclined(escrow: Escrow & { readonly fillerSig: Hex }): Hex {
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'refundDeclined',
    args: [...staticArgs(escrow), escrow.fillerSig],
  });
}

/** Refund after expiry; anyone may send it. */
export function encodeRefundExpired(escrow: Escrow): Hex {
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'refundExpired',
    args: staticArgs(escrow),
  });
}

/** Swap and deliver in one transaction, when the whole order is on one chain. */
export function encodeSettleLocal(
  escrow: Escrow & {
    readonly amounts: readonly bigint[];
    readonly awardSig: Hex;
    readonly ownerSig: Hex;
    readonly to: Address;
    readonly data: Hex;
  },
): Hex {
  const { amounts, awardSig, ownerSig, to, data } = escrow;
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'settleLocal',
    args: [...fullArgs(escrow), { amounts, awardSig, ownerSig, to, data }],
  });
}

/** The caller voids its own nonces on this chain. */
export function encodeCancel(nonces: readonly bigint[]): Hex {
  return encodeFunctionData({ abi: portfolioSettlerAbi, functionName: 'cancel', args: [nonces] });
}

/** Anyone voids a nonce with the owner's signed Cancel(owner, nonce). */
export function encodeCancelFor(owner: Address, nonce: bigint, signature: Hex): Hex {
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'cancelFor',
    args: [owner, nonce, signature],
  });
}

/** Takes a credit of the settler's (or the output settler's: same function) to `to`. */
export function encodeWithdraw(token: Address, to: Address): Hex {
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'withdraw',
    args: [token, to],
  });
}

export type Slot =
  | { readonly status: 'none' }
  /** `awardId` misses its last byte, which the slot does not keep: compare with slotIsOf. */
  | {
      readonly status: 'open' | 'released' | 'refunded';
      /** Upper 31 bytes of the awardId. */
      readonly awardPrefix: Hex;
    }
  | { readonly status: 'cancelled' };

const SLOT_SELECTOR = toFunctionSelector(getAbiItem({ abi: portfolioSettlerAbi, name: 'slot' }));

/** Written out: every admission asks it, and a library's search of the ABI takes longer than the rest. */
export const encodeSlot = (owner: Address, nonce: bigint): Hex =>
  `${SLOT_SELECTOR}${addressWord(owner.toLowerCase())}${uintWord(nonce, 256)}`;

/** Decodes slot's answer. Throws on a status no version of the contract writes. */
export function decodeSlot(data: Hex): Slot {
  const word: Hex = `0x${bytes32Word(data.slice(0, 66).toLowerCase())}`;
  const awardPrefix = slice(word, 0, 31);
  // The last byte holds five bits of the escrowed leg's index above three of the status.
  const status = Number.parseInt(slice(word, 31), 16) & 7;
  switch (status) {
    case 0:
      return { status: 'none' };
    case 1:
      return { status: 'open', awardPrefix };
    case 2:
      return { status: 'released', awardPrefix };
    case 3:
      return { status: 'refunded', awardPrefix };
    case 4:
      return { status: 'cancelled' };
    default:
      throw new RangeError(`unknown slot status ${status}`);
  }
}

/** Whether the slot is in `status` under exactly this award. */
export function slotIsOf(
  slot: Slot,
  status: 'open' | 'released' | 'refunded',
  awardId: Hex,
): boolean {
  return slot.status === status && slot.awardPrefix === slice(awardId, 0, 31).toLowerCase();
}

export function encodeOwed(token: Address, account: Address): Hex {
  return encodeFunctionData({
    abi: portfolioSettlerAbi,
    functionName: 'owed',
    args: [token, account],
  });
}

// OutputSettler

export interface FillItem {
  /** awardId. */
  readonly id: Hex;
  /** Awarded output. */
  readonly output: MandateOutput;
  /** Unix seconds after which the fill reverts. */
  readonly fillDeadline: number;
}

/** `fillerData` begins with the 32-byte solver to record. */
export function encodeFill(item: FillItem, fillerData: Hex): Hex {
  return encodeFunctionData({
    abi: outputSettlerAbi,
    functionName: 'fill',
    args: [item.id, item.output, item.fillDeadline, fillerData],
  });
}

export function encodeFillOrderOutputs(
  id: Hex,
  outputs: readonly MandateOutput[],
  fillDeadline: number,
  fillerData: Hex,
): Hex {
  return encodeFunctionData({
    abi: outputSettlerAbi,
    functionName: 'fillOrderOutputs',
    args: [id, outputs, fillDeadline, fillerData],
  });
}

export function encodeFillBatch(items: readonly FillItem[], fillerData: Hex): Hex {
  return encodeFunctionData({
    abi: outputSettlerAbi,
    functionName: 'fillBatch',
    args: [items, fillerData],
  });
}

/** Tombstones awarded outputs (awarded amounts) that are empty after the award's deadline. */
export function encodeOutputCancel(award: Award, outputs: readonly MandateOutput[]): Hex {
  return encodeFunctionData({
    abi: outputSettlerAbi,
    functionName: 'cancel',
    args: [award, outputs],
  });
}

export type OutputRecord =
  | { readonly status: 'empty' }
  | { readonly status: 'tombstone' }
  | { readonly status: 'filled'; readonly record: Hex };

/** Reads an output's record by OIF's packed hash of the awarded output. */
export function encodeGetFillRecord(awardId: Hex, outputHash: Hex): Hex {
  return encodeFunctionData({
    abi: outputSettlerAbi,
    functionName: 'getFillRecord',
    args: [awardId, outputHash],
  });
}

export function decodeFillRecord(data: Hex): OutputRecord {
  const word = slice(data, 0, 32);
  if (word === ZERO_HASH) return { status: 'empty' };
  if (word === TOMBSTONE_RECORD) return { status: 'tombstone' };
  return { status: 'filled', record: word };
}

/** Whether the record is the one this fill makes. */
export function recordIsOf(record: OutputRecord, fill: Fill): boolean {
  return record.status === 'filled' && record.record === fillRecord(fill.solver, fill.timestamp);
}

// LayerZeroOracle

/** Sends the payloads' hashes to one chain; the value is quote's answer or more. */
export function encodeSubmit(eid: number, source: Address, payloads: readonly Hex[]): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'submit',
    args: [eid, source, payloads],
  });
}

export function encodeSubmitMany(
  eids: readonly number[],
  source: Address,
  payloads: readonly Hex[],
): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'submitMany',
    args: [eids, source, payloads],
  });
}

/** Wei that submit of `records` payloads costs; decode with decodeUint. */
export function encodeQuote(eid: number, records: number): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'quote',
    args: [eid, BigInt(records)],
  });
}

export function encodeQuoteMany(eids: readonly number[], records: number): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'quoteMany',
    args: [eids, BigInt(records)],
  });
}

export function encodeIsProven(
  remoteChainId: bigint,
  remoteOracle: Hex,
  application: Hex,
  payloadHash: Hex,
): Hex {
  return encodeFunctionData({
    abi: layerZeroOracleAbi,
    functionName: 'isProven',
    args: [remoteChainId, remoteOracle, application, payloadHash],
  });
}

/** The one word of a bool answer. */
export const decodeBool = (data: Hex): boolean => BigInt(slice(data, 0, 32)) === 1n;
/** The one word of a uint256 answer. */
export const decodeUint = (data: Hex): bigint => BigInt(slice(data, 0, 32));

// RouteExecutor

export interface TokenAmountCall {
  readonly token: Address;
  readonly amount: bigint;
}
export interface RouteHop {
  readonly tokenOut: Address;
  /** Fee tier of the Uniswap v3 pool, 1e-6; zero for the v2 pair. */
  readonly feePips: number;
}
export interface Route {
  readonly tokenIn: Address;
  readonly amountIn: bigint;
  readonly amountOutMin: bigint;
  readonly hops: readonly RouteHop[];
}
export interface ExecuteCall {
  /** Taken from the caller: what routes and fills spend beyond what the routes give. */
  readonly pulls: readonly TokenAmountCall[];
  readonly routes: readonly Route[];
  readonly items: readonly FillItem[];
  /** 32-byte solver, then anything; '0x' without items. */
  readonly fillerData: Hex;
  /** Unix seconds. */
  readonly deadline: number;
}

/**
 * Swaps and fills in one transaction. What the OutputSettler may spend is the sum of the items'
 * amounts per token, exactly; the value to send is nativeSpent of the items.
 */
export function encodeExecute(call: ExecuteCall): Hex {
  const { pulls, routes, items, fillerData, deadline } = call;
  return encodeFunctionData({
    abi: routeExecutorAbi,
    functionName: 'execute',
    args: [pulls, routes, tokenSpends(items), items, fillerData, BigInt(deadline)],
  });
}

/** Wei a batch of fills spends: the sum of its native outputs. */
export function nativeSpent(items: readonly FillItem[]): bigint {
  return items
    .filter(({ output }) => output.token === ZERO_HASH)
    .reduce((sum, { output }) => sum + output.amount, 0n);
}

/** What Permit2 says when it refuses to move an order's inputs. */
const permit2Errors = parseAbi([
  'error InvalidSigner()',
  'error InvalidSignature()',
  'error InvalidSignatureLength()',
  'error InvalidContractSignature()',
  'error InvalidNonce()',
  'error SignatureExpired(uint256 signatureDeadline)',
]);

/** What went wrong, e.g. `NotOpen()` or `FeeTooLow(1, 2)`; the raw data if it is none of ours. */
export function decodeRevert(data: Hex): string {
  const ours = [portfolioSettlerAbi, outputSettlerAbi, layerZeroOracleAbi, routeExecutorAbi];
  for (const abi of [...ours, permit2Errors]) {
    try {
      const { errorName, args } = decodeErrorResult({ abi, data });
      return `${errorName}(${(args ?? []).map(String).join(', ')})`;
    } catch {
      // not an error of this contract
    }
  }
  return data === '0x' ? 'reverted without data' : `reverted with ${data.slice(0, 138)}`;
}

function tokenSpends(items: readonly FillItem[]): TokenAmountCall[] {
  const sums = new Map<Hex, bigint>();
  for (const { output } of items) {
    if (output.token === ZERO_HASH) continue;
    // One approval per token, however its hex is spelled: a second would replace the first.
    const token = slice(output.token, 12).toLowerCase() as Hex;
    sums.set(token, (sums.get(token) ?? 0n) + output.amount);
  }
  return [...sums].map(([token, amount]) => ({ token, amount }));
}

/** head, leg, outputsHash, award terms. */
function staticArgs({ order, chainId, award }: Escrow) {
  return [head(order), leg(order, chainId), hashOutputs(order.outputs), terms(award)] as const;
}

/** head, leg, outputs, award terms. */
function fullArgs({ order, chainId, award }: Escrow) {
  return [head(order), leg(order, chainId), order.outputs, terms(award)] as const;
}

function head(order: PortfolioOrder) {
  const { owner, nonce, openDeadline, fillDeadline, expiry, auctioneer, targets } = order;
  return { owner, nonce, openDeadline, fillDeadline, expiry, auctioneer, targets };
}

/** This chain's origin and the other origins' hashes. Throws if the order has no origin here. */
function leg({ origins }: PortfolioOrder, chainId: bigint) {
  const index = origins.findIndex((origin) => origin.chainId === chainId);
  const own = origins[index];
  if (own === undefined) throw new RangeError(`the order has no origin on chain ${chainId}`);
  const others = origins.filter((_, i) => i !== index).map(hashOrigin);
  return { oracle: own.oracle, inputs: own.inputs, index: BigInt(index), others };
}

function terms({ filler, openBy, amountsHash }: Award) {
  return { filler, openBy, amountsHash };
}
