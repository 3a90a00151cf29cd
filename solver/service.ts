// The Trimtab interface over the rooms: what the HTTP layer sees. Forwards, and keeps the quotes of
// private policies out of public pages; every other decision is made behind it.

import type { EnginePool } from './engine/pool.ts';
import { assetsOf, networkOf, venuesOf } from './publicNetwork.ts';
import type { Quoter } from './quoting/quoter.ts';
import type { SwapQuoter } from './quoting/swapQuoter.ts';
import type { Admission } from './settlement/admission.ts';
import type { Cancelling } from './settlement/cancelling.ts';
import type { AuctionService } from './types/auctionService.ts';
import { isRefusal } from './types/errors.ts';
import type { IdempotencyStore } from './types/idempotency.ts';
import type { ChainId, EvmAddress, OrderId } from './types/ids.ts';
import type { NetworkConfig } from './types/network.ts';
import type { PolicyService } from './types/policyService.ts';
import type { PolicyStore } from './types/policyStore.ts';
import type { Chain } from './types/ports.ts';
import type { CowService, OrderRecord, ReadinessView, Trimtab } from './types/service.ts';
import type { Store, StoredOrder, TxSender } from './types/store.ts';
import type { WebhookService } from './types/webhooks.ts';

export interface ServiceDeps {
  readonly network: NetworkConfig;
  /** Signs the awards. */
  readonly auctioneer: EvmAddress;
  readonly store: Store;
  readonly sender: TxSender;
  readonly chains: ReadonlyMap<ChainId, Chain>;
  readonly pool: EnginePool;
  readonly quoter: Quoter;
  readonly swaps: SwapQuoter;
  readonly admission: Admission;
  readonly cancelling: Cancelling;
  readonly idempotency: IdempotencyStore;
  readonly auctions: AuctionService;
  readonly webhooks: WebhookService;
  readonly policies: PolicyService;
  readonly cow: CowService;
  readonly quotes: Pick<PolicyStore, 'isPrivateQuote' | 'privateQuotes'>;
  /** Whether this process still takes jobs: `ok` or what is wrong; null: it takes none. */
  readonly work?: () => string | null;
}

/** Longest wait for one dependency's answer to a readiness check. */
const READINESS_MS = 2_000;

export function serviceOf(deps: ServiceDeps): Trimtab {
  const { network, store, sender, quoter, swaps, admission } = deps;
  const assets = assetsOf(network);
  const networkView = networkOf(network, deps.auctioneer);
  const venues = venuesOf(network);
  const quoteText = async (quoteId: string, part: 'problem' | 'result') =>
    (await store.getQuote(quoteId))?.[part] ?? null;
  // A quote's id opens its problem file: holdings, targets, aversion. An order's page is public, so
  // that of a private policy does not name its quote; its owner knows it from the proposal.
  const shown = async (order: StoredOrder): Promise<StoredOrder> =>
    order.quoteId !== null && (await deps.quotes.isPrivateQuote(order.quoteId))
      ? { ...order, quoteId: null }
      : order;
  return {
    quote: (request) => quoter.quote(request),
    offers: (request) => swaps.offers(request),
    async submit(request) {
      const answer = await admission.submit(request);
      if (isRefusal(answer) || request.quoteId !== undefined) return answer;
      return { ...answer, order: await shown(answer.order) };
    },
    async getOrder(orderId): Promise<OrderRecord | null> {
      const order = await store.getOrder(orderId);
      if (order === null) return null;
      const [transactions, quote] = await Promise.all([
        sender.list(orderId),
        order.quoteId === null ? null : store.getQuoteTerms(order.quoteId),
      ]);
      return {
        order: await shown(order),
        transactions,
        quotedAmounts: quote?.quotedAmounts ?? null,
      };
    },
    async cancel(orderId, signature) {
      const outcome = await deps.cancelling.cancel(orderId, signature);
      return isRefusal(outcome) ? outcome : shown(outcome);
    },
    async listOrders({ owner, state, after, limit }) {
      const rows = await store.listOrders({
        owner,
        ...(state === undefined ? {} : { states: [state] }),
        ...(after === undefined ? {} : { before: after }),
        limit: limit + 1,
      });
      const page = rows.slice(0, limit);
      const ids = page.flatMap(({ quoteId }) => (quoteId === null ? [] : [quoteId]));
      const hidden = await deps.quotes.privateQuotes(ids);
      const last = page.at(-1);
      return {
        orders: page.map((order) =>
          order.quoteId !== null && hidden.has(order.quoteId) ? { ...order, quoteId: null } : order,
        ),
        next: rows.length > limit && last !== undefined ? placeOf(last) : null,
      };
    },
    async events(orderId, afterSeq, limit) {
      const events = await store.events(orderId, afterSeq, limit);
      return Promise.all(
        events.map(async (event) => {
          const { quoteId } = event.data;
          if (typeof quoteId !== 'string') return event;
          const hidden = await deps.quotes.isPrivateQuote(quoteId);
          return hidden ? { ...event, data: { ...event.data, quoteId: null } } : event;
        }),
      );
    },
    subscribe: (orderId: OrderId, listener) =>
      store.onEvents((changed) => {
        if (changed === orderId) listener();
      }),
    problem: (quoteId) => quoteText(quoteId, 'problem'),
    result: (quoteId) => quoteText(quoteId, 'result'),
    assets: () => assets,
    network: () => networkView,
    venues: () => venues,
    readiness: () => readiness(deps),
    idempotency: deps.idempotency,
    auctions: deps.auctions,
    webhooks: deps.webhooks,
    policies: deps.policies,
    cow: deps.cow,
  };
}

const placeOf = ({ createdAtMs, orderId }: StoredOrder) => ({ createdAtMs, orderId });

/** One chain that is down does not make the service unready: the others' quotes still work. */
async function readiness({ store, chains, pool, work }: ServiceDeps): Promise<ReadinessView> {
  const storeCheck = await answerOf(store.ping());
  const chainChecks = await Promise.all(
    [...chains.values()].map(
      async (chain) => [`chain:${chain.chainId}`, await answerOf(chain.block('latest'))] as const,
    ),
  );
  const jobs = work?.() ?? null;
  const somewhere = chainChecks.some(([, answer]) => answer === 'ok');
  return {
    ready: storeCheck === 'ok' && somewhere && (jobs === null || jobs === 'ok'),
    core: pool.hash,
    checks: {
      store: storeCheck,
      ...(jobs === null ? {} : { jobs }),
      ...Object.fromEntries(chainChecks),
    },
  };
}

async function answerOf(asked: Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((done) => {
    timer = setTimeout(() => done(`no answer within ${READINESS_MS} ms`), READINESS_MS);
  });
  const answer = asked.then(
    () => 'ok',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
