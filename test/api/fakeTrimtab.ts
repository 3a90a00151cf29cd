// An in-memory Trimtab for tests of the HTTP layer: scripted answers, no domain behind it.

import { orderToJson } from '../../contracts-abi/orderJson.ts';
import { hashOrder, type PortfolioOrder } from '../../contracts-abi/typedData.ts';
import { isRefusal, type Refusal } from '../../solver/types/errors.ts';
import type { IdempotencyStore } from '../../solver/types/idempotency.ts';
import { chainId, evmAddress, type OrderId, orderId } from '../../solver/types/ids.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import type { PolicyService } from '../../solver/types/policyService.ts';
import type {
  CancelRefusalCode,
  OrderRecord,
  Quote,
  QuoteRefusalCode,
  QuoteRequest,
  SubmitRefusalCode,
  SubmitRequest,
  Submitted,
  SwapRequest,
  Trimtab,
} from '../../solver/types/service.ts';
import type { OrderEvent, OrderPlace, OrderState, StoredOrder } from '../../solver/types/store.ts';
import type { WebhookService } from '../../solver/types/webhooks.ts';
import { type MemoryAuctions, memoryAuctions } from './memoryAuctions.ts';

export const OWNER = evmAddress(`0x${'11'.repeat(20)}`);
const address = (byte: string) => evmAddress(`0x${byte.repeat(20)}`);
const padded = (byte: string) => `0x${'00'.repeat(12)}${byte.repeat(20)}` as const;

export const order: PortfolioOrder = {
  owner: OWNER,
  nonce: 7n,
  openDeadline: 1_900_000_000,
  fillDeadline: 1_900_000_100,
  expiry: 1_900_001_000,
  auctioneer: address('22'),
  targets: `0x${'33'.repeat(32)}`,
  origins: [
    {
      chainId: 31338n,
      settler: address('44'),
      oracle: address('55'),
      inputs: [{ token: address('66'), amount: 10n ** 18n }],
    },
  ],
  outputs: [
    {
      oracle: padded('55'),
      settler: padded('77'),
      chainId: 31339n,
      token: padded('88'),
      amount: 2_990_000_000n,
      recipient: padded('11'),
      callbackData: '0x',
      context: '0x',
    },
  ],
};
export const ID = orderId(hashOrder(order));

export function storedOrder(state: OrderState = 'created'): StoredOrder {
  return {
    orderId: ID,
    quoteId: 'q-1',
    owner: OWNER,
    nonce: '7',
    state,
    reason: null,
    order: { ...orderToJson(order) },
    ownerSignature: '0x',
    signatureKind: 'eip712',
    award: null,
    facts: {},
    version: 0,
    createdAtMs: 1_800_000_000_000,
    updatedAtMs: 1_800_000_001_000,
  };
}

export interface FakeTrimtab extends Trimtab {
  readonly auctions: MemoryAuctions;
  readonly quotesAsked: QuoteRequest[];
  readonly offersAsked: (QuoteRequest | SwapRequest)[];
  readonly submitted: SubmitRequest[];
  answerQuote: Quote | Refusal<QuoteRefusalCode> | Error;
  answerSubmit: Refusal<SubmitRefusalCode> | Error | null;
  answerCancel: Refusal<CancelRefusalCode> | StoredOrder | null;
  record: OrderRecord | null;
  listed: StoredOrder[];
  readonly pagesAsked: Parameters<Trimtab['listOrders']>[0][];
  nextPlace: OrderPlace | null;
  ready: boolean;
  push(type: string, data?: JsonObject): void;
}

/** No such service is scripted here: a test that needs one puts its own in. */
const unscripted = async (): Promise<never> => {
  throw new Error('not scripted in this test');
};
const NO_POLICIES: PolicyService = {
  arm: unscripted,
  revoke: unscripted,
  resume: unscripted,
  get: unscripted,
  list: unscripted,
  decisions: unscripted,
  proposals: unscripted,
  dryRun: unscripted,
  drift: unscripted,
  subscribe: () => () => {},
};

const NO_WEBHOOKS: WebhookService = {
  create: unscripted,
  get: unscripted,
  remove: unscripted,
  ping: unscripted,
  deliveries: unscripted,
};

