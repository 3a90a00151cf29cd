// Exact decimals of the problem format: prices, weights, costs and caps. A decimal is a bigint
// scaled by 10^36 (`Fixed36`), so that every number the format admits is represented exactly and
// the checker never meets a float. Refuses signs where none is allowed, exponents, leading zeros,
// more than 30 integer digits and more than 36 decimals.

import type { Brand } from '../types/brand.ts';
import { InvalidInput } from '../types/errors.ts';

/** A decimal scaled by 10^36; may be negative only where its owner says so. */
export type Fixed36 = Brand<bigint, 'Fixed36'>;

export const FIXED36_DECIMALS = 36;
export const ONE36 = (10n ** 36n) as Fixed36;

/** 10^0 … 10^36: asked for with every price of every quote. */
const POWERS = Array.from({ length: FIXED36_DECIMALS + 1 }, (_, k) => 10n ** BigInt(k));

const DECIMAL = /^(-?)(0|[1-9][0-9]{0,29})(?:\.([0-9]{1,36}))?$/;

export const fixed36 = (value: bigint): Fixed36 => value as Fixed36;

/** "12.5" → 12.5 × 10^36. Throws InvalidInput without a pointer; readers add theirs. */
export function parseFixed36(text: string, options: { signed?: boolean } = {}): Fixed36 {
  if (text === '0') return fixed36(0n); // most costs are
  const match = DECIMAL.exec(text);
  if (match === null || (match[1] === '-' && options.signed !== true)) {
    throw new InvalidInput(
      `not a decimal${options.signed ? '' : ' without sign'} of at most 30 integer digits and ` +
        `36 decimals, such as "12.5": ${JSON.stringify(text.slice(0, 90))}`,
    );
  }
  const [, sign = '', whole = '0', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(FIXED36_DECIMALS, '0'));
  return fixed36(sign === '-' ? -magnitude : magnitude);
}

const DIGIT_ZERO = 0x30;

/** The shortest decimal equal to `value` / 10^scale: no exponent, no trailing zeros. */
export function formatDecimal(value: bigint, scale: number): string {
  const sign = value < 0n ? '-' : '';
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === DIGIT_ZERO) end--;
  const whole = sign + digits.slice(0, point);
  return end === point ? whole : `${whole}.${digits.slice(point, end)}`;
}

export const formatFixed36 = (value: Fixed36): string => formatDecimal(value, FIXED36_DECIMALS);

/** ⌊a / b⌋ towards −∞ for any a and positive b. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}

/** ⌈a / b⌉ towards +∞ for any a and positive b. */
export function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b);
}

/** Dollars per base unit × 10^72, exact: the price per whole token (Fixed36) over 10^decimals. */
export function unitPrice72(price: Fixed36, decimals: number): bigint {
  return (
    price * (POWERS[FIXED36_DECIMALS - decimals] ?? 10n ** BigInt(FIXED36_DECIMALS - decimals))
  );
}

/** The larger of two bigints: Math.max does not take them. */
export function largerOf(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** The smaller of two bigints. */
export function smallerOf(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/**
 * ⌊√n⌋ for n ≥ 0, by Newton's method from above. It starts from the root of n's leading bits, one above
 * what a double says of it, so that few steps remain; no step goes below ⌊√n⌋, so a square tells the last.
 */
export function isqrt(n: bigint): bigint {
  if (n < 2n) return n;
  const size = Number(n);
  let x: bigint;
  if (size < Number.MAX_VALUE) x = BigInt(Math.ceil(Math.sqrt(size) * (1 + 2 ** -50))) + 1n;
  else {
    // An even number of bits off leaves at most 1,000: (r + 1)²·2^shift > n for r = ⌊√(n >> shift)⌋.
    const shift = BigInt((n.toString(16).length * 4 - 992) & ~1);
    x = (isqrt(n >> shift) + 1n) << (shift >> 1n);
  }
  do x = (x + n / x) >> 1n;
  while (x * x > n);
  return x;
}
