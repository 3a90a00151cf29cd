// The public door of the domain: what api/ and other callers may name. The composition root is
// solver.ts; everything else behind this door is free to move.

export { jsonTextOf } from './market/jsonText.ts';
export { isTerminal, ORDER_STATES, STATE_NOTES } from './settlement/lifecycle.ts';
export type { SignedBid } from './types/auction.ts';
export type { AuctionService, BidRefusalCode, MarketEvent } from './types/auctionService.ts';
export { Fault, InvalidInput, isRefusal, type Refusal } from './types/errors.ts';
export type { IdempotencyStore } from './types/idempotency.ts';
export {
  type EvmAddress,
  evmAddress,
  type Hex,
  type OrderId,
  orderId,
  type PolicyId,
  policyId,
} from './types/ids.ts';
export { interoperable } from './types/interop.ts';
export type { JsonObject } from './types/json.ts';
export type { LogEvent, LogFailure } from './types/log.ts';
export type { Meter } from './types/meter.ts';
export type {
  PolicyReader,
  PolicyRefusal,
  PolicyRefusalCode,
  PolicyService,
} from './types/policyService.ts';
export type {
  CancelRefusalCode,
  CowService,
  OrderRecord,
  RebalanceRequest,
  ServiceRefusalCode,
  SubmitRequest,
  SwapAsset,
  SwapRequest,
  Trimtab,
} from './types/service.ts';
export type { OrderPlace, OrderState, StoredOrder, StoredTx } from './types/store.ts';
export type {
  Delivery,
  Webhook,
  WebhookRefusal,
  WebhookRefusalCode,
  WebhookService,
} from './types/webhooks.ts';
