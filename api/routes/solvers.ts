// GET /v1/solvers: to a plain request the standings of all fillers, to a WebSocket upgrade the
// solvers' protocol (docs/solvers.md). Owns the route; the socket is solverSocket.ts's.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { WebSocket } from 'ws';
import type { AuctionService } from '../../solver/index.ts';
import { answer, problems, strict } from '../schemas/common.ts';
import { Standings } from '../schemas/solvers.ts';
import type { SolverSockets } from '../solverSocket.ts';

const LIMIT_MAX = 200;

export interface SolverRouteDeps {
  readonly auctions: AuctionService;
  readonly sockets: SolverSockets;
}

export function solverRoutes({ auctions, sockets }: SolverRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.route({
      method: 'GET',
      url: '/v1/solvers',
      schema: {
        operationId: 'listSolvers',
        summary: 'Fillers and their standing; upgraded, the solvers’ WebSocket',
        description:
          'With `Upgrade: websocket` the same path is the solvers’ protocol: the feed of auctions, ' +
          'sealed bids, awards. docs/solvers.md describes its messages.',
        tags: ['solvers'],
        querystring: Type.Object(
          {
            limit: Type.Optional(
              Type.String({ pattern: '^([1-9]|[1-9][0-9]|1[0-9]{2}|200)$', default: '50' }),
            ),
          },
          strict,
        ),
        response: {
          200: answer('Best record first.', Standings),
          101: { description: 'The connection speaks the solvers’ protocol from here on.' },
          ...problems({ 400: 'unknownField or invalidField' }),
        },
      },
      handler: async ({ query }) => {
        const { limit = '50' } = query as { readonly limit?: string };
        return { solvers: await auctions.standings(Math.min(Number(limit), LIMIT_MAX)) };
      },
      wsHandler: (socket: WebSocket, request: FastifyRequest) => sockets.serve(socket, request.ip),
    });
  };
}
