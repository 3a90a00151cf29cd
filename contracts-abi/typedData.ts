// The signed structures of PROTOCOL.md and every hash made of them: EIP-712 for what is signed, the
// Open Intents Framework's (OIF) packed encodings for what is recorded at a destination. It mirrors
// contracts-abi/solidity/src/libraries; test/contracts compares the two byte for byte. It signs
// nothing, and knows neither chains nor balances.

import {
  type Address,
  concat,
  encodePacked,
  type Hex,
  hashDomain,
  hashStruct,
  hashTypedData,
  keccak256,
  numberToHex,
  size,
  toHex,
  zeroAddress,
} from 'viem';
import { addressWord, bytes32Word, fixed, keccakHex, uintWord } from './words.ts';

export interface OrderInput {
  readonly token: Address;
  /** Base units of `token`. */
  readonly amount: bigint;
}
/** What one chain puts into escrow. */
export interface Origin {
  readonly chainId: bigint;
  /** PortfolioSettler on that chain. */
  readonly settler: Address;
  /** The oracle that settler asks for proofs. */
  readonly oracle: Address;
  readonly inputs: readonly OrderInput[];
}
/** OIF's MandateOutput: addresses are left-padded to 32 bytes, a zero token is the native coin. */
export interface MandateOutput {
  /** The oracle at the destination that sends the proof. */
  readonly oracle: Hex;
  /** OutputSettler at the destination. */
  readonly settler: Hex;
  readonly chainId: bigint;
  readonly token: Hex;
  /** Base units; the signed minimum in an order, the awarded amount in an awarded output. */
  readonly amount: bigint;
  readonly recipient: Hex;
  readonly callbackData: Hex;
  readonly context: Hex;
}
/** Times are Unix seconds (uint32). `auctioneer` zero: one output, signed amounts, no award. */
export interface PortfolioOrder {
  readonly owner: Address;
  readonly nonce: bigint;
  readonly openDeadline: number;
  readonly fillDeadline: number;
  readonly expiry: number;
  readonly auctioneer: Address;
  /** Hash of the target weights: explains the order, binds nothing. */
  readonly targets: Hex;
  readonly origins: readonly Origin[];
  readonly outputs: readonly MandateOutput[];
}
export interface Award {
  readonly orderId: Hex;
  readonly filler: Address;
  /** Always the order's own fillDeadline. */
  readonly fillDeadline: number;
  readonly openBy: number;
  readonly amountsHash: Hex;
}
/** Who is named as filler in a fill record, and the destination's block time, Unix seconds. */
export interface Fill {
  readonly solver: Hex;
  readonly timestamp: number;
}

export const domain = { name: 'trimtab', version: '1' } as const;

const domainType = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
] as const;

