// Asking for quotes. An offer is a quote that has been held against what was asked: its order was
// rebuilt here, so that what is signed is ours. Signs nothing, sends nothing to a chain.

import { TrimtabError } from './errors.ts';
import { type RebuiltOrder, rebuildOrder } from './rebuild.ts';
import type { SigningRules } from './rebuildRules.ts';
import type { Api } from './transport.ts';
import type { Network, Quote, QuoteRequest, Quotes } from './types.ts';

export interface Offer extends RebuiltOrder {
  readonly quoteId: string;
  readonly quote: Quote;
  /** What was asked; intent null for a policy's proposal. */
  readonly asked: { readonly owner: string; readonly intent: QuoteRequest['intent'] | null };
  /** What it was held against. */
  readonly network: Network;
  readonly rules: SigningRules;
}

interface Asking {
  readonly signal?: AbortSignal | undefined;
}

/** POST /v1/quotes as it stands: nothing is checked. Safe to repeat; an unused quote expires. */
export function getQuotes(api: Api, request: QuoteRequest, options: Asking = {}): Promise<Quotes> {
  const { signal } = options;
  return api.request('/v1/quotes', { method: 'POST', body: request, safe: true, signal });
}

type Intent = Extract<QuoteRequest['intent'], { intentType: 'rebalance' }>;
type SwapIntent = Extract<QuoteRequest['intent'], { intentType: 'oif-swap' }>;

/** The members of a rebalance intent (docs/api.md), and whose portfolio. */
export type RebalanceParameters = Omit<Intent, 'intentType' | 'owner'> &
  Asking & {
    /** A viem account, or its address. */
    readonly account: string | { readonly address: string };
    readonly rules?: SigningRules;
  };

/**
 * A rebalance, priced, certified, and held against what was asked. Throws TrimtabError: the service's
 * refusals by their codes, `mismatch` where the order is not what was asked for.
 */
export async function quoteRebalance(
  api: Api,
  { account, rules = {}, signal, ...members }: RebalanceParameters,
): Promise<Offer> {
  const owner = typeof account === 'string' ? account : account.address;
  const intent: Intent = { intentType: 'rebalance', ...members };
  const request = { user: owner, intent, supportedTypes: ['trimtab-portfolio-v1'] };
  return firstOffer(api, request, rules, signal);
}

/** The members of OIF's swap intent, and who gives. */
export type SwapParameters = Omit<SwapIntent, 'intentType'> &
  Asking & {
    readonly account: string | { readonly address: string };
    /** In the order of preference; default both, Permit2 first. */
    readonly orderTypes?: readonly ('oif-escrow-v0' | 'trimtab-portfolio-v1')[];
    readonly rules?: SigningRules;
  };

/**
 * One or several inputs for one output: OIF's swap, by Permit2 where the inputs are on one chain.
 * Held against what was asked as quoteRebalance's is. Throws TrimtabError.
 */
export async function quoteSwap(
  api: Api,
  { account, orderTypes, rules = {}, signal, ...members }: SwapParameters,
): Promise<Offer> {
  const user = typeof account === 'string' ? account : account.address;
  const intent: SwapIntent = { intentType: 'oif-swap', ...members };
  const supportedTypes = [...(orderTypes ?? ['oif-escrow-v0', 'trimtab-portfolio-v1'])];
  return firstOffer(api, { user, intent, supportedTypes }, rules, signal);
}

async function firstOffer(
  api: Api,
  request: QuoteRequest,
  rules: SigningRules,
  signal: AbortSignal | undefined,
): Promise<Offer> {
  const [{ quotes }, network] = await Promise.all([
    getQuotes(api, request, { signal }),
    api.network(signal),
  ]);
  const [quote] = quotes;
  if (quote === undefined) throw new TrimtabError('notTrimtab', 'the answer holds no quote');
  return checkQuote({ owner: request.user, intent: request.intent }, quote, network, rules);
}

/**
 * A quote had in another way (a policy's proposal, a file) as an offer that may be signed. Throws
 * TrimtabError `mismatch`.
 */
export function checkQuote(
  asked: Offer['asked'],
  quote: Quote,
  network: Network,
  rules: SigningRules = {},
): Offer {
  const rebuilt = rebuildOrder(asked, quote, network, rules);
  return { quoteId: quote.quoteId, quote, asked, network, rules, ...rebuilt };
}
