// The 18-decimal fixed point of Balancer v2's contracts on 256-bit words: every product that would
// not fit reverts there, so it is refused here. Owns the roundings of FixedPoint.sol.
//
// A contract's revert ends its whole call, wherever it happens. Reverted is that inside this
// arithmetic only: `orRefused` turns it into the refusal that callers see, and nothing else escapes.

import { MAX_UINT256, mulDivDown, mulDivUp } from '../../types/amounts.ts';
import { pow } from './logExp.ts';
import { refused, type TradeRefusal } from './refusals.ts';

export const ONE = 10n ** 18n;
/** The contract's bound on LogExpMath's relative error, × 10^18. */
const MAX_POW_RELATIVE_ERROR = 10_000n;

class Reverted extends Error {
  readonly refusal: TradeRefusal;
  constructor(refusal: TradeRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Where the contract reverts. */
export function revert(code: TradeRefusal['refused'], message: string): never {
  throw new Reverted(refused(code, message));
}

/** Runs a contract's arithmetic; a revert inside it becomes the refusal. */
export function orRefused(run: () => bigint): bigint | TradeRefusal {
  try {
    return run();
  } catch (error) {
    if (error instanceof Reverted) return error.refusal;
    throw error;
  }
}

/** The value, if a 256-bit word holds it. */
export function word(value: bigint): bigint {
  if (value < 0n) revert('outOfLiquidity', 'the pool holds less than is asked of it');
  if (value > MAX_UINT256) revert('amountTooLarge', 'the contract overflows 256 bits');
  return value;
}

/** ⌊a·b / 10^18⌋. */
export const mulDown = (a: bigint, b: bigint): bigint => word(a * b) / ONE;

/** ⌈a·b / 10^18⌉. */
export const mulUp = (a: bigint, b: bigint): bigint => mulDivUp(word(a * b), 1n, ONE);

/** ⌊a·10^18 / b⌋. */
export const divDown = (a: bigint, b: bigint): bigint => mulDivDown(word(a * ONE), 1n, divisor(b));

/** ⌈a·10^18 / b⌉. */
export const divUp = (a: bigint, b: bigint): bigint => mulDivUp(word(a * ONE), 1n, divisor(b));

/** A divisor, unless the contract reverts on zero. */
export function divisor(value: bigint): bigint {
  if (value === 0n) revert('outOfLiquidity', 'a balance of the pool rounds to zero');
  return value;
}

/** 1 − x, or 0 beyond 1. */
export const complement = (x: bigint): bigint => (x < ONE ? ONE - x : 0n);

/** x^y, never below the true power, as pools since September 2022 take it: 1, 2 and 4 by product. */
export function powUp(x: bigint, y: bigint): bigint {
  if (y === ONE) return x;
  if (y === 2n * ONE) return mulUp(x, x);
  if (y === 4n * ONE) {
    const square = mulUp(x, x);
    return mulUp(square, square);
  }
  return powUpByLogarithm(x, y);
}

/** x^y, never below the true power: LogExpMath's result plus its largest error. */
export function powUpByLogarithm(x: bigint, y: bigint): bigint {
  const raw = pow(x, y);
  return raw + mulUp(raw, MAX_POW_RELATIVE_ERROR) + 1n;
}
