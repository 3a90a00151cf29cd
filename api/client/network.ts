// What the service trades on.

import type { Api } from './transport.ts';
import type { Network, VenueList } from './types.ts';

interface Asking {
  readonly signal?: AbortSignal | undefined;
}

/** Chains with their contracts, the auctioneer, assets with their tokens: what `network` pins. */
export const getNetwork = (api: Api, { signal }: Asking = {}): Promise<Network> =>
  api.network(signal);

/** Every venue that plans trade through. */
export const getVenues = (api: Api, { signal }: Asking = {}): Promise<VenueList> =>
  api.request('/v1/venues', { signal });

/** Whether the service, its store, engine and chains are ready; does not throw when they are not. */
export async function getReadiness(
  api: Api,
  { signal }: Asking = {},
): Promise<{ readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }> {
  const { status } = await api.request<{ readonly status: string }>('/healthz', { signal });
  return api.request('/readyz', { signal, headers: { 'x-alive': status } });
}