/** As postgresIdempotency.ts has it, in memory and without leases. */
function fakeIdempotency(): IdempotencyStore {
  const rows = new Map<string, { body: string; token: number; answer: JsonObject | null }>();
  let token = 0;
  return {
    async begin(key, body) {
      const row = rows.get(key);
      if (row === undefined) {
        rows.set(key, { body, token: ++token, answer: null });
        return { state: 'yours', token };
      }
      if (row.body !== body) return { state: 'otherBody' };
      return row.answer === null ? { state: 'running' } : { state: 'done', answer: row.answer };
    },
    async finish(key, mine, answer) {
      const row = rows.get(key);
      if (row?.token === mine) row.answer = answer;
    },
    async free(key, mine) {
      if (rows.get(key)?.token === mine) rows.delete(key);
    },
  };
}

export function fakeTrimtab(policies: PolicyService = NO_POLICIES): FakeTrimtab {
  const events: OrderEvent[] = [];
  const listeners = new Set<() => void>();
  const fake: FakeTrimtab = {
    policies,
    cow: { solve: async () => ({ solutions: [] }) },
    idempotency: fakeIdempotency(),
    webhooks: NO_WEBHOOKS,
    cancel: async () => fake.answerCancel ?? storedOrder('failed'),
    answerCancel: null,
    auctions: memoryAuctions(),
    quotesAsked: [],
    offersAsked: [],
    submitted: [],
    answerQuote: { quoteId: 'q-1', validUntil: 1_900_000_000, response: { quoteId: 'q-1' } },
    answerSubmit: null,
    record: null,
    listed: [],
    pagesAsked: [],
    nextPlace: null,
    ready: true,
    push(type, data = {}) {
      events.push({ seq: events.length + 1, orderId: ID, atMs: 1_800_000_000_000, type, data });
      for (const listener of listeners) listener();
    },
    async quote(request) {
      fake.quotesAsked.push(request);
      if (fake.answerQuote instanceof Error) throw fake.answerQuote;
      return fake.answerQuote;
    },
    async offers(request) {
      fake.offersAsked.push(request);
      if (fake.answerQuote instanceof Error) throw fake.answerQuote;
      return isRefusal(fake.answerQuote) ? fake.answerQuote : [fake.answerQuote];
    },
    async submit(request): Promise<Submitted | Refusal<SubmitRefusalCode>> {
      fake.submitted.push(request);
      if (fake.answerSubmit instanceof Error) throw fake.answerSubmit;
      if (fake.answerSubmit !== null) return fake.answerSubmit;
      fake.record = { order: storedOrder(), transactions: [], quotedAmounts: ['2999000000'] };
      return { orderId: ID, created: true, order: fake.record.order };
    },
    getOrder: async (id: OrderId) => (id === ID ? fake.record : null),
    listOrders: async (page) => {
      const { owner, state, limit } = page;
      fake.pagesAsked.push(page);
      return {
        orders: fake.listed
          .filter((one) => one.owner === owner && (state === undefined || one.state === state))
          .slice(0, limit),
        next: fake.nextPlace,
      };
    },
    events: async (id, afterSeq, limit) =>
      id === ID ? events.filter(({ seq }) => seq > afterSeq).slice(0, limit) : [],
    subscribe(_, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problem: async (quoteId) => (quoteId === 'q-1' ? '{"version":1,"nodes":[]}' : null),
    result: async (quoteId) => (quoteId === 'q-1' ? '{"gapBps":"0.003","version":1}' : null),
    assets: () => [
      {
        asset: 'WETH',
        tokens: [
          {
            chainId: chainId(31338),
            chain: 'alpha',
            symbol: 'WETH',
            address: address('66'),
            decimals: 18,
            feed: address('99'),
          },
        ],
      },
    ],
    network: () => ({
      chains: [
        {
          chainId: chainId(31338),
          name: 'alpha',
          publicRpcUrl: 'http://127.0.0.1:8545',
          confirmations: 2,
          blockSeconds: 1,
          nativeAsset: 'ETH',
          eid: 1,
          contracts: { portfolioSettler: address('44'), outputSettler: address('45') },
        },
      ],
      auctioneer: address('22'),
      minProofWindowSeconds: 60,
    }),
    venues: () => [
      {
        venue: '31338:v3:WETH/USDC:3000',
        kind: 'uniswapV3',
        chainId: chainId(31338),
        address: address('aa'),
        tokens: [
          { address: address('66'), symbol: 'WETH', asset: 'ETH' },
          { address: address('88'), symbol: 'USDC', asset: 'USDC' },
        ],
        feePips: 3000,
      },
    ],
    readiness: async () => ({
      ready: fake.ready,
      checks: { store: 'ok', 'chain:31338': fake.ready ? 'ok' : 'does not answer' },
    }),
  };
  return fake;
}
