// trimtab/client: quotes, orders, policies and certificates for wallets and programs, over viem. Runs
// in browsers and in Node; every action takes trimtab({ url }) first, as viem's take a client.

export { type Auction, getAuction, listAuctions } from './auctions.ts';
export {
  type CertificateFiles,
  type CertificateRules,
  getCertificate,
  type VerifiedCertificate,
  verifyCertificate,
} from './certificate.ts';
export { type ClientCode, type ProblemDocument, TrimtabError } from './errors.ts';
export { type FollowOptions, followLog, type LogEvent } from './events.ts';
export { getNetwork, getReadiness, getVenues } from './network.ts';
export {
  type Approval,
  type ApproveParameters,
  approve,
  cancelOrder,
  getOrder,
  listOrders,
  missingApprovals,
  type SignedOrder,
  signOrder,
  submitOrder,
  waitForOrder,
  watchOrder,
} from './orders.ts';
export {
  armPolicy,
  dryRunPolicy,
  getDrift,
  getPolicy,
  getPolicyLog,
  getProposal,
  listPolicies,
  resumePolicy,
  revokePolicy,
  signReader,
  watchPolicy,
} from './policies.ts';
export {
  checkQuote,
  getQuotes,
  type Offer,
  quoteRebalance,
  quoteSwap,
  type RebalanceParameters,
  type SwapParameters,
} from './quotes.ts';
export { type Asked, type RebuiltOrder, rebuildOrder } from './rebuild.ts';
export { LIMITS, type SigningRules } from './rebuildRules.ts';
export { type Api, type RequestOptions, type TransportOptions, trimtab } from './transport.ts';
export type * from './types.ts';
export { type SignedDelivery, verifyDelivery } from './webhooks.ts';
