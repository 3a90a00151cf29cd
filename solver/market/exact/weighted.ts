// A Balancer v2 weighted pool in exact integers: WeightedMath with its fixed-point powers and its
// limits (no trade moves more than 30 % of the balance it enters or leaves). Pools of September 2022
// and later; older ones take powers 1, 2 and 4 through logarithms too and pay a few units less.
// Method: Martinelli & Mushegian, "A non-custodial portfolio manager, liquidity provider, and
// price sensor" (Balancer, 2019): Π balance^weight is kept.

import { present } from '../../types/assert.ts';
import type { ParsedWeighted } from '../parsedProblem.ts';
import { complement, divDown, divUp, mulDown, mulUp, ONE, powUp, revert } from './fixedPoint.ts';
import type { TradeRefusal } from './refusals.ts';
import { swapGivenIn, swapGivenOut, type VaultPool } from './vaultPool.ts';

const MAX_RATIO = (3n * ONE) / 10n;

/** What the exact math reads of a pool. */
export type WeightedState = VaultPool & Pick<ParsedWeighted, 'weights'>;

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
    const power = powUp(divUp(balanceIn, balanceIn + amount), divDown(weightIn, weightOut));
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
    const power = powUp(divUp(balanceOut, balanceOut - amount), divUp(weightOut, weightIn));
    return mulUp(balanceIn, power - ONE);
  });
}

function weightsOf(
  { weights }: WeightedState,
  indexIn: number,
  indexOut: number,
): readonly [bigint, bigint] {
  return [present(weights[indexIn], 'weight'), present(weights[indexOut], 'weight')];
}
