// /v1/webhooks: what is registered, what is shown, what was delivered.

import { Type } from 'typebox';
import { Account, OrderId, strict } from './common.ts';

export const WebhookId = Type.String({ pattern: '^wh-[0-9a-f]{32}$' });

const Secret = Type.String({
  pattern: '^[\\x21-\\x7e]{16,128}$',
  description: '16 to 128 printable ASCII characters; one is made when it is left out.',
});

export const WebhookBody = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'https, port 443 or 8443, a public host, no credentials.',
    }),
    owner: Type.Optional(Account),
    orderIds: Type.Optional(Type.Array(OrderId, { minItems: 1, maxItems: 100 })),
    events: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-zA-Z]{1,32}\\.[a-zA-Z]{1,32}$' }), {
        minItems: 1,
        maxItems: 32,
        description: 'Event types, such as order.settled; default all.',
      }),
    ),
    secret: Type.Optional(Secret),
  },
  {
    ...strict,
    description: 'owner, orderIds, or both: events of either.',
    examples: [
      {
        url: 'https://example.com/trimtab',
        owner: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        events: ['order.settled', 'order.refunded', 'order.failed'],
      },
    ],
  },
);

const view = {
  webhookId: WebhookId,
  url: Type.String(),
  owner: Type.Union([Type.String(), Type.Null()]),
  orderIds: Type.Array(OrderId),
  events: Type.Union([Type.Array(Type.String()), Type.Null()], { description: 'null: all.' }),
  state: Type.Union([Type.Literal('active'), Type.Literal('disabled')]),
  reason: Type.Union([Type.String(), Type.Null()]),
  failures: Type.Integer({ description: 'Failed attempts since the last that arrived.' }),
  createdAt: Type.Integer({ description: 'Unix seconds.' }),
};
export const WebhookView = Type.Object(view);
export const NewWebhookView = Type.Object({
  ...view,
  secret: Type.String({ description: 'Shown here only. Signs deliveries, and is your bearer.' }),
});

export const Ping = Type.Object({ deliveryId: Type.String() });

export const Deliveries = Type.Object(
  {
    deliveries: Type.Array(
      Type.Object({
        deliveryId: Type.String({ description: 'Equal in every attempt.' }),
        seq: Type.Union([Type.Integer(), Type.Null()], {
          description: 'The event’s; null: a ping.',
        }),
        orderId: Type.Union([OrderId, Type.Null()]),
        type: Type.String(),
        state: Type.Union(
          ['pending', 'delivered', 'failed', 'dropped'].map((state) => Type.Literal(state)),
        ),
        attempts: Type.Integer(),
        nextAt: Type.Union([Type.Integer(), Type.Null()], {
          description: 'Unix seconds of the next attempt, while pending.',
        }),
        lastAt: Type.Union([Type.Integer(), Type.Null()]),
        lastStatus: Type.Union([Type.Integer(), Type.Null()]),
        lastError: Type.Union([Type.String(), Type.Null()]),
        createdAt: Type.Integer(),
      }),
    ),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
  },
  { description: 'Newest first, kept for 7 days.' },
);
