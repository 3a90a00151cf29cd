// The SDK's types, all of them read off the service's own schemas: there is no second description of
// what goes over the wire. Types only: nothing of the schemas is carried into a bundle.

import type { Static } from 'typebox';
import type { Assets, Network as Chains, Venues } from '../schemas/network.ts';
import type { OrderList, OrderView, PostOrderBody } from '../schemas/orders.ts';
import type {
  ArmPolicyAnswer,
  DriftBody,
  DryRunAnswer,
  DryRunBody,
  PolicyEvents,
  PolicyView,
  Portfolio,
  Proposals,
} from '../schemas/policies.ts';
import type { QuoteRequestBody, QuoteResponseBody, SwapRequestBody } from '../schemas/quotes.ts';

/** A rebalance, or OIF's swap; told apart by `intent.intentType`. */
export type QuoteRequest = QuoteRequestBody | SwapRequestBody;
export type Quotes = Static<typeof QuoteResponseBody>;
export type Quote = Quotes['quotes'][number];
export type Order = Static<typeof OrderView>;
export type OrderPage = Static<typeof OrderList>;
export type OrderSubmission = PostOrderBody;
export type AssetList = Static<typeof Assets>;
export type VenueList = Static<typeof Venues>;
export type Policy = Static<typeof PolicyView>;
export type PolicyDryRun = Static<typeof DryRunBody>;
export type PolicyDryRunAnswer = Static<typeof DryRunAnswer>;
export type PolicyDrift = Static<typeof DriftBody>;
export type PolicyPortfolio = Static<typeof Portfolio>;
export type PolicyArmed = Static<typeof ArmPolicyAnswer>;
export type PolicyLog = Static<typeof PolicyEvents>;
export type ProposalList = Static<typeof Proposals>;

/**
 * What the service trades on: GET /v1/chains and /v1/assets together. Held fixed (trimtab's
 * `network`) it pins the contracts, the auctioneer and the tokens that an order may name.
 */
export type Network = Static<typeof Chains> & AssetList;
