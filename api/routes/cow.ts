// POST /solve and POST /notify: CoW Protocol's solver-engine interface over our core, at the paths its
// driver appends to an engine's address. Bodies are the driver's, megabytes of liquidity: a limit of
// their own, one auction at a time, and unknown members are left alone.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { CowService } from '../../solver/index.ts';
import { ApiError } from '../errors.ts';
import { answer, problems } from '../schemas/common.ts';

/** Mainnet auctions are some five megabytes. */
const AUCTION_BYTES_MAX = 32 * 1024 * 1024;
/** Auctions a minute and client address: a driver has one every block. */
const AUCTIONS_PER_MINUTE = 60;
const RETRY_SECONDS = 2;

/** The driver's words for what became of a solution. */
const KINDS = [
  'timeout',
  'emptySolution',
  'duplicatedSolutionId',
  'simulationFailed',
  'invalidClearingPrices',
  'missingPrice',
  'invalidExecutedAmount',
  'nonBufferableTokensUsed',
  'solverAccountInsufficientBalance',
  'success',
  'revert',
  'driverError',
  'cancelled',
  'fail',
  'postprocessingTimedOut',
  'banned',
] as const;

const Auction = Type.Object(
  {},
  {
    additionalProperties: true,
    description: 'CoW’s Auction: id, tokens, orders, liquidity, effectiveGasPrice, deadline.',
  },
);
const Solutions = Type.Object({
  solutions: Type.Array(Type.Object({}, { additionalProperties: true })),
});
const Notification = Type.Object(
  {
    auctionId: Type.Optional(
      Type.Union([Type.String({ maxLength: 64 }), Type.Integer(), Type.Null()]),
    ),
    solutionId: Type.Optional(Type.Unknown()),
    kind: Type.String({ maxLength: 64, description: KINDS.join(', ') }),
  },
  { additionalProperties: true },
);

export function cowRoutes(cow: CowService): FastifyPluginAsyncTypebox {
  let solving = false;
  return async (app) => {
    app.post(
      '/solve',
      {
        bodyLimit: AUCTION_BYTES_MAX,
        config: { rateLimit: { max: AUCTIONS_PER_MINUTE, timeWindow: 60_000 } },
        schema: {
          operationId: 'cowSolve',
          summary: 'CoW Protocol’s solver engine: an auction in, solutions out',
          description: 'docs/cow.md states what is solved and what is left alone.',
          tags: ['cow'],
          body: Auction,
          response: {
            200: answer('Solutions, the one of several orders first.', Solutions),
            ...problems({ 400: 'invalidInput, with its place', 413: 'bodyTooLarge' }),
          },
        },
      },
      async ({ body }) => {
        if (solving) {
          throw new ApiError('rateLimited', 'another auction is being solved', {
            retryAfterSeconds: RETRY_SECONDS,
          });
        }
        solving = true;
        try {
          return await cow.solve(body);
        } finally {
          solving = false;
        }
      },
    );
    app.post(
      '/notify',
      {
        schema: {
          operationId: 'cowNotify',
          summary: 'CoW Protocol’s driver tells what became of a solution',
          tags: ['cow'],
          body: Notification,
          response: {
            200: answer('Heard.', Type.Object({})),
            ...problems({ 400: 'A field is wrong.' }),
          },
        },
      },
      async ({ body, log }) => {
        const { auctionId, solutionId, kind } = body;
        log.info({ auctionId, solutionId, kind }, 'cow notification');
        return {};
      },
    );
  };
}
