// x^y in 18-decimal fixed point, digit for digit as Balancer v2's LogExpMath computes it:
// exp(y · ln x), with logarithms of 20 decimals, or of 36 near x = 1. Both reduce their argument by
// powers of two in the exponent and close with a short series. Divisions truncate toward zero, in
// bigint as in Solidity.
//
// Owns the part of the domain that pools can reach: swaps are limited to 30 % of a balance and weights
// to 1:99, so 1/1.3 ≤ x ≤ 1/0.7 and |y · ln x| < 36. The contract's terms e^64 and e^128 lie beyond.

import { assert } from '../../types/assert.ts';

const ONE_18 = 10n ** 18n;
const ONE_20 = 10n ** 20n;
const ONE_36 = 10n ** 36n;
/** Strictly between these, logarithms carry 36 decimals. */
const LN_36_BELOW = 9n * 10n ** 17n;
const LN_36_ABOVE = 11n * 10n ** 17n;
const EXPONENT_LIMIT = 41n * ONE_18;

/** [2^k, e^(2^k)] for k = 5 … −4, 20 decimals, as the contract rounds them. */
const POWERS = [
  [3_200_000_000_000_000_000_000n, 7_896_296_018_268_069_516_100_000_000_000_000n],
  [1_600_000_000_000_000_000_000n, 888_611_052_050_787_263_676_000_000n],
  [800_000_000_000_000_000_000n, 298_095_798_704_172_827_474_000n],
  [400_000_000_000_000_000_000n, 5_459_815_003_314_423_907_810n],
  [200_000_000_000_000_000_000n, 738_905_609_893_065_022_723n],
  [100_000_000_000_000_000_000n, 271_828_182_845_904_523_536n],
  [50_000_000_000_000_000_000n, 164_872_127_070_012_814_685n],
  [25_000_000_000_000_000_000n, 128_402_541_668_774_148_407n],
  [12_500_000_000_000_000_000n, 113_314_845_306_682_631_683n],
  [6_250_000_000_000_000_000n, 106_449_445_891_785_942_956n],
] as const;
/** exp stops at 2^−2; its series covers the rest. */
const EXP_POWERS = POWERS.slice(0, 8);
const EXP_SERIES_LAST = 12n;

/** x^y, all × 10^18, within a relative error of 10^−14 either way. x > 0. */
export function pow(x: bigint, y: bigint): bigint {
  assert(x > 0n && y > 0n, `pow(${x}, ${y})`);
  const exponent =
    LN_36_BELOW < x && x < LN_36_ABOVE ? times36(lnNearOne(x), y) : (ln(x) * y) / ONE_18;
  assert(-EXPONENT_LIMIT <= exponent && exponent <= EXPONENT_LIMIT, `pow(${x}, ${y})`);
  return exp(exponent);
}

/** A logarithm of 36 decimals times y, in the contract's two halves; 18 decimals. */
function times36(logarithm: bigint, y: bigint): bigint {
  return ((logarithm / ONE_18) * y + ((logarithm % ONE_18) * y) / ONE_18) / ONE_18;
}

function exp(x: bigint): bigint {
  if (x < 0n) return (ONE_18 * ONE_18) / exp(-x);
  let rest = x * 100n;
  let product = ONE_20;
  for (const [power, value] of EXP_POWERS) {
    if (rest < power) continue;
    rest -= power;
    product = (product * value) / ONE_20;
  }
  let term = rest;
  let sum = ONE_20 + term;
  for (let n = 2n; n <= EXP_SERIES_LAST; n++) {
    term = (term * rest) / ONE_20 / n;
    sum += term;
  }
  return (product * sum) / ONE_20 / 100n;
}

function ln(x: bigint): bigint {
  if (x < ONE_18) return -ln((ONE_18 * ONE_18) / x);
  let rest = x * 100n;
  let sum = 0n;
  for (const [power, value] of POWERS) {
    if (rest < value) continue;
    rest = (rest * ONE_20) / value;
    sum += power;
  }
  return (sum + twiceArtanh(rest, ONE_20, 11n)) / 100n;
}

/** 36 decimals, for an x of 18 decimals near one. */
const lnNearOne = (x: bigint): bigint => twiceArtanh(x * ONE_18, ONE_36, 15n);

/** ln a = 2·(z + z³/3 + z⁵/5 + …), z = (a − 1)/(a + 1), up to z^last. */
function twiceArtanh(a: bigint, one: bigint, last: bigint): bigint {
  const z = ((a - one) * one) / (a + one);
  const square = (z * z) / one;
  let power = z;
  let sum = z;
  for (let n = 3n; n <= last; n += 2n) {
    power = (power * square) / one;
    sum += power / n;
  }
  return sum * 2n;
}
