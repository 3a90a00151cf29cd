// The public pages of the market: auctions with their replayable records, and the solvers' standings.

import type { Api } from './transport.ts';

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** An auction as GET /v1/auctions/{id} shows it; the record is there once it has closed. */
export interface Auction {
  readonly auctionId: string;
  readonly state: string;
  readonly record?: unknown;
  readonly [field: string]: unknown;
}

export const getAuction = (
  api: Api,
  { auctionId, signal }: { readonly auctionId: string } & Cancellable,
): Promise<Auction> => api.request(`/v1/auctions/${encodeURIComponent(auctionId)}`, { signal });

/** Newest first. `orderId`: those that this order was in. */
export const listAuctions = (
  api: Api,
  {
    orderId,
    cursor,
    limit,
    signal,
  }: {
    readonly orderId?: string | undefined;
    readonly cursor?: string | undefined;
    readonly limit?: number | undefined;
  } & Cancellable = {},
): Promise<{ readonly auctions: readonly Auction[]; readonly nextCursor: string | null }> =>
  api.request('/v1/auctions', { query: { orderId, cursor, limit }, signal });
