// 406 for clients that take nothing of what a route answers with. No Accept header takes everything.

import type { FastifyInstance } from 'fastify';
import { ApiError } from './errors.ts';

const JSON_TYPES = ['application/json', 'application/problem+json', 'application/*', '*/*'];
const STREAM_TYPES = ['text/event-stream', 'text/*', '*/*'];
const PAGE_TYPES = ['text/html', 'text/*', ...JSON_TYPES];
const ANY: readonly string[] = ['*/*'];

/** What a route may set as `config.answers`; default JSON, or a stream for `…/events`. */
export type Answers = 'page' | 'any';

declare module 'fastify' {
  interface FastifyContextConfig {
    answers?: Answers;
  }
}

/** After the rate limits, so that these answers have their headers as well. */
export function refuseUnacceptable(app: FastifyInstance): void {
  app.addHook('preParsing', async (request) => {
    const { accept } = request.headers;
    if (accept === undefined || accept.trim() === '') return;
    const { url, config } = request.routeOptions;
    const offered = offeredBy(url, config.answers);
    if (offered === ANY) return;
    if (wantedOf(accept).some((type) => offered.includes(type))) return;
    const [first = ''] = offered;
    throw new ApiError('notAcceptable', `this route answers ${first}`);
  });
}

function offeredBy(url: string | undefined, answers: Answers | undefined): readonly string[] {
  if (answers === 'page') return PAGE_TYPES;
  // What has no route is answered as 404 or 405, whatever was wanted.
  if (answers === 'any' || url === undefined) return ANY;
  return url.endsWith('/events') ? STREAM_TYPES : JSON_TYPES;
}

/** Media types of an Accept header that are not refused with q=0. */
export function wantedOf(accept: string): readonly string[] {
  return accept.split(',').flatMap((item) => {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((text) => /^q=0(\.0*)?$/.test(text)) ? [] : [type];
  });
}
