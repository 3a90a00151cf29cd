// POST /v1/quotes, and the problem and result behind a quote, as the bytes that were digested.

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  isRefusal,
  type JsonObject,
  jsonTextOf,
  type RebalanceRequest,
  type Trimtab,
} from '../../solver/index.ts';
import { ApiError, refusalError } from '../errors.ts';
import { parseAccount } from '../interop.ts';
import { weighing } from '../limits.ts';
import { swapRequest } from '../oif.ts';
import { answer, problems, QuoteId } from '../schemas/common.ts';
import { QuoteRequestBody, QuoteResponseBody } from '../schemas/quotes.ts';

const Params = Type.Object({ quoteId: QuoteId });
const SERVED: ReadonlySet<string> = new Set(['rebalance', 'oif-swap']);
/** OIF's order type that rebalances are offered in as well, when asked. */
const PERMIT2_TYPE = 'oif-escrow-v0';

export function quoteRoutes(trimtab: Trimtab): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/quotes',
      {
        config: weighing('quote'),
        schema: {
          operationId: 'createQuotes',
          summary: 'Offers orders that move a portfolio to its targets, or swap tokens (OIF)',
          tags: ['quotes'],
          body: QuoteRequestBody,
          response: {
            200: answer(
              'Orders to sign, one per order type, with price and certificate.',
              QuoteResponseBody,
            ),
            ...problems({
              400: 'A field is wrong: unknownField, missingField, wrongType, invalidWeights, …',
              413: 'bodyTooLarge',
              415: 'unsupportedMediaType',
              422: 'An expected no: unknownChain, unknownAsset, noRoute, stalePrice, nothingToDo, …',
              503: 'chainDown, upstreamFault',
            }),
          },
        },
        preValidation: async ({ body }) => refuseOtherIntents(body),
      },
      async ({ body }, reply) => {
        reply.serializer(quotesText);
        const { intent } = body;
        if (intent.intentType === 'oif-swap') {
          const offers = await trimtab.offers(swapRequest({ ...body, intent }));
          if (isRefusal(offers)) throw refusalError(offers, offers.pointer);
          return { quotes: offers.map(({ response }) => response) };
        }
        const own = { ...body, intent };
        const request = rebalanceRequest(own);
        const answered = body.supportedTypes?.includes(PERMIT2_TYPE)
          ? await trimtab.offers(request)
          : await trimtab.quote(request);
        if (isRefusal(answered)) throw refusalError(answered, bodyPointer(answered.pointer, own));
        const offers = 'length' in answered ? answered : [answered];
        return { quotes: offers.map(({ response }) => response) };
      },
    );

    for (const [name, read] of [
      ['problem', (quoteId: string) => trimtab.problem(quoteId)],
      ['result', (quoteId: string) => trimtab.result(quoteId)],
    ] as const) {
      app.get(
        `/v1/quotes/:quoteId/${name}`,
        {
          schema: {
            operationId: name === 'problem' ? 'getQuoteProblem' : 'getQuoteResult',
            summary: `The optimizer's ${name} file, exactly as it was digested`,
            tags: ['quotes'],
            params: Params,
            response: {
              200: answer('What `trimtab verify` reads.', Type.Unknown()),
              ...problems({ 404: 'quoteNotFound' }),
            },
          },
        },
        async ({ params: { quoteId } }, reply) => {
          const text = await read(quoteId);
          if (text === null) throw new ApiError('quoteNotFound', `no quote ${quoteId}`);
          // Content-addressed by the quote's certificate: it never changes.
          reply.header('cache-control', 'public, max-age=86400, immutable');
          return reply.type('application/json; charset=utf-8').send(text);
        },
      );
    }
  };
}

/** JSON.stringify of the answer; the store has written each offer's text already. */
const quotesText = ({ quotes }: { readonly quotes: readonly JsonObject[] }): string =>
  `{"quotes":[${quotes.map(jsonTextOf).join()}]}`;

/** Before the schema: another intent type is a refusal of its own, not a list of field errors. */
function refuseOtherIntents(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('intent' in body)) return;
  const { intent } = body;
  if (typeof intent !== 'object' || intent === null || !('intentType' in intent)) return;
  const { intentType } = intent;
  if (typeof intentType !== 'string' || SERVED.has(intentType)) return;
  const named = JSON.stringify(intentType.slice(0, 40));
  throw new ApiError('unsupportedIntent', `intent type ${named} is not served`, {
    pointer: '/intent/intentType',
  });
}

/** An owner that the caller gave only as `user` is pointed at there. */
function bodyPointer(pointer: string | undefined, { intent }: QuoteRequestBody) {
  return pointer === '/intent/owner' && intent.owner === undefined ? '/user' : pointer;
}

function rebalanceRequest({ user, intent, supportedTypes }: QuoteRequestBody): RebalanceRequest {
  const { owner: ownerText, scope, ...rest } = intent;
  const caller = parseAccount(user, '/user');
  const owner = ownerText === undefined ? caller : parseAccount(ownerText, '/intent/owner');
  if (owner !== caller) {
    throw new ApiError('invalidAddress', 'intent.owner and user must be the same account', {
      pointer: '/intent/owner',
    });
  }
  return {
    ...rest,
    owner,
    scope: scope ?? {},
    ...(supportedTypes === undefined ? {} : { supportedTypes }),
    pointer: '/intent',
  };
}
