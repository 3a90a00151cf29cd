// POST /v1/orders, GET /v1/orders/{id} and its event stream. Thin: shapes in, the service's word out.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  type OrderId as Id,
  isRefusal,
  isTerminal,
  ORDER_STATES,
  type Trimtab,
  orderId as toOrderId,
} from '../../solver/index.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { ApiError, refusalError } from '../errors.ts';
import type { Idempotency } from '../idempotency.ts';
import { parseAccount } from '../interop.ts';
import { oifOrder, readsOifAlone } from '../oif.ts';
import { Account, answer, limitOf, OrderId, pageQuery, problems } from '../schemas/common.ts';
import { OrderList, OrderView, PostOrderAnswer, PostOrderBody } from '../schemas/orders.ts';
import { answerStream, type Streams } from '../stream.ts';
import { readSubmission, refuseOtherOrders } from '../submission.ts';
import { orderSummary, orderView } from '../views.ts';

const Params = Type.Object({ orderId: OrderId });
/** Nothing more will happen to an order after these. */
const LAST_EVENTS = new Set(['order.settled', 'order.refunded', 'order.failed']);

export interface OrderRouteDeps {
  readonly trimtab: Trimtab;
  readonly idempotency: Idempotency;
  readonly streams: Streams;
}

export function orderRoutes(deps: OrderRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    submitRoute(app, deps);
    readRoute(app, deps);
    listRoute(app, deps);
    eventsRoute(app, deps);
  };
}

type App = Parameters<FastifyPluginAsyncTypebox>[0];

function submitRoute(app: App, { trimtab, idempotency }: OrderRouteDeps): void {
  app.post(
    '/v1/orders',
    {
      schema: {
        operationId: 'submitOrder',
        summary: 'Submits a signed order',
        description:
          'By quoteId, or with the order as quoted. The same signed order again is the same ' +
          'order. With an Idempotency-Key the same key and body get the same answer.',
        tags: ['orders'],
        headers: Type.Object({
          'idempotency-key': Type.Optional(Type.String({ description: '1–128 ASCII characters.' })),
        }),
        body: PostOrderBody,
        response: {
          202: answer('Admitted; follow it by its id.', PostOrderAnswer),
          ...problems({
            400: 'A field is wrong: unknownField, malformedSignature, orderMalformed, …',
            404: 'quoteNotFound',
            409: 'quoteExpired, orderExpired, nonceUsed, idempotencyConflict, idempotencyInProgress',
            413: 'bodyTooLarge',
            415: 'unsupportedMediaType',
            422: 'wrongSigner, insufficientBalance, insufficientAllowance, …',
            503: 'chainDown, upstreamFault',
          }),
        },
      },
      preValidation: async ({ body }) => refuseOtherOrders(body),
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key'];
      const { request: submission, pointer } = readSubmission(request.body);
      const { answer: admitted, replayed } = await idempotency.once(key, request.body, async () => {
        const submitted = await trimtab.submit(submission);
        if (isRefusal(submitted)) {
          throw refusalError(submitted, pointer(submitted.pointer));
        }
        const { orderId } = submitted;
        const record = await trimtab.getOrder(orderId);
        const order = orderView(
          record ?? { order: submitted.order, transactions: [], quotedAmounts: null },
        );
        return { orderId, status: 'received', order };
      });
      reply.code(202).header('location', `/v1/orders/${admitted.orderId}`);
      if (replayed) reply.header('idempotency-replayed', 'true');
      if (!readsOifAlone(request.headers['user-agent'])) return admitted;
      const { order, quoteResponse } = request.body;
      const sent = order ?? quoteResponse?.order;
      return {
        orderId: admitted.orderId,
        status: 'received',
        ...(sent === undefined ? {} : { order: sent }),
      };
    },
  );
}

function readRoute(app: App, { trimtab }: OrderRouteDeps): void {
  app.get(
    '/v1/orders/:orderId',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'An order: its state, where the money is, its transactions',
        tags: ['orders'],
        params: Params,
        response: { 200: answer('The order.', OrderView), ...problems({ 404: 'orderNotFound' }) },
      },
    },
    async ({ params, headers }, reply) => {
      reply.header('cache-control', 'no-store').header('vary', 'user-agent');
      const view = orderView(await find(trimtab, toOrderId(params.orderId)));
      return readsOifAlone(headers['user-agent']) ? oifOrder(view) : view;
    },
  );
}

function listRoute(app: App, { trimtab }: OrderRouteDeps): void {
  app.get(
    '/v1/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: 'An owner’s orders, newest first',
        description:
          'Pages by cursor: every order that was there when the first page was read comes exactly ' +
          'once, whatever is submitted meanwhile.',
        tags: ['orders'],
        querystring: pageQuery({
          owner: Account,
          state: Type.Optional(Type.Union(ORDER_STATES.map((state) => Type.Literal(state)))),
        }),
        response: {
          200: answer('A page.', OrderList),
          ...problems({ 400: 'missingField, invalidAddress, invalidCursor, unknownField' }),
        },
      },
    },
    async ({ query }, reply) => {
      reply.header('cache-control', 'no-store');
      const { orders, next } = await trimtab.listOrders({
        owner: parseAccount(query.owner, '/owner'),
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.cursor === undefined ? {} : { after: placeOf(query.cursor) }),
        limit: limitOf(query.limit),
      });
      return {
        orders: orders.map(orderSummary),
        nextCursor: next === null ? null : cursorOf(next),
      };
    },
  );
}

function eventsRoute(app: App, { trimtab, streams }: OrderRouteDeps): void {
  app.get(
    '/v1/orders/:orderId/events',
    {
      schema: {
        operationId: 'streamOrderEvents',
        summary: 'The order’s events as server-sent events, from the first or a given one on',
        description:
          'Event names are prefixed (order.created, tx.sent, …). Resumes after Last-Event-ID. ' +
          'Ends after order.settled, order.refunded or order.failed; then answers 204.',
        tags: ['orders'],
        params: Params,
        headers: Type.Object({
          'last-event-id': Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
        }),
        response: {
          200: answer('The stream.', Type.String(), 'text/event-stream'),
          204: { description: 'The order is over and the client has every event.' },
          ...problems({ 404: 'orderNotFound', 503: 'tooManyStreams' }),
        },
      },
    },
    async (request, reply) => {
      const id = toOrderId(request.params.orderId);
      const { order } = await find(trimtab, id);
      return answerStream(streams, request, reply, {
        key: `order:${id}`,
        over: isTerminal(order.state),
        read: async (after, limit) =>
          (await trimtab.events(id, after, limit)).map(({ seq, type, orderId, atMs, data }) => ({
            seq,
            type,
            body: { seq, type, orderId, at: Math.floor(atMs / 1000), atMs, data },
            last: LAST_EVENTS.has(type),
          })),
        subscribe: (listener) => trimtab.subscribe(id, listener),
      });
    },
  );
}

async function find(trimtab: Trimtab, id: Id) {
  const record = await trimtab.getOrder(id);
  if (record === null) throw new ApiError('orderNotFound', `no order ${id}`);
  return record;
}
