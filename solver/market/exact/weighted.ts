// A Balancer v2 weighted pool in exact integers: WeightedMath with its fixed-point powers and its
// limits: no trade moves more than 30 % of the balance it enters or leaves. The contracts of 2021
// take every power through logarithms, whose error they add against the trader; since September
// 2022 powers 1, 2 and 4 (weights 50/50, 80/20 one way, …) are products.
// Method: Martinelli & Mushegian, "A non-custodial portfolio manager, liquidity provider, and
// price sensor" (Balancer, 2019): Π balance^weight is kept.

import { present } from '../../types/assert.ts';
import type { ParsedWeighted } from '../parsedProblem.ts';
import {
  complement,
  divDown,
  divUp,
  mulDown,
  mulUp,
  ONE,
  powUp,
  powUpByLogarithm,
  revert,
} from './fixedPoint.ts';
import type { TradeRefusal } from './refusals.ts';
import { swapGivenIn, swapGivenOut, type VaultPool } from './vaultPool.ts';

const MAX_RATIO = (3n * ONE) / 10n;

/** What the exact math reads of a pool. */
export type WeightedState = VaultPool & Pick<ParsedWeighted, 'weights' | 'mathVersion'>;

/** Output for exactly `amountIn`: b_out · (1 − (b_in / (b_in + in))^(w_in/w_out)), rounded down. */
export function weightedOut(
  pool: WeightedState,
  indexIn: number,
  indexOut: number,
  amountIn: bigint,
): bigint | TradeRefusal {
  const [weightIn, weightOut] = weightsOf(pool, indexIn, indexOut);
  return swapGivenIn(pool, indexIn, indexOut, amountIn, (balances, amount) => {
    const balanceIn = present(balances[indexIn], 'balance');
    const balanceOut = present(balances[indexOut], 'balance');
    if (amount > mulDown(balanceIn, MAX_RATIO)) {
      revert('overCapacity', 'a weighted pool takes in at most 30 % of its balance at once');
    }
    const base = divUp(balanceIn, balanceIn + amount);
    const power = powerOf(pool, base, divDown(weightIn, weightOut));
    return mulDown(balanceOut, complement(power));
  });
}

/** Input charged for exactly `amountOut`: b_in · ((b_out / (b_out − out))^(w_out/w_in) − 1), up. */
export function weightedIn(
  pool: WeightedState,
  indexIn: number,
  indexOut: number,
  amountOut: bigint,
): bigint | TradeRefusal {
  const [weightIn, weightOut] = weightsOf(pool, indexIn, indexOut);
  return swapGivenOut(pool, indexIn, indexOut, amountOut, (balances, amount) => {
    const balanceIn = present(balances[indexIn], 'balance');
    const balanceOut = present(balances[indexOut], 'balance');
    if (amount > mulDown(balanceOut, MAX_RATIO)) {
      revert('overCapacity', 'a weighted pool pays out at most 30 % of its balance at once');
    }
    const base = divUp(balanceOut, balanceOut - amount);
    const power = powerOf(pool, base, divUp(weightOut, weightIn));
    return mulUp(balanceIn, power - ONE);
  });
}

const powerOf = ({ mathVersion }: WeightedState, base: bigint, exponent: bigint): bigint =>
  mathVersion === 1 ? powUpByLogarithm(base, exponent) : powUp(base, exponent);

function weightsOf(
  { weights }: WeightedState,
  indexIn: number,
  indexOut: number,
): readonly [bigint, bigint] {
  return [present(weights[indexIn], 'weight'), present(weights[indexOut], 'weight')];
}
