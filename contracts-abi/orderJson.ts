// Orders and awards as JSON: the exact form of PostgreSQL rows and HTTP bodies, and the canonical
// form every party checks before signing, admitting or filling. Parsing is strict (no unknown
// fields, no coercion, bounded lengths before BigInt); it verifies no signature and no address list.

import type { Address, Hex } from 'viem';
import { zeroAddress } from 'viem';
import {
  type Award,
  type MandateOutput,
  type Origin,
  orderMessage,
  type PortfolioOrder,
} from './typedData.ts';

export const MAX_ORIGINS = 16;
export const MAX_INPUTS = 16;
export const MAX_OUTPUTS = 32;
/** OIF writes both lengths as uint16; we stay far below, as every byte is hashed on chain. */
export const MAX_BYTES = 4096;
const UINT256_MAX = 2n ** 256n - 1n;
const UINT32_MAX = 0xffffffff;

export interface CanonicalFault {
  /** RFC 6901 pointer into the order. */
  readonly pointer: string;
  readonly message: string;
}

/** Thrown by the parsers: what is wrong with the JSON, and where. */
export class OrderJsonError extends Error {
  override readonly name = 'OrderJsonError';
  readonly pointer: string;
  constructor(pointer: string, message: string) {
    super(message);
    this.pointer = pointer;
  }
}

export type OrderJson = ReturnType<typeof orderMessage>;
export interface AwardJson {
  readonly orderId: Hex;
  readonly filler: Address;
  readonly fillDeadline: number;
  readonly openBy: number;
  readonly amountsHash: Hex;
}

export const orderToJson = (order: PortfolioOrder): OrderJson => orderMessage(order);
export const awardToJson = (award: Award): AwardJson => ({ ...award });

/** The inverse of orderToJson; hex comes out lower case. Throws OrderJsonError. */
export function orderFromJson(value: unknown): PortfolioOrder {
  const at = record(value, '', [
    ...['owner', 'nonce', 'openDeadline', 'fillDeadline', 'expiry', 'auctioneer', 'targets'],
    ...['origins', 'outputs'],
  ]);
  return {
    owner: address(at('owner'), '/owner'),
    nonce: uint256(at('nonce'), '/nonce'),
    openDeadline: uint32(at('openDeadline'), '/openDeadline'),
    fillDeadline: uint32(at('fillDeadline'), '/fillDeadline'),
    expiry: uint32(at('expiry'), '/expiry'),
    auctioneer: address(at('auctioneer'), '/auctioneer'),
    targets: bytes32(at('targets'), '/targets'),
    origins: list(at('origins'), '/origins', MAX_ORIGINS, originFromJson),
    outputs: list(at('outputs'), '/outputs', MAX_OUTPUTS, outputFromJson),
  };
}

/** The inverse of awardToJson. Throws OrderJsonError. */
export function awardFromJson(value: unknown): Award {
  const at = record(value, '', ['orderId', 'filler', 'fillDeadline', 'openBy', 'amountsHash']);
  return {
    orderId: bytes32(at('orderId'), '/orderId'),
    filler: address(at('filler'), '/filler'),
    fillDeadline: uint32(at('fillDeadline'), '/fillDeadline'),
    openBy: uint32(at('openBy'), '/openBy'),
    amountsHash: bytes32(at('amountsHash'), '/amountsHash'),
  };
}

/**
 * The first way in which the order is not in PROTOCOL.md's canonical form, or null. The contracts
 * hold the part of it that protects money; the rest is refused here because no filler serves it.
 */
export function canonicalFault(order: PortfolioOrder): CanonicalFault | null {
  return timesFault(order) ?? originsFault(order) ?? outputsFault(order);
}

function timesFault(order: PortfolioOrder): CanonicalFault | null {
  if (isZero(order.owner)) return fault('/owner', 'owner must not be the zero address');
  if (order.openDeadline >= order.fillDeadline) {
    return fault('/fillDeadline', 'fillDeadline must be later than openDeadline');
  }
  if (order.fillDeadline >= order.expiry) {
    return fault('/expiry', 'expiry must be later than fillDeadline');
  }
  return null;
}

function originsFault({ origins }: PortfolioOrder): CanonicalFault | null {
  if (origins.length === 0) return fault('/origins', 'an order needs at least one origin');
  if (origins.length > MAX_ORIGINS) return fault('/origins', `at most ${MAX_ORIGINS} origins`);
  let lastChain = 0n;
  for (const [i, origin] of origins.entries()) {
    const at = `/origins/${i}`;
    if (origin.chainId <= lastChain) {
      return fault(`${at}/chainId`, 'origins must be strictly ascending by chainId');
    }
    lastChain = origin.chainId;
    if (isZero(origin.settler)) return fault(`${at}/settler`, 'settler must not be zero');
    if (origin.inputs.length === 0) return fault(`${at}/inputs`, 'an origin needs an input');
    if (origin.inputs.length > MAX_INPUTS) return fault(`${at}/inputs`, `at most ${MAX_INPUTS}`);
    let lastToken = 0n;
    for (const [j, input] of origin.inputs.entries()) {
      if (BigInt(input.token) <= lastToken) {
        return fault(`${at}/inputs/${j}/token`, 'inputs must be strictly ascending by token');
      }
      lastToken = BigInt(input.token);
      if (input.amount <= 0n) return fault(`${at}/inputs/${j}/amount`, 'amount must be positive');
    }
  }
  return null;
}

