// What the service trades, and whether it is alive and ready.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { interoperable, type Trimtab } from '../../solver/index.ts';
import { answer, ChainNumber, problems } from '../schemas/common.ts';

const Assets = Type.Object({
  assets: Type.Array(
    Type.Object({
      asset: Type.String({ description: 'What targets name.' }),
      tokens: Type.Array(
        Type.Object({
          chainId: ChainNumber,
          chain: Type.String(),
          symbol: Type.String(),
          address: Type.String(),
          interoperable: Type.String({ description: 'ERC-7930 version 1.' }),
          decimals: Type.Integer(),
          feed: Type.String({ description: 'The price feed, dollars per whole token.' }),
        }),
      ),
    }),
  ),
});
const Health = Type.Object({ status: Type.Literal('ok') });
const Readiness = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Record(Type.String(), Type.String()),
});

export function systemRoutes(trimtab: Trimtab): FastifyPluginAsyncTypebox {
  return async (app) => {
    for (const [path, operationId] of [
      ['/v1/assets', 'listAssets'],
      ['/v1/tokens', 'listTokens'],
    ] as const) {
      const schema = {
        operationId,
        summary: 'Assets and their tokens on every chain',
        tags: ['assets'],
        response: { 200: answer('All that is traded.', Assets), ...problems() },
      };
      app.get(path, { schema }, async () => ({
        assets: trimtab.assets().map(({ asset, tokens }) => ({
          asset,
          tokens: tokens.map((token) => ({
            ...token,
            interoperable: interoperable(token.chainId, token.address),
          })),
        })),
      }));
    }

    app.get(
      '/healthz',
      {
        config: { rateLimit: false },
        schema: {
          operationId: 'health',
          summary: 'The process answers',
          tags: ['system'],
          response: { 200: answer('Alive.', Health) },
        },
      },
      async () => ({ status: 'ok' }) as const,
    );

    app.get(
      '/readyz',
      {
        config: { rateLimit: false },
        schema: {
          operationId: 'readiness',
          summary: 'Store, engine and chains answer',
          tags: ['system'],
          response: {
            200: answer('Ready.', Readiness),
            503: answer('Not ready; checks say why.', Readiness),
          },
        },
      },
      async (_, reply) => {
        const readiness = await trimtab.readiness();
        return reply.code(readiness.ready ? 200 : 503).send(readiness);
      },
    );
  };
}
