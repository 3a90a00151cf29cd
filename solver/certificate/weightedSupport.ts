// The support function of a Balancer weighted pool for one ordered pair of its nodes, all other
// balances fixed. Selling i for o with upscaled balances B, κ = w_i/w_o and u = (B_i + a)/B_i, where
// a is what enters after the fee:
//
//   f = sup over u of P·(1 − u^−κ) − Q·(u − 1),   P = B_o worth at ν_o, Q = B_i worth at ν_i, over γ
//
// For u free, weighted means (α = w_i/(w_i + w_o), β = 1 − α) give the closed form
//
//   f = P + Q − (Q/α)·u*,   u* = (κP/Q)^β,   and f = 0 where κP ≤ Q;
//
// with u* beyond the largest u, f is what the largest pays, since the trade gains up to u*.
//
// Never below an exact trade: the contract takes its fee up and scales the rest down, so a is at most
// the real-valued one; base = ⌈B_i/(B_i + a)⌉, exponent = ⌊κ⌋ and powUp (the power plus its largest
// error) are each no less than the real power, and the output rounds down twice. No slack is needed.
// The limit of 30 % of B_i is the contract's own.

import { ceilDiv, smallerOf } from '../market/decimal.ts';
import type { ParsedWeighted } from '../market/parsedProblem.ts';
import { present } from '../types/assert.ts';
import { POWER_ONE, powerDown, powerUp } from './power.ts';

const ONE = 10n ** 18n;

/** One ordered pair of a pool: positions in its `nodes`, dual prices and the cap on the input. */
export interface PoolPair {
  readonly from: number;
  readonly to: number;
  /** Dollars × 10^72 per raw base unit. */
  readonly nuIn: bigint;
  readonly nuOut: bigint;
  /** Raw base units of the input; null: none. */
  readonly cap: bigint | null;
}

/** f for one pair, dollars × 10^72, ≥ 0, rounded up. `balances` are upscaled. */
export function weightedSupport(
  pool: ParsedWeighted,
  balances: readonly bigint[],
  pair: PoolPair,
): bigint {
  const [balanceIn, balanceOut] = [balances[pair.from] ?? 0n, balances[pair.to] ?? 0n];
  // The contract divides by both: it reverts on an empty side.
  if (balanceIn === 0n || balanceOut === 0n) return 0n;
  const weightIn = present(pool.weights[pair.from], 'weight');
  const weightOut = present(pool.weights[pair.to], 'weight');
  const { scale, unitIn, unitOut } = pairUnits(pool, pair);
  const worthOut = unitOut * balanceOut; // P × scale
  const worthIn = unitIn * balanceIn; // Q × scale
  if (weightIn * worthOut <= weightOut * worthIn) return 0n;
  const sum = weightIn + weightOut;
  const best = powerDown(weightIn * worthOut, weightOut * worthIn, weightOut, sum);
  const most = smallerOf((3n * balanceIn) / 10n, largestInput(pool, pair));
  if (best * balanceIn >= POWER_ONE * (balanceIn + most)) {
    const paid = POWER_ONE ** 2n / powerUp(balanceIn + most, balanceIn, weightIn, weightOut);
    // P·(1 − paid) − Q·most/B_i; `paid` and `best` were rounded down, so f is rounded up.
    const gain = worthOut * (POWER_ONE - paid) - unitIn * most * POWER_ONE;
    return gain > 0n ? ceilDiv(gain, scale * POWER_ONE) : 0n;
  }
  const spent = (worthIn * sum * best) / (weightIn * POWER_ONE);
  const gain = worthOut + worthIn - spent;
  return gain > 0n ? ceilDiv(gain, scale) : 0n;
}

/**
 * What an upscaled unit is worth, fee included on the way in, × scale: a raw unit buys
 * γ·scalingFactor upscaled ones on the way in and costs scalingFactor of them on the way out.
 */
export function pairUnits(
  { scalingFactors, swapFee }: Pick<ParsedWeighted, 'scalingFactors' | 'swapFee'>,
  { from, to, nuIn, nuOut }: PoolPair,
): { readonly scale: bigint; readonly unitIn: bigint; readonly unitOut: bigint } {
  const factorIn = present(scalingFactors[from], 'scaling factor');
  const factorOut = present(scalingFactors[to], 'scaling factor');
  const kept = ONE - swapFee;
  return {
    scale: factorIn * factorOut * kept,
    unitIn: nuIn * ONE * ONE * factorOut,
    unitOut: nuOut * ONE * factorIn * kept,
  };
}

const MAX_UINT112 = 2n ** 112n - 1n;

/** The most that can enter the curve, upscaled: under the cap, and in the vault's 112 bits. */
export function largestInput(
  pool: Pick<ParsedWeighted, 'balances' | 'scalingFactors' | 'swapFee'>,
  { from, cap }: PoolPair,
): bigint {
  const room = MAX_UINT112 - present(pool.balances[from], 'balance');
  const raw = cap === null ? room : smallerOf(cap, room);
  const factorIn = present(pool.scalingFactors[from], 'scaling factor');
  return ceilDiv(raw * (ONE - pool.swapFee) * factorIn, ONE * ONE);
}
