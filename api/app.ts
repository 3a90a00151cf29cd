// Assembles the HTTP layer over a Trimtab: strict bodies, problem+json for every error, limits,
// OpenAPI, routes. Listens to nothing (server.ts does) and knows nothing of chains.

import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import websocket from '@fastify/websocket';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Meter, Trimtab } from '../solver/index.ts';
import { BODY_MAX, parseBody } from './body.ts';
import { ApiError, ERRORS, problemOf, schemaError, toApiError } from './errors.ts';
import { createIdempotency } from './idempotency.ts';
import { observeRequests } from './observe.ts';
import { cowRoutes } from './routes/cow.ts';
import { orderRoutes } from './routes/orders.ts';
import { policyRoutes } from './routes/policies.ts';
import { quoteRoutes } from './routes/quotes.ts';
import { solverRoutes } from './routes/solvers.ts';
import { systemRoutes } from './routes/system.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import {
  createSolverSockets,
  SOLVER_SOCKET_LIMITS,
  type SolverSocketLimits,
} from './solverSocket.ts';
import { createStreams, STREAM_LIMITS, type StreamLimits } from './stream.ts';

export interface AppOptions {
  readonly trimtab: Trimtab;
  readonly logger?: FastifyBaseLogger;
  /** Called with what lies behind every answer of 500 and more; the answer itself never says it. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Requests per minute and client address; default 1200. */
  readonly requestsPerMinute?: number;
  readonly streams?: Partial<StreamLimits>;
  readonly solvers?: Partial<SolverSocketLimits>;
  /** Behind a proxy that sets X-Forwarded-For: rate limits then count its clients. */
  readonly trustProxy?: boolean | string;
  readonly meter?: Meter;
}

/** A dry run costs as much as this many plain requests. */
const COSTLY_SHARE = 4;

/** Ready to inject or listen; throws if a route or plugin is ill-formed. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { trimtab, logger } = options;
  const app = Fastify({
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    bodyLimit: BODY_MAX,
    trustProxy: options.trustProxy ?? false,
    // A line per request is observe.ts's; ids are unique over processes and restarts.
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 128 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    schemaErrorFormatter: schemaError,
  }).withTypeProvider<TypeBoxTypeProvider>();

  observeRequests(app, options.meter);
  strictBodies(app);
  // Answers are plain JSON already: what a schema does not name is sent all the same.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  answerProblems(app, options.onError);
  refuseUnacceptable(app);
  const methods = rememberMethods(app);
  answerMissing(app, methods);

  await app.register(helmet, { global: true });
  const perMinute = options.requestsPerMinute ?? 1200;
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    enableDraftSpec: true,
    errorResponseBuilder: (_, { ttl }) =>
      new ApiError('rateLimited', 'too many requests from this address', {
        retryAfterSeconds: Math.ceil(ttl / 1000),
      }),
  });
  await app.register(swagger, { openapi: openApiHead });

  const limits = { ...STREAM_LIMITS, ...options.streams };
  const streams = createStreams(limits);
  options.meter?.gauge('trimtab_streams', () => [{ labels: {}, value: streams.open }]);
  app.addHook('preClose', async () => streams.closeAll());
  await app.register(quoteRoutes(trimtab));
  const idempotency = createIdempotency(trimtab.idempotency, options.onError);
  await app.register(orderRoutes({ trimtab, idempotency, streams }));
  const costlyPerMinute = Math.ceil(perMinute / COSTLY_SHARE);
  await app.register(cowRoutes(trimtab.cow));
  await app.register(policyRoutes({ policies: trimtab.policies, streams, costlyPerMinute }));
  await app.register(webhookRoutes({ webhooks: trimtab.webhooks, costlyPerMinute }));
  await app.register(systemRoutes(trimtab));
  await registerSolvers(app, options);
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app;
}

/** The solvers' socket and standings. */
async function registerSolvers(app: FastifyInstance, options: AppOptions): Promise<void> {
  const { auctions } = options.trimtab;
  if (auctions === undefined) return;
  const sockets = createSolverSockets({
    auctions,
    limits: { ...SOLVER_SOCKET_LIMITS, ...options.solvers },
    now: () => Date.now(),
    onError: (error, where) => {
      app.log.error({ err: error }, where);
      options.onError?.(error, where);
    },
  });
  await app.register(websocket, {
    options: { maxPayload: BODY_MAX },
    preClose: () => sockets.closeAll(),
    // A socket that fails is a solver that is gone: it comes back and resumes.
    errorHandler: (_, socket) => socket.terminate(),
  });
  await app.register(solverRoutes({ auctions, sockets }));
}

const openApiHead = {
  openapi: '3.1.0',
  info: {
    title: 'trimtab',
    version: '0.1.0',
    description:
      'One signed order moves a whole portfolio over several chains. Amounts are decimal strings ' +
      'of base units, times Unix seconds. Errors are application/problem+json (RFC 9457).',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: ['quotes', 'orders', 'policies', 'solvers', 'cow', 'assets', 'system'].map((name) => ({
    name,
  })),
};

function strictBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_: FastifyRequest, bytes: Buffer) => parseBody(bytes),
  );
}

function answerProblems(app: FastifyInstance, onError: AppOptions['onError']): void {
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
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem);
}

const JSON_TYPES = ['application/json', 'application/problem+json', 'application/*', '*/*'];
const STREAM_TYPES = ['text/event-stream', 'text/*', '*/*'];

/** 406 unless the client takes what the route answers with. No Accept header takes everything. */
function refuseUnacceptable(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const { accept } = request.headers;
    if (accept === undefined || accept.trim() === '') return;
    const offered = request.routeOptions.url?.endsWith('/events') ? STREAM_TYPES : JSON_TYPES;
    const wanted = accept.split(',').map((item) => {
      const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      return { type, refused: parameters.some((text) => /^q=0(\.0*)?$/.test(text)) };
    });
    if (wanted.some(({ type, refused }) => !refused && offered.includes(type))) return;
    const [first = ''] = offered;
    throw new ApiError('notAcceptable', `this route answers ${first}`);
  });
}

/** Path pattern → the methods it has, so that another method is 405 and not 404. */
function rememberMethods(app: FastifyInstance): ReadonlyMap<string, Set<string>> {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set<string>();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  return methods;
}

function answerMissing(app: FastifyInstance, methods: ReadonlyMap<string, Set<string>>): void {
  app.setNotFoundHandler((request, reply) => {
    const path = (request.url.split('?')[0] ?? '').replace(/(.)\/$/, '$1').split('/');
    for (const [pattern, allowed] of methods) {
      const parts = pattern.split('/');
      const fits =
        parts.length === path.length &&
        parts.every((part, i) => part.startsWith(':') || part === path[i]);
      if (!fits) continue;
      reply.header('allow', [...allowed].sort().join(', '));
      const message = `${request.method} is not a method of ${pattern}`;
      return sendProblem(new ApiError('methodNotAllowed', message), request, reply);
    }
    return sendProblem(new ApiError('routeNotFound', 'there is nothing here'), request, reply);
  });
}
