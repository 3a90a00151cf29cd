// Amounts and the only arithmetic allowed on them. A token amount is a bigint in base units of its
// token; multiplication and division go through mulDivDown / mulDivUp so that every rounding has a
// direction in its name. Amounts out round down, amounts in round up.

import { Defect } from './assert.ts';
import type { Brand } from './brand.ts';
import { InvalidInput } from './errors.ts';

/** Base units of one token; 0 ≤ amount < 2^256. */
export type TokenAmount = Brand<bigint, 'TokenAmount'>;
/** Seconds since 1970-01-01 UTC. */
export type UnixSeconds = Brand<number, 'UnixSeconds'>;

export const MAX_UINT256 = 2n ** 256n - 1n;

export function tokenAmount(value: bigint): TokenAmount {
  if (value < 0n || value > MAX_UINT256) {
    throw new InvalidInput(`token amount out of range 0 … 2^256 − 1: ${value}`);
  }
  return value as TokenAmount;
}

/** A decimal string of base units, no sign, no leading zeros, at most 78 digits. */
export function parseTokenAmount(text: string): TokenAmount {
  if (!/^(0|[1-9][0-9]{0,77})$/.test(text)) {
    throw new InvalidInput(`not a decimal integer of base units: ${text.slice(0, 90)}`);
  }
  return tokenAmount(BigInt(text));
}

export function unixSeconds(value: number): UnixSeconds {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new InvalidInput(`time must be a uint32 of Unix seconds, got ${value}`);
  }
  return value as UnixSeconds;
}

/** ⌊a·b / d⌋ for non-negative a, b and positive d. */
export function mulDivDown(a: bigint, b: bigint, d: bigint): bigint {
  if (a < 0n || b < 0n || d <= 0n) outOfDomain(a, b, d);
  return (a * b) / d;
}

/** ⌈a·b / d⌉ for non-negative a, b and positive d. */
export function mulDivUp(a: bigint, b: bigint, d: bigint): bigint {
  if (a < 0n || b < 0n || d <= 0n) outOfDomain(a, b, d);
  const product = a * b;
  return product === 0n ? 0n : (product - 1n) / d + 1n;
}

/** Spelled out only when it is needed: amounts of 300 digits take longer to print than to multiply. */
function outOfDomain(a: bigint, b: bigint, d: bigint): never {
  throw new Defect(`mulDiv(${a}, ${b}, ${d}): factors are ≥ 0, the divisor > 0`);
}
