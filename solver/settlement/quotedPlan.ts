// What an order's quote promised, if it had one and the service still has it.

import type { Store, StoredOrder } from '../types/store.ts';
import type { QuotedPlan } from './ports.ts';

export async function quotedPlan(
  store: Pick<Store, 'getQuote'>,
  { quoteId }: Pick<StoredOrder, 'quoteId'>,
): Promise<QuotedPlan | null> {
  if (quoteId === null) return null;
  const quote = await store.getQuote(quoteId);
  if (quote === null) return null;
  return { amounts: quote.quotedAmounts.map(BigInt), result: quote.result };
}
