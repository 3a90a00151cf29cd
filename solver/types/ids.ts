// Identifiers. Refuses anything malformed at construction, so that no other room re-checks them.

import type { Brand } from './brand.ts';
import { InvalidInput } from './errors.ts';

export type Hex = `0x${string}`;

/** EIP-155 chain id. Never a LayerZero endpoint id. */
export type ChainId = Brand<number, 'ChainId'>;
/** LayerZero V2 endpoint id. Never a chain id. */
export type Eid = Brand<number, 'Eid'>;
/** 20-byte account, lower case: equality is string equality. */
export type EvmAddress = Brand<Hex, 'EvmAddress'>;
/** An address left-padded to 32 bytes, lower case, as OIF and LayerZero carry it. */
export type Bytes32Address = Brand<Hex, 'Bytes32Address'>;
/** A 32-byte hash, lower case. */
export type Hash32 = Brand<Hex, 'Hash32'>;
/** EIP-712 struct hash of a PortfolioOrder; equal on every chain. */
export type OrderId = Brand<Hex, 'OrderId'>;
/** EIP-712 struct hash of a signed Policy: owner, document hash, nonce, expiry. */
export type PolicyId = Brand<Hex, 'PolicyId'>;
/** EIP-712 struct hash of an Award: what OIF calls orderId at the destination. */
export type AwardId = Brand<Hex, 'AwardId'>;

const hexOf = (bytes: number) => new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`);
const HEX20 = hexOf(20);
const HEX32 = hexOf(32);

export function chainId(value: number): ChainId {
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new InvalidInput(`chain id must be a positive integer, got ${value}`);
  }
  return value as ChainId;
}

export function eid(value: number): Eid {
  if (!Number.isInteger(value) || value <= 0 || value > 0xffffffff) {
    throw new InvalidInput(`endpoint id must be a positive uint32, got ${value}`);
  }
  return value as Eid;
}

export function evmAddress(value: string): EvmAddress {
  if (!HEX20.test(value)) throw new InvalidInput(`not a 20-byte hex address: ${clip(value)}`);
  return value.toLowerCase() as EvmAddress;
}

export const hash32 = (value: string): Hash32 => hex32(value) as Hash32;
export const orderId = (value: string): OrderId => hex32(value) as OrderId;
export const policyId = (value: string): PolicyId => hex32(value) as PolicyId;
export const awardId = (value: string): AwardId => hex32(value) as AwardId;

/** Left-pads to 32 bytes. */
export function toBytes32Address(address: EvmAddress): Bytes32Address {
  return `0x${address.slice(2).padStart(64, '0')}` as Bytes32Address;
}

/** The inverse of toBytes32Address; refuses a value whose upper 12 bytes are not zero. */
export function fromBytes32Address(value: string): EvmAddress {
  const hex = hex32(value);
  if (!/^0x0{24}/.test(hex)) {
    throw new InvalidInput(`upper 12 bytes of an EVM address must be zero: ${value}`);
  }
  return evmAddress(`0x${hex.slice(26)}`);
}

function hex32(value: string): Hex {
  if (!HEX32.test(value)) throw new InvalidInput(`not a 32-byte hex value: ${clip(value)}`);
  return value.toLowerCase() as Hex;
}

const clip = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
