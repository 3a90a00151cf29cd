// DELETE /v1/orders/{id}: the owner's signed cancel. Thin: shapes in, the service's word out.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  type Hex,
  isRefusal,
  isTerminal,
  type Trimtab,
  orderId as toOrderId,
} from '../../solver/index.ts';
import { ApiError } from '../errors.ts';
import { answer, OrderId, problems } from '../schemas/common.ts';
import { CancelBody, OrderView } from '../schemas/orders.ts';
import { orderView } from '../views.ts';

/** At most, when the auction's end is not known to be sooner. */
const RETRY_SECONDS_MAX = 5;

export function cancelRoute(trimtab: Trimtab): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.delete(
      '/v1/orders/:orderId',
      {
        schema: {
          operationId: 'cancelOrder',
          summary: 'Cancels an order that is not in escrow yet',
          description:
            'The signature is the owner’s over Cancel {owner, nonce} in trimtab’s domain. Nothing ' +
            'awarded: the order fails at once. Awarded: the nonce is spent on every origin, and ' +
            'the order fails when that is final. The same again is the same answer.',
          tags: ['orders'],
          params: Type.Object({ orderId: OrderId }),
          body: CancelBody,
          response: {
            200: answer('Cancelled, now or before: nothing was taken.', OrderView),
            202: answer('On its way to the chains; follow the order.', OrderView),
            ...problems({
              400: 'malformedSignature, unknownField, …',
              404: 'orderNotFound',
              409: 'tooLateToCancel: details say what happens next; auctionRunning: ask again',
              422: 'wrongSigner',
              503: 'chainDown',
            }),
          },
        },
      },
      async ({ params, body }, reply) => {
        const id = toOrderId(params.orderId);
        const outcome = await trimtab.cancel(id, body.signature as Hex);
        if (isRefusal(outcome)) {
          const { refused, message, pointer, details } = outcome;
          throw new ApiError(refused, message, {
            pointer,
            details,
            ...(refused === 'auctionRunning' ? { retryAfterSeconds: secondsUntil(details) } : {}),
          });
        }
        const record = await trimtab.getOrder(id);
        reply.code(isTerminal(outcome.state) ? 200 : 202).header('cache-control', 'no-store');
        return orderView(record ?? { order: outcome, transactions: [], quotedAmounts: null });
      },
    );
  };
}

function secondsUntil(details: Readonly<Record<string, unknown>> | undefined): number {
  const untilMs = Number(details?.untilMs ?? 0);
  const seconds = Math.ceil((untilMs - Date.now()) / 1_000);
  return Math.min(Math.max(seconds, 1), RETRY_SECONDS_MAX);
}
