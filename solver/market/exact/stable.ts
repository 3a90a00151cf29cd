// A Balancer v2 composable stable pool in exact integers: StableMath's two Newton iterations with the
// contract's roundings, for swaps between its tokens (its own share token is no node). The invariant
// rounds down at every step and so may lie a few units below the true one, in the trader's favour; the
// balance it implies rounds up, and one unit more stays in the pool.
// Method: Egorov, "StableSwap - efficient mechanism for Stablecoin liquidity" (Curve, 2019).

import { mulDivUp } from '../../types/amounts.ts';
import { assert, present } from '../../types/assert.ts';
import type { ParsedStable } from '../parsedProblem.ts';
import { divisor, revert, word } from './fixedPoint.ts';
import type { TradeRefusal } from './refusals.ts';
import { swapGivenIn, swapGivenOut, type VaultPool } from './vaultPool.ts';

const ITERATIONS_MAX = 255;

type Amplification = Pick<ParsedStable, 'amplification' | 'amplificationPrecision'>;
/** What the exact math reads of a pool. */
export type StableState = VaultPool & Amplification;

/** Output for exactly `amountIn`, rounded down. */
export function stableOut(
  pool: StableState,
  indexIn: number,
  indexOut: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  return swapGivenIn(pool, indexIn, indexOut, amountIn, (balances, amount) => {
    const after = changed(balances, indexIn, amount);
    const kept = balanceGivenInvariant(pool, after, stableInvariant(pool, balances), indexOut);
    const paid = present(balances[indexOut], 'balance') - kept - 1n;
    return paid < 0n ? revert('zeroOutput', 'too little to buy one unit of a stable pool') : paid;
  });
}

/** Input charged for exactly `amountOut`, rounded up. */
export function stableIn(
  pool: StableState,
  indexIn: number,
  indexOut: number,
  amountOut: bigint,
): bigint | TradeRefusal {
  return swapGivenOut(pool, indexIn, indexOut, amountOut, (balances, amount) => {
    const after = changed(balances, indexOut, -amount);
    const needed = balanceGivenInvariant(pool, after, stableInvariant(pool, balances), indexIn);
    return word(needed - present(balances[indexIn], 'balance')) + 1n;
  });
}

/**
 * D of upscaled balances: with Ann = amplification·n / precision, S = Σ b and D_P = D^(n+1)/(nⁿ Π b),
 *   D ← (Ann·S + n·D_P)·D / ((Ann − 1)·D + (n + 1)·D_P)
 * from D = S until it moves by one unit at most. Every division rounds down.
 */
export function stableInvariant(
  { amplification, amplificationPrecision: precision }: Amplification,
  balances: readonly bigint[],
): bigint {
  const n = BigInt(balances.length);
  const sum = word(balances.reduce((total, balance) => total + balance, 0n));
  const ann = amplification * n;
  let invariant = sum;
  for (let i = 0; i < ITERATIONS_MAX; i++) {
    let product = invariant;
    for (const balance of balances) {
      product = word(product * invariant) / divisor(word(balance * n));
    }
    const previous = invariant;
    const numerator = word(word(ann * sum) / precision + word(product * n));
    const denominator = word(
      word((ann - precision) * invariant) / precision + word((n + 1n) * product),
    );
    invariant = word(numerator * invariant) / divisor(denominator);
    if (within1(invariant, previous)) return invariant;
  }
  return revert('outOfLiquidity', "the pool's invariant does not converge: it is all but empty");
}

/**
 * The balance y of token `index` at which the others and D leave the invariant whole:
 *   y ← ⌈(y² + c) / (2y + b − D)⌉, b = S′ + D/Ann, c = D^(n+1)/(nⁿ Π′ b · Ann),
 * S′ and Π′ over the others, from y = ⌈(D² + c)/(D + b)⌉.
 */
function balanceGivenInvariant(
  { amplification, amplificationPrecision: precision }: Amplification,
  balances: readonly bigint[],
  invariant: bigint,
  index: number,
): bigint {
  const n = BigInt(balances.length);
  const ann = amplification * n;
  const own = present(balances[index], 'balance');
  const [first, ...others] = balances;
  let sum = present(first, 'balance');
  let product = sum * n;
  for (const balance of others) {
    product = word(word(product * balance) * n) / divisor(invariant);
    sum = word(sum + balance);
  }
  sum -= own;
  const square = word(invariant * invariant);
  const c = word(word(ceilDiv(square, word(ann * product)) * precision) * own);
  const b = word(sum + word((invariant / ann) * precision));
  let balance = ceilDiv(word(square + c), word(invariant + b));
  for (let i = 0; i < ITERATIONS_MAX; i++) {
    const previous = balance;
    const denominator = word(word(word(balance * 2n) + b) - invariant);
    balance = ceilDiv(word(word(balance * balance) + c), denominator);
    if (within1(balance, previous)) return balance;
  }
  return revert('outOfLiquidity', 'the balance after the trade does not converge');
}

const ceilDiv = (a: bigint, b: bigint): bigint => mulDivUp(a, 1n, divisor(b));

const within1 = (a: bigint, b: bigint): boolean => a - b <= 1n && b - a <= 1n;

function changed(balances: readonly bigint[], index: number, by: bigint): readonly bigint[] {
  assert(index >= 0 && index < balances.length, `token ${index}`);
  return balances.map((balance, i) => (i === index ? word(balance + by) : balance));
}
