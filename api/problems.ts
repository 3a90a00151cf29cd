// Every way of answering with a problem: what routes throw, what has no route, what Fastify refuses by
// itself, and what never becomes a request because it is no HTTP. Owns the CORS answers too, since a
// preflight is a method that no route has. Nothing here says what lies behind a 5xx.

import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, ERRORS, problemOf, toApiError } from './errors.ts';

export type OnError = (error: unknown, where: string) => void;

export function answerProblems(app: FastifyInstance, onError: OnError | undefined): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown);
    const { status } = ERRORS[error.code];
    if (status >= 500 && error.code !== 'chainDown') {
      const behind = error.cause ?? error;
      request.log.error({ err: behind }, error.message);
      onError?.(behind, `${request.method} ${request.routeOptions.url ?? request.url}`);
    }
    return sendProblem(error, request, reply);
  });
}

function sendProblem(error: ApiError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request.url.split('?')[0]);
  if (error.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  if (error.code === 'webhookUnauthorized') reply.header('www-authenticate', 'Bearer');
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem);
}

/** Of a URL that cannot be decoded: there is no route yet whose error handler could answer. */
export function frameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendProblem(new ApiError('malformedRequest', error.message), request, reply);
}

/** Bytes that are no HTTP request, or not one in time: an answer by hand, and the end. */
export function clientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problemOf(parserError(error.code)));
  const { status, title } = ERRORS[parserError(error.code).code];
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function parserError(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError('headersTooLarge', 'the headers are larger than 16 KiB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError('requestTimeout', 'the request did not arrive in time');
  }
  return new ApiError('malformedRequest', 'this is not an HTTP request');
}

/** While the process ends: what still comes in on open connections is sent elsewhere. */
export function refuseWhenClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', async (_, reply) => {
    if (!closing) return;
    reply.header('connection', 'close');
    throw new ApiError('shuttingDown', 'this process is shutting down', { retryAfterSeconds: 1 });
  });
}

const EXPOSED =
  'etag, idempotency-replayed, location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, ' +
  'retry-after, x-request-id';
const ALLOWED =
  'authorization, content-type, idempotency-key, last-event-id, trimtab-reader, if-none-match';

/** Any page may call: nothing here goes by cookies. */
export function allowBrowsers(app: FastifyInstance): void {
  app.addHook('onRequest', async (_, reply) => {
    reply.header('access-control-allow-origin', '*');
    reply.header('access-control-expose-headers', EXPOSED);
  });
}

/** Path pattern → the methods it has, so that another method is 405 and not 404. */
export function rememberMethods(app: FastifyInstance): ReadonlyMap<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set<string>();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  return methods;
}

/** 404, 405 and preflights. Call it when rate limits are there: they count these too. */
export function answerMissing(
  app: FastifyInstance,
  methods: ReadonlyMap<string, Set<string>>,
): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) => {
    const found = matching(methods, request.url);
    if (found === null) {
      return sendProblem(new ApiError('routeNotFound', 'there is nothing here'), request, reply);
    }
    const [pattern, allowed] = found;
    const allow = [...allowed, 'OPTIONS'].sort().join(', ');
    reply.header('allow', allow);
    if (request.method === 'OPTIONS') {
      reply.header('access-control-allow-methods', allow);
      reply.header('access-control-allow-headers', ALLOWED);
      reply.header('access-control-max-age', '7200');
      return reply.code(204).send();
    }
    const message = `${request.method} is not a method of ${pattern}`;
    return sendProblem(new ApiError('methodNotAllowed', message), request, reply);
  });
}

function matching(methods: ReadonlyMap<string, Set<string>>, url: string) {
  const path = (url.split('?')[0] ?? '').replace(/(.)\/$/, '$1').split('/');
  for (const entry of methods) {
    const parts = entry[0].split('/');
    const fits =
      parts.length === path.length &&
      parts.every((part, i) => part.startsWith(':') || part === path[i]);
    if (fits) return entry;
  }
  return null;
}
