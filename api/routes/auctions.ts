// GET /v1/auctions and /v1/auctions/{id}: the market's public record. Sealed while it runs; what is
// closed never changes, and anybody may keep it.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type AuctionService, orderId } from '../../solver/index.ts';
import { ApiError } from '../errors.ts';
import { answer, Bytes32, limitOf, OrderId, pageQuery, problems } from '../schemas/common.ts';

const AuctionId = Type.String({
  pattern: '^0x[0-9a-f]{64}$',
  description: 'Hash of the instance; lower case.',
});
const Auction = Type.Object(
  {
    auctionId: Bytes32,
    state: Type.Union([Type.Literal('bidding'), Type.Literal('closed')]),
    openedAtMs: Type.Integer(),
    closesAtMs: Type.Integer(),
    instance: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What is auctioned: its hash is the auction’s id.',
    }),
    orders: Type.Array(Type.Record(Type.String(), Type.Unknown())),
    closedAtMs: Type.Optional(Type.Integer()),
    record: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Bids, ranks, winners and the core’s hash: what `trimtab replay` reads.',
      }),
    ),
  },
  { description: 'The record, and who bid what, only once it is closed.' },
);
const AuctionList = Type.Object({
  auctions: Type.Array(
    Type.Object({
      auctionId: Bytes32,
      state: Type.String(),
      openedAtMs: Type.Integer(),
      closesAtMs: Type.Integer(),
      orderIds: Type.Array(OrderId),
    }),
  ),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
});

export function auctionRoutes(auctions: AuctionService): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/auctions',
      {
        schema: {
          operationId: 'listAuctions',
          summary: 'Auctions, newest first; those an order was in',
          tags: ['auctions'],
          querystring: pageQuery({ orderId: Type.Optional(OrderId) }),
          response: {
            200: answer('A page.', AuctionList),
            ...problems({ 400: 'invalidCursor, invalidField' }),
          },
        },
      },
      async ({ query }, reply) => {
        reply.header('cache-control', 'no-store');
        const { auctions: page, nextCursor } = await auctions.list({
          ...(query.orderId === undefined ? {} : { orderId: orderId(query.orderId) }),
          ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
          limit: limitOf(query.limit),
        });
        return { auctions: page, nextCursor };
      },
    );
    app.get(
      '/v1/auctions/:auctionId',
      {
        schema: {
          operationId: 'getAuction',
          summary: 'An auction: its instance, and once closed its whole record',
          tags: ['auctions'],
          params: Type.Object({ auctionId: AuctionId }),
          response: {
            200: answer('The auction.', Auction),
            304: { description: 'The client has it.' },
            ...problems({ 404: 'auctionNotFound' }),
          },
        },
      },
      async ({ params, headers }, reply) => {
        const { auctionId } = params;
        const found = await auctions.get(auctionId as Parameters<AuctionService['get']>[0]);
        if (found === null) throw new ApiError('auctionNotFound', `no auction ${auctionId}`);
        if (found.state !== 'closed') {
          reply.header('cache-control', 'no-store');
          return found;
        }
        const etag = `"${auctionId}"`;
        reply.header('cache-control', 'public, max-age=86400, immutable').header('etag', etag);
        if (headers['if-none-match'] === etag) return reply.code(304).send();
        return found;
      },
    );
  };
}
