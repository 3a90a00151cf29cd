// Powers of rational numbers above one, in binary fixed point with a proved error: what the support
// of a weighted pool needs and integers have no closed form for. r^(p/q) = exp(p/q · ln r).
//
// Error, in units of 2^−192 (the fixed point's last place): a table logarithm is off by at most 200
// (a series of 64 terms of two roundings, doubled), so n·ln 2 by 200·n; a logarithm's own series by 64;
// with n ≤ 2^12 both stay below 2^20. Times p/q ≤ 2^7 that is 2^27, plus 2^20 for the exponential's
// n·ln 2, and 2^14 for its series after eight squarings. Together below 2^28, a relative error
// below 2^−164; 2^−160 is what is allowed for.

import { assert, present } from '../types/assert.ts';

/** Fixed point of every power below. */
export const POWER_ONE = 1n << 192n;
const BITS = 192n;
const ERROR_BITS = 160n;
/** p/q is at most this: weights of a pool are 1 % at least, so their ratio is at most 99. */
const EXPONENT_MAX = 128n;
const BINARY_EXPONENT_MAX = 4096;
/** The argument of a logarithm is brought to within 2^−7 of one of so many centres. */
const CENTRES_BITS = 6n;

/** A lower bound of (numerator/denominator)^(p/q) × 2^192 for numerator ≥ denominator > 0. */
export function powerDown(numerator: bigint, denominator: bigint, p: bigint, q: bigint): bigint {
  const near = power(numerator, denominator, p, q);
  return near - (near >> ERROR_BITS) - 1n;
}

/** An upper bound of the same. */
export function powerUp(numerator: bigint, denominator: bigint, p: bigint, q: bigint): bigint {
  const near = power(numerator, denominator, p, q);
  return near + (near >> ERROR_BITS) + 1n;
}

function power(numerator: bigint, denominator: bigint, p: bigint, q: bigint): bigint {
  assert(denominator > 0n && numerator >= denominator, 'a power of a number of at least one');
  assert(p > 0n && q > 0n && p <= EXPONENT_MAX * q, `exponent ${p}/${q}`);
  return exponential((logarithm(numerator, denominator) * p) / q);
}

/** ln(numerator/denominator) × 2^192, numerator ≥ denominator. */
function logarithm(numerator: bigint, denominator: bigint): bigint {
  let exponent = bitLength(numerator) - bitLength(denominator);
  assert(exponent < BINARY_EXPONENT_MAX, 'a ratio of prices within range');
  if (exponent > 0 && numerator < denominator << BigInt(exponent)) exponent--;
  // 1 ≤ mantissa < 2.
  const mantissa = (numerator << BITS) / (denominator << BigInt(exponent));
  const centre = Number(mantissa >> (BITS - CENTRES_BITS)) - (1 << Number(CENTRES_BITS));
  const middle = (BigInt(2 * centre + 1) << (BITS - CENTRES_BITS - 1n)) + POWER_ONE;
  const rest = twiceArtanh(mantissa - middle, mantissa + middle);
  return BigInt(exponent) * LN_2 + present(LN_CENTRES[centre], 'logarithm of a centre') + rest;
}

/** exp(x) × 2^192 of x × 2^192 ≥ 0. */
function exponential(x: bigint): bigint {
  const exponent = x / LN_2;
  // e^rest = (e^(rest/256))^256; rest/256 < 2^−8, where 24 terms of the series reach 2^−270.
  const small = (x - exponent * LN_2) >> 8n;
  let term = POWER_ONE;
  let sum = POWER_ONE;
  for (let n = 1n; n <= 24n && term > 0n; n++) {
    term = ((term * small) >> BITS) / n;
    sum += term;
  }
  for (let squaring = 0; squaring < 8; squaring++) sum = (sum * sum) >> BITS;
  return sum << exponent;
}

/** ln((1 + z)/(1 − z)) = 2·(z + z³/3 + z⁵/5 + …) × 2^192 for z = numerator/denominator, |z| ≤ 1/3. */
function twiceArtanh(numerator: bigint, denominator: bigint): bigint {
  const z = (numerator << BITS) / denominator;
  const square = (z * z) >> BITS;
  let odd = z;
  let sum = z;
  // 1/3^(2·64) < 2^−202: 64 terms at the largest z, a dozen at a centre's.
  for (let n = 3n; n <= 129n && odd !== 0n && odd !== -1n; n += 2n) {
    odd = (odd * square) >> BITS;
    sum += odd / n;
  }
  return 2n * sum;
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0] ?? '0', 16)) + 28;
}

const LN_2 = twiceArtanh(1n, 3n);
/** ln of the middles (2k + 129)/128 of the 64 parts of [1, 2). */
const LN_CENTRES = Array.from({ length: 64 }, (_, k) =>
  twiceArtanh(BigInt(2 * k + 1), BigInt(2 * k + 257)),
);
