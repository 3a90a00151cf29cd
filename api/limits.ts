// How much an address may ask for: one budget a minute and process, of which each request takes its
// weight. A plain request weighs 1; what makes us compute, for anybody who asks, weighs more. A refused
// request uses up what was left, so that `ratelimit-remaining: 0` and Retry-After hold for every route.

import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './errors.ts';

export const REQUESTS_PER_MINUTE = 1200;
const WINDOW_MS = 60_000;
/** Addresses that are counted at once; beyond them the longest silent one is forgotten. */
const ADDRESSES_MAX = 5_000;

/** What a request weighs (docs/api.md, "Limits"). */
export const WEIGHTS = {
  /** Some milliseconds of a core and a row in the database, where a read takes tenths. */
  quote: 5,
  /** A dry run, a drift or an arming reads every chain and may solve; a webhook makes us call out. */
  costly: 4,
} as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of the budget; absent: 1, or a limit of the route's own in `rateLimit`. */
    weight?: number;
  }
}

/** A route's `config`. */
export const weighing = (what: keyof typeof WEIGHTS) => ({ weight: WEIGHTS[what], rateLimit: {} });

/** Every route added from now on counts; `config.rateLimit: false` does not. */
export async function limitRequests(app: FastifyInstance, perMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: WINDOW_MS,
    enableDraftSpec: true,
    store: Budgets,
    errorResponseBuilder: ({ routeOptions: { config } }, { ttl }) => {
      const counts = config.weight === undefined ? '' : `; this one counts as ${config.weight}`;
      return new ApiError('rateLimited', `too many requests from this address${counts}`, {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      });
    },
  });
}

interface Spent {
  current: number;
  endsMs: number;
}
type Answer = Parameters<FastifyRateLimitStore['incr']>[1];
type Route = Parameters<FastifyRateLimitStore['child']>[0];

/** By address, the longest silent first. */
class Budgets implements FastifyRateLimitStore {
  #spent = new Map<string, Spent>();
  #weight = 1;

  /** Called with the answer at once. A weight beyond the whole budget takes all of it. */
  incr(address: string, answer: Answer, windowMs: number, max: number): void {
    const now = Date.now();
    const known = this.#spent.get(address);
    const spent =
      known !== undefined && known.endsMs > now ? known : { current: 0, endsMs: now + windowMs };
    spent.current = Math.min(max + 1, spent.current + Math.min(this.#weight, max));
    this.#spent.delete(address);
    this.#spent.set(address, spent);
    const [oldest] = this.#spent.keys();
    if (this.#spent.size > ADDRESSES_MAX && oldest !== undefined) this.#spent.delete(oldest);
    answer(null, { current: spent.current, ttl: spent.endsMs - now });
  }

  /** A route that has a weight shares the budget; one with a limit of its own counts apart. */
  child(route: Route): Budgets {
    const { routeInfo } = route as Route & { readonly routeInfo?: Pick<Route, 'config'> };
    const weight = routeInfo?.config?.weight;
    const store = new Budgets();
    if (weight === undefined) return store;
    store.#spent = this.#spent;
    store.#weight = weight;
    return store;
  }
}
