// What the service trades on, and whether it is alive and ready.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { interoperable, type Trimtab } from '../../solver/index.ts';
import { answer, problems } from '../schemas/common.ts';
import { Assets, Network, Venues } from '../schemas/network.ts';

const Health = Type.Object({ status: Type.Literal('ok') });
const Readiness = Type.Object({
  ready: Type.Boolean(),
  core: Type.Optional(Type.String({ description: 'keccak256 of the core that solves.' })),
  checks: Type.Record(Type.String(), Type.String()),
});

/** The form OIF's aggregator reads. */
function oifNetworks(trimtab: Trimtab) {
  const tokens = trimtab.assets().flatMap((asset) => asset.tokens);
  return Object.fromEntries(
    trimtab.network().chains.map(({ chainId, contracts }) => [
      String(chainId),
      {
        chain_id: chainId,
        input_settler: contracts.portfolioSettler,
        output_settler: contracts.outputSettler,
        tokens: tokens
          .filter((token) => token.chainId === chainId)
          .map(({ address, symbol, decimals }) => ({ address, symbol, decimals })),
      },
    ]),
  );
}

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
        networks: oifNetworks(trimtab),
        assets: trimtab.assets().map(({ asset, tokens }) => ({
          asset,
          tokens: tokens.map((token) => ({
            ...token,
            interoperable: interoperable(token.chainId, token.address),
          })),
        })),
      }));
    }

    const network = {
      operationId: 'listChains',
      summary: 'The chains: contracts, confirmations, block times',
      tags: ['assets'],
      response: { 200: answer('Every chain.', Network), ...problems() },
    };
    app.get('/v1/chains', { schema: network }, async () => trimtab.network());

    const venues = {
      operationId: 'listVenues',
      summary: 'The venues that plans trade through',
      tags: ['assets'],
      response: { 200: answer('Every venue.', Venues), ...problems() },
    };
    app.get('/v1/venues', { schema: venues }, async () => ({ venues: trimtab.venues() }));

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