function outputsFault({ outputs, auctioneer }: PortfolioOrder): CanonicalFault | null {
  if (outputs.length === 0) return fault('/outputs', 'an order needs at least one output');
  if (outputs.length > MAX_OUTPUTS) return fault('/outputs', `at most ${MAX_OUTPUTS} outputs`);
  const auctioned = !isZero(auctioneer);
  if (!auctioned && outputs.length !== 1) {
    return fault('/outputs', 'without an auctioneer an order has exactly one output');
  }
  for (const [i, output] of outputs.entries()) {
    const at = `/outputs/${i}`;
    const previous = outputs[i - 1];
    if (previous !== undefined && compareOutputs(previous, output) >= 0) {
      return fault(at, 'outputs must be strictly ascending by (chainId, token, recipient)');
    }
    if (output.chainId <= 0n) return fault(`${at}/chainId`, 'chainId must be positive');
    if (output.amount <= 0n) return fault(`${at}/amount`, 'amount must be positive');
    for (const field of ['token', 'recipient', 'settler', 'oracle'] as const) {
      if (!/^0x0{24}/.test(output[field])) {
        return fault(`${at}/${field}`, 'the upper 12 bytes of an EVM address must be zero');
      }
    }
    if (BigInt(output.recipient) === 0n) return fault(`${at}/recipient`, 'must not be zero');
    if (BigInt(output.settler) === 0n) return fault(`${at}/settler`, 'must not be zero');
    if (auctioned && output.context !== '0x') {
      return fault(`${at}/context`, 'an awarded order has empty contexts');
    }
  }
  return null;
}

/** Negative, zero or positive as a stands before, with or after b in the canonical order. */
export function compareOutputs(a: MandateOutput, b: MandateOutput): number {
  const keys = [
    [a.chainId, b.chainId],
    [BigInt(a.token), BigInt(b.token)],
    [BigInt(a.recipient), BigInt(b.recipient)],
  ] as const;
  for (const [left, right] of keys) if (left !== right) return left < right ? -1 : 1;
  return 0;
}

function originFromJson(value: unknown, pointer: string): Origin {
  const at = record(value, pointer, ['chainId', 'settler', 'oracle', 'inputs']);
  return {
    chainId: uint256(at('chainId'), `${pointer}/chainId`),
    settler: address(at('settler'), `${pointer}/settler`),
    oracle: address(at('oracle'), `${pointer}/oracle`),
    inputs: list(at('inputs'), `${pointer}/inputs`, MAX_INPUTS, (item, where) => {
      const input = record(item, where, ['token', 'amount']);
      return {
        token: address(input('token'), `${where}/token`),
        amount: uint256(input('amount'), `${where}/amount`),
      };
    }),
  };
}

function outputFromJson(value: unknown, pointer: string): MandateOutput {
  const at = record(value, pointer, [
    ...['oracle', 'settler', 'chainId', 'token', 'amount', 'recipient', 'callbackData', 'context'],
  ]);
  return {
    oracle: bytes32(at('oracle'), `${pointer}/oracle`),
    settler: bytes32(at('settler'), `${pointer}/settler`),
    chainId: uint256(at('chainId'), `${pointer}/chainId`),
    token: bytes32(at('token'), `${pointer}/token`),
    amount: uint256(at('amount'), `${pointer}/amount`),
    recipient: bytes32(at('recipient'), `${pointer}/recipient`),
    callbackData: bytes(at('callbackData'), `${pointer}/callbackData`),
    context: bytes(at('context'), `${pointer}/context`),
  };
}

/** Checks that `value` has exactly `fields`, and returns their reader. */
function record(value: unknown, pointer: string, fields: readonly string[]) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OrderJsonError(pointer, 'must be an object');
  }
  for (const key of Object.keys(value)) {
    if (!fields.includes(key)) {
      throw new OrderJsonError(`${pointer}/${key.slice(0, 64)}`, 'unknown field');
    }
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  return (field: string): unknown => {
    if (!entries.has(field)) throw new OrderJsonError(`${pointer}/${field}`, 'missing');
    return entries.get(field);
  };
}

function list<T>(
  value: unknown,
  pointer: string,
  max: number,
  item: (value: unknown, pointer: string) => T,
): T[] {
  if (!Array.isArray(value)) throw new OrderJsonError(pointer, 'must be an array');
  if (value.length > max) throw new OrderJsonError(pointer, `at most ${max} items`);
  return value.map((entry: unknown, i) => item(entry, `${pointer}/${i}`));
}

function hex(value: unknown, pointer: string, pattern: RegExp, what: string): Hex {
  if (typeof value !== 'string' || value.length > 2 + 2 * MAX_BYTES || !pattern.test(value)) {
    throw new OrderJsonError(pointer, `must be ${what}`);
  }
  return value.toLowerCase() as Hex;
}
const address = (value: unknown, pointer: string): Address =>
  hex(value, pointer, /^0x[0-9a-fA-F]{40}$/, 'a 20-byte hex address');
const bytes32 = (value: unknown, pointer: string): Hex =>
  hex(value, pointer, /^0x[0-9a-fA-F]{64}$/, '32 bytes of hex');
const bytes = (value: unknown, pointer: string): Hex =>
  hex(value, pointer, /^0x([0-9a-fA-F]{2})*$/, `hex of at most ${MAX_BYTES} bytes`);

function uint256(value: unknown, pointer: string): bigint {
  if (typeof value !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(value)) {
    throw new OrderJsonError(pointer, 'must be a decimal string of an unsigned integer');
  }
  const number = BigInt(value);
  if (number > UINT256_MAX) throw new OrderJsonError(pointer, 'exceeds 2^256 − 1');
  return number;
}

function uint32(value: unknown, pointer: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > UINT32_MAX) {
    throw new OrderJsonError(pointer, 'must be an integer from 0 to 4294967295');
  }
  return value;
}

const isZero = (address: Address): boolean => address.toLowerCase() === zeroAddress;
const fault = (pointer: string, message: string): CanonicalFault => ({ pointer, message });
