// /v1/webhooks: registered by anybody, opened afterwards with the webhook's secret as the bearer.
// Thin: shapes in, the service's word out.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  type Delivery,
  isRefusal,
  type JsonObject,
  orderId,
  type Webhook,
  type WebhookRefusal,
  type WebhookService,
} from '../../solver/index.ts';
import { ApiError, refusalError } from '../errors.ts';
import { parseAccount } from '../interop.ts';
import { weighing } from '../limits.ts';
import { answer, limitOf, pageQuery, problems } from '../schemas/common.ts';
import {
  Deliveries,
  NewWebhookView,
  Ping,
  WebhookBody,
  WebhookId,
  WebhookView,
} from '../schemas/webhooks.ts';

export interface WebhookRouteDeps {
  readonly webhooks: WebhookService;
}
type App = Parameters<FastifyPluginAsyncTypebox>[0];

const Params = Type.Object({ webhookId: WebhookId });
const Headers = Type.Object({
  authorization: Type.Optional(
    Type.String({ description: '`Bearer <secret>`: the secret of the webhook.' }),
  ),
});
const opened = problems({ 401: 'webhookUnauthorized', 404: 'webhookNotFound' });

export function webhookRoutes(deps: WebhookRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    createRoute(app, deps);
    ownRoutes(app, deps);
    deliveryRoutes(app, deps);
  };
}

function createRoute(app: App, { webhooks }: WebhookRouteDeps): void {
  app.post(
    '/v1/webhooks',
    {
      config: weighing('costly'),
      schema: {
        operationId: 'createWebhook',
        summary: 'Has events of orders sent to a URL from now on',
        description:
          'Each event is a POST of its JSON with `trimtab-signature: t=<Unix seconds>,v1=<hex>`, ' +
          'the HMAC-SHA256 of `<t>.<body>` under the secret. At least once, in order for each ' +
          'order; `trimtab-delivery` is equal in every attempt.',
        tags: ['webhooks'],
        body: WebhookBody,
        response: {
          201: answer('Registered; the only answer with the secret.', NewWebhookView),
          ...problems({
            400: 'A field is wrong.',
            409: 'tooManyWebhooks',
            422: 'webhookUrlRefused',
          }),
        },
      },
    },
    async ({ body }, reply) => {
      if (body.owner === undefined && body.orderIds === undefined) {
        const message = 'give an owner, orderIds, or both';
        throw new ApiError('missingField', message, { pointer: '/owner' });
      }
      const { url, owner, orderIds, events, secret } = body;
      const made = granted(
        await webhooks.create({
          url,
          ...(owner === undefined ? {} : { owner: parseAccount(owner, '/owner') }),
          ...(orderIds === undefined ? {} : { orderIds: orderIds.map(orderId) }),
          ...(events === undefined ? {} : { events }),
          ...(secret === undefined ? {} : { secret }),
        }),
      );
      reply.code(201).header('location', `/v1/webhooks/${made.webhookId}`);
      reply.header('cache-control', 'no-store');
      return { ...webhookView(made), secret: made.secret };
    },
  );
}

function ownRoutes(app: App, { webhooks }: WebhookRouteDeps): void {
  app.get(
    '/v1/webhooks/:webhookId',
    {
      schema: {
        operationId: 'getWebhook',
        summary: 'A webhook and whether it is active',
        tags: ['webhooks'],
        params: Params,
        headers: Headers,
        response: { 200: answer('The webhook.', WebhookView), ...opened },
      },
    },
    async ({ params, headers }, reply) => {
      reply.header('cache-control', 'no-store');
      return webhookView(granted(await webhooks.get(params.webhookId, bearerOf(headers))));
    },
  );
  app.delete(
    '/v1/webhooks/:webhookId',
    {
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Ends a webhook; what is pending is not sent',
        tags: ['webhooks'],
        params: Params,
        headers: Headers,
        response: { 204: { description: 'Gone.' }, ...opened },
      },
    },
    async ({ params, headers }, reply) => {
      granted(await webhooks.remove(params.webhookId, bearerOf(headers)));
      return reply.code(204).send();
    },
  );
}

function deliveryRoutes(app: App, { webhooks }: WebhookRouteDeps): void {
  app.post(
    '/v1/webhooks/:webhookId/ping',
    {
      config: weighing('costly'),
      schema: {
        operationId: 'pingWebhook',
        summary: 'Sends a webhook.ping; one that arrives enables a disabled webhook again',
        tags: ['webhooks'],
        params: Params,
        headers: Headers,
        response: { 202: answer('On its way; its delivery says how it went.', Ping), ...opened },
      },
    },
    async ({ params, headers }, reply) => {
      reply.code(202);
      return granted(await webhooks.ping(params.webhookId, bearerOf(headers)));
    },
  );
  app.get(
    '/v1/webhooks/:webhookId/deliveries',
    {
      schema: {
        operationId: 'listDeliveries',
        summary: 'What was sent, what waits, and why',
        tags: ['webhooks'],
        params: Params,
        headers: Headers,
        querystring: pageQuery({}, Type.String({ pattern: '^[1-9][0-9]{0,14}$' })),
        response: { 200: answer('A page.', Deliveries), ...opened },
      },
    },
    async ({ params, headers, query }, reply) => {
      reply.header('cache-control', 'no-store');
      const { deliveries, next } = granted(
        await webhooks.deliveries(params.webhookId, bearerOf(headers), {
          before: query.cursor === undefined ? null : Number(query.cursor),
          limit: limitOf(query.limit),
        }),
      );
      return {
        deliveries: deliveries.map(deliveryView),
        nextCursor: next === null ? null : String(next),
      };
    },
  );
}

/** '' without a bearer: no secret is empty. */
function bearerOf({ authorization }: { readonly authorization?: string }): string {
  const [, secret] = /^Bearer +([\x21-\x7e]{1,128})$/i.exec(authorization ?? '') ?? [];
  return secret ?? '';
}

function granted<T>(outcome: T | WebhookRefusal): T {
  if (isRefusal(outcome)) throw refusalError(outcome as WebhookRefusal, outcome.pointer);
  return outcome as T;
}

const seconds = (ms: number) => Math.floor(ms / 1_000);

function webhookView({ createdAtMs, ...webhook }: Webhook) {
  const { webhookId, url, owner, orderIds, events, state, reason, failures } = webhook;
  return {
    webhookId,
    url,
    owner,
    orderIds,
    events,
    state,
    reason,
    failures,
    createdAt: seconds(createdAtMs),
  };
}

function deliveryView(delivery: Delivery): JsonObject {
  const { deliveryId, seq, orderId: order, type, state, attempts, lastStatus } = delivery;
  return {
    deliveryId,
    seq,
    orderId: order,
    type,
    state,
    attempts,
    nextAt: state === 'pending' ? seconds(delivery.nextAtMs) : null,
    lastAt: delivery.lastAtMs === null ? null : seconds(delivery.lastAtMs),
    lastStatus,
    lastError: delivery.lastError,
    createdAt: seconds(delivery.createdAtMs),
  };
}