export const portfolioOrderTypes = {
  PortfolioOrder: [
    { name: 'owner', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'openDeadline', type: 'uint32' },
    { name: 'fillDeadline', type: 'uint32' },
    { name: 'expiry', type: 'uint32' },
    { name: 'auctioneer', type: 'address' },
    { name: 'targets', type: 'bytes32' },
    { name: 'origins', type: 'Origin[]' },
    { name: 'outputs', type: 'MandateOutput[]' },
  ],
  Input: [
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  MandateOutput: [
    { name: 'oracle', type: 'bytes32' },
    { name: 'settler', type: 'bytes32' },
    { name: 'chainId', type: 'uint256' },
    { name: 'token', type: 'bytes32' },
    { name: 'amount', type: 'uint256' },
    { name: 'recipient', type: 'bytes32' },
    { name: 'callbackData', type: 'bytes' },
    { name: 'context', type: 'bytes' },
  ],
  Origin: [
    { name: 'chainId', type: 'uint256' },
    { name: 'settler', type: 'address' },
    { name: 'oracle', type: 'address' },
    { name: 'inputs', type: 'Input[]' },
  ],
} as const;

export const awardTypes = {
  Award: [
    { name: 'orderId', type: 'bytes32' },
    { name: 'filler', type: 'address' },
    { name: 'fillDeadline', type: 'uint32' },
    { name: 'openBy', type: 'uint32' },
    { name: 'amountsHash', type: 'bytes32' },
  ],
} as const;

const declineTypes = { Decline: [{ name: 'awardId', type: 'bytes32' }] } as const;
const acceptTypes = {
  Accept: [
    { name: 'awardId', type: 'bytes32' },
    { name: 'to', type: 'address' },
  ],
} as const;
const cancelTypes = {
  Cancel: [
    { name: 'owner', type: 'address' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const;

const INPUT = 'Input(address token,uint256 amount)';
const OUTPUT =
  'MandateOutput(bytes32 oracle,bytes32 settler,uint256 chainId,bytes32 token,uint256 amount,' +
  'bytes32 recipient,bytes callbackData,bytes context)';
const ORIGIN = 'Origin(uint256 chainId,address settler,address oracle,Input[] inputs)';
const ORDER =
  'PortfolioOrder(address owner,uint256 nonce,uint32 openDeadline,uint32 fillDeadline,uint32 expiry,' +
  'address auctioneer,bytes32 targets,Origin[] origins,MandateOutput[] outputs)';
const typeHash = (text: string) => keccak256(toHex(text)).slice(2);
const TYPE_HASH = {
  input: typeHash(INPUT),
  output: typeHash(OUTPUT),
  origin: typeHash(ORIGIN + INPUT),
  // Referenced types in alphabetical order.
  order: typeHash(ORDER + INPUT + OUTPUT + ORIGIN),
};
const EMPTY_HASH = keccak256('0x').slice(2);

const DIGEST_HEAD = `1901${hashDomain({ domain, types: { EIP712Domain: [...domainType] } }).slice(2)}`;

export const ZERO_HASH: Hex = `0x${'0'.repeat(64)}`;
/** The record an output cancelled after its deadline carries instead of a fill. */
export const TOMBSTONE_RECORD: Hex = `0x${'1'.padStart(64, '0')}`;
const TOMBSTONE_TAG = keccak256(toHex('trimtab.tombstone.v1'));

/**
 * orderId: EIP-712 struct hash, equal on every chain. Throws on a value its type cannot hold. Written out:
 * every admission and fill needs it, and a library's walk over the types takes several times as long.
 */
export function hashOrder(order: PortfolioOrder): Hex {
  return `0x${hashWords(
    TYPE_HASH.order +
      addressWord(order.owner) +
      uintWord(order.nonce, 256) +
      uintWord(order.openDeadline, 32) +
      uintWord(order.fillDeadline, 32) +
      uintWord(order.expiry, 32) +
      addressWord(order.auctioneer) +
      bytes32Word(order.targets) +
      hashWords(order.origins.map(originHash).join('')) +
      hashWords(order.outputs.map(mandateHash).join('')),
  )}`;
}

/** What the owner signs. */
export const orderDigest = (order: PortfolioOrder): Hex => orderDigestOf(hashOrder(order));

/** The same of an order whose hash is known. */
export const orderDigestOf = (orderId: Hex): Hex =>
  `0x${keccakHex(DIGEST_HEAD + bytes32Word(orderId))}`;

export function hashOrigin(origin: Origin): Hex {
  const { Input, Origin } = portfolioOrderTypes;
  return hashStruct({ primaryType: 'Origin', types: { Input, Origin }, data: origin });
}

/** EIP-712 hash of the outputs array: keccak256 of the concatenated struct hashes. */
export function hashOutputs(outputs: readonly MandateOutput[]): Hex {
  const types = { MandateOutput: portfolioOrderTypes.MandateOutput };
  const hash = (data: MandateOutput) => hashStruct({ primaryType: 'MandateOutput', types, data });
  return keccak256(concat(outputs.map(hash)));
}

/** awardId: what a destination calls orderId. */
export function hashAward(award: Award): Hex {
  return hashStruct({ primaryType: 'Award', types: awardTypes, data: award });
}

/** What the auctioneer signs. */
export function awardDigest(award: Award): Hex {
  return hashTypedData({ domain, types: awardTypes, primaryType: 'Award', message: award });
}

/** The award of an order without an auctioneer: everything free is forced to zero. */
export function openAward(order: PortfolioOrder): Award {
  const { fillDeadline } = order;
  const orderId = hashOrder(order);
  return { orderId, filler: zeroAddress, fillDeadline, openBy: 0, amountsHash: ZERO_HASH };
}

/** What the filler signs to give an award back: refunds at once. */
export function declineDigest(awardId: Hex): Hex {
  const message = { awardId };
  return hashTypedData({ domain, types: declineTypes, primaryType: 'Decline', message });
}

/** What the owner signs to release to the filler without proofs. */
export function acceptDigest(awardId: Hex, to: Address): Hex {
  const message = { awardId, to };
  return hashTypedData({ domain, types: acceptTypes, primaryType: 'Accept', message });
}

/** What the owner signs to void a nonce that is not open yet. */
export function cancelDigest(owner: Address, nonce: bigint): Hex {
  const message = { owner, nonce };
  return hashTypedData({ domain, types: cancelTypes, primaryType: 'Cancel', message });
}

/** The JSON a wallet signs for it. */
export const cancelPayload = (owner: Address, nonce: bigint) => ({
  domain,
  types: { EIP712Domain: domainType, ...cancelTypes },
  primaryType: 'Cancel' as const,
  message: { owner, nonce: nonce.toString() },
});

/** keccak256 of one uint256 per output, in the order's output order. */
export function amountsHash(amounts: readonly bigint[]): Hex {
  return keccak256(concat(amounts.map((amount) => numberToHex(amount, { size: 32 }))));
}

/** The signed output with the awarded amount: what is filled, hashed and proven. */
export function awardedOutput(output: MandateOutput, amount: bigint): MandateOutput {
  return { ...output, amount };
}

/** OIF's packed output hash, the key of a fill record together with awardId. */
export function outputHash(output: MandateOutput): Hex {
  return keccak256(
    concat([
      output.oracle,
      output.settler,
      numberToHex(output.chainId, { size: 32 }),
      commonPayload(output),
    ]),
  );
}

/** OIF's fill record: keccak256(solver ‖ uint32 timestamp). */
export function fillRecord(solver: Hex, timestamp: number): Hex {
  return keccak256(encodePacked(['bytes32', 'uint32'], [solver, timestamp]));
}

/** OIF's FillDescription of an awarded output: 168 bytes and more. */
export function encodeFillDescription(awardId: Hex, output: MandateOutput, fill: Fill): Hex {
  return concat([
    fill.solver,
    awardId,
    numberToHex(fill.timestamp, { size: 4 }),
    commonPayload(output),
  ]);
}

/** 96 bytes: proof that an awarded output was not filled in time and never will be. */
export function tombstonePayload(awardId: Hex, output: MandateOutput): Hex {
  return concat([TOMBSTONE_TAG, awardId, outputHash(output)]);
}

/** The hash under which an oracle attests a payload. */
export const payloadHash = (payload: Hex): Hex => keccak256(payload);

/** The JSON a wallet signs with eth_signTypedData_v4; every uint256 is a decimal string. */
export function typedDataPayload(order: PortfolioOrder) {
  return {
    domain,
    types: { EIP712Domain: domainType, ...portfolioOrderTypes },
    primaryType: 'PortfolioOrder' as const,
    message: orderMessage(order),
  };
}

/** A plain JSON value of the order: uint256 as decimal strings, uint32 times as numbers. */
export function orderMessage(order: PortfolioOrder) {
  const input = ({ token, amount }: OrderInput) => ({ token, amount: amount.toString() });
  return {
    owner: order.owner,
    nonce: order.nonce.toString(),
    openDeadline: order.openDeadline,
    fillDeadline: order.fillDeadline,
    expiry: order.expiry,
    auctioneer: order.auctioneer,
    targets: order.targets,
    origins: order.origins.map(({ chainId, settler, oracle, inputs }) => ({
      chainId: chainId.toString(),
      settler,
      oracle,
      inputs: inputs.map(input),
    })),
    outputs: order.outputs.map((output) => ({
      oracle: output.oracle,
      settler: output.settler,
      chainId: output.chainId.toString(),
      token: output.token,
      amount: output.amount.toString(),
      recipient: output.recipient,
      callbackData: output.callbackData,
      context: output.context,
    })),
  };
}

/** The tail OIF shares between the output hash and the fill description. */
function commonPayload(output: MandateOutput): Hex {
  return concat([
    output.token,
    numberToHex(output.amount, { size: 32 }),
    output.recipient,
    numberToHex(size(output.callbackData), { size: 2 }),
    output.callbackData,
    numberToHex(size(output.context), { size: 2 }),
    output.context,
  ]);
}

const originHash = ({ chainId, settler, oracle, inputs }: Origin): string =>
  hashWords(
    TYPE_HASH.origin +
      uintWord(chainId, 256) +
      addressWord(settler) +
      addressWord(oracle) +
      hashWords(inputs.map(inputHash).join('')),
  );

const inputHash = ({ token, amount }: OrderInput): string =>
  hashWords(TYPE_HASH.input + addressWord(token) + uintWord(amount, 256));

const mandateHash = (output: MandateOutput): string =>
  hashWords(
    TYPE_HASH.output +
      bytes32Word(output.oracle) +
      bytes32Word(output.settler) +
      uintWord(output.chainId, 256) +
      bytes32Word(output.token) +
      uintWord(output.amount, 256) +
      bytes32Word(output.recipient) +
      bytesWord(output.callbackData) +
      bytesWord(output.context),
  );

const hashWords = (hex: string): string => (hex === '' ? EMPTY_HASH : keccakHex(hex));

const bytesWord = (value: string): string =>
  value === '0x' ? EMPTY_HASH : hashWords(fixed(value, /^0x(?:[0-9a-fA-F]{2})*$/, 'bytes'));
