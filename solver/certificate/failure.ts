// What the checker says of a result that does not stand, and the two small readers of its texts.

import { MAX_UINT256 } from '../types/amounts.ts';

export interface Failure {
  /** Which rule was broken. */
  readonly code:
    | 'problemDigest'
    | 'status'
    | 'leg'
    | 'venueUsedTwice'
    | 'venueInputCap'
    | 'conservation'
    | 'orders'
    | 'prices'
    | 'branches'
    | 'loops'
    | 'final'
    | 'value'
    | 'bound'
    | 'gap'
    | 'costs';
  /** RFC 6901, into the result. */
  readonly pointer: string;
  readonly message: string;
}

const AMOUNT = /^(?:0|[1-9][0-9]{0,77})$/;

/** Base units from a decimal string; null if it is none. */
export function amountOf(text: string): bigint | null {
  if (!AMOUNT.test(text)) return null;
  const amount = BigInt(text);
  return amount <= MAX_UINT256 ? amount : null;
}

/** Foreign text in a message, quoted and cut. */
export const clip = (text: string): string => JSON.stringify(text.slice(0, 80));
