// What the service trades on.

import { TrimtabError } from './errors.ts';
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

export interface Readiness {
  readonly ready: boolean;
  /** Name → `ok`, or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Whether the service, its store, engine and chains are ready; does not throw when they are not. */
export async function getReadiness(api: Api, { signal }: Asking = {}): Promise<Readiness> {
  try {
    return await api.request('/readyz', { signal, safe: false });
  } catch (error) {
    if (error instanceof TrimtabError && error.status === 503 && error.details !== undefined) {
      return error.details as unknown as Readiness;
    }
    throw error;
  }
}
