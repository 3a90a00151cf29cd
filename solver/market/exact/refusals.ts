// Why a venue does not take a trade: expected outcomes, returned as values.

import type { Refusal } from '../../types/errors.ts';

export type TradeRefusal = Refusal<
  'zeroAmount' | 'zeroOutput' | 'wrongNodes' | 'outOfLiquidity' | 'overCapacity' | 'amountTooLarge'
>;

export const refused = (code: TradeRefusal['refused'], message: string): TradeRefusal => ({
  refused: code,
  message,
});
