// Assembles the HTTP layer over a Trimtab: strict bodies, problem+json for every error, limits,
// OpenAPI, routes. Listens to nothing (server.ts does) and knows nothing of chains.

import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import websocket from '@fastify/websocket';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Meter, Trimtab } from '../solver/index.ts';
import { refuseUnacceptable } from './accept.ts';
import { BODY_MAX, parseBody } from './body.ts';
import { schemaError } from './errors.ts';
import { createIdempotency } from './idempotency.ts';
import { limitRequests, REQUESTS_PER_MINUTE } from './limits.ts';
import { observeRequests } from './observe.ts';
import type { Exposed } from './ops.ts';
import {
  allowBrowsers,
  answerMissing,
  answerProblems,
  clientError,
  frameworkError,
  refuseWhenClosing,
  rememberMethods,
} from './problems.ts';
import { auctionRoutes } from './routes/auctions.ts';
import { cancelRoute } from './routes/cancel.ts';
import { cowRoutes } from './routes/cow.ts';
import { docsRoutes } from './routes/docs.ts';
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
  /** Budget per minute and client address, of which a request takes its weight; default 1200. */
  readonly requestsPerMinute?: number;
  readonly streams?: Partial<StreamLimits>;
  readonly solvers?: Partial<SolverSocketLimits>;
  /** Behind a proxy that sets X-Forwarded-For: rate limits then count its clients. */
  readonly trustProxy?: boolean | string;
  readonly meter?: Meter;
  /** Serves /metrics beside the API: only where nobody else can reach the port. */
  readonly expose?: () => Promise<Exposed>;
}

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
    ajv: {
      customOptions: {
        ...{ coerceTypes: false, removeAdditional: false, useDefaults: false },
        // Errors of the one branch that `type` or `intentType` names.
        discriminator: true,
      },
    },
    schemaErrorFormatter: schemaError,
    frameworkErrors: frameworkError,
    clientErrorHandler: clientError,
    // refuseWhenClosing answers, as a problem.
    return503OnClosing: false,
  }).withTypeProvider<TypeBoxTypeProvider>();

  observeRequests(app, options.meter);
  strictBodies(app);
  // Answers are plain JSON already: what a schema does not name is sent all the same.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  allowBrowsers(app);
  answerProblems(app, options.onError);
  refuseWhenClosing(app);
  refuseUnacceptable(app);
  const methods = rememberMethods(app);

  await app.register(helmet, { crossOriginResourcePolicy: { policy: 'cross-origin' } });
  await limitRequests(app, options.requestsPerMinute ?? REQUESTS_PER_MINUTE);
  answerMissing(app, methods);
  await app.register(swagger, { openapi: openApiHead });

  const limits = { ...STREAM_LIMITS, ...options.streams };
  const streams = createStreams(limits);
  options.meter?.gauge('trimtab_streams', () => [{ labels: {}, value: streams.open }]);
  app.addHook('preClose', async () => streams.closeAll());
  await app.register(quoteRoutes(trimtab));
  const idempotency = createIdempotency(trimtab.idempotency, options.onError);
  await app.register(orderRoutes({ trimtab, idempotency, streams }));
  await app.register(cancelRoute(trimtab));
  await app.register(cowRoutes(trimtab.cow));
  await app.register(policyRoutes({ policies: trimtab.policies, streams }));
  await app.register(webhookRoutes({ webhooks: trimtab.webhooks }));
  await app.register(auctionRoutes(trimtab.auctions));
  await app.register(systemRoutes(trimtab));
  await registerSolvers(app, options);
  await app.register(docsRoutes);
  const { expose } = options;
  if (expose !== undefined) {
    app.get('/metrics', { schema: { hide: true } }, async (_, reply) => {
      const { contentType, body } = await expose();
      return reply.type(contentType).serializer(String).send(body);
    });
  }
  await app.ready();
  return app;
}

/** The solvers' socket and standings. */
async function registerSolvers(app: FastifyInstance, options: AppOptions): Promise<void> {
  const { auctions } = options.trimtab;
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
  options.meter?.gauge('trimtab_ws_solvers', () => [{ labels: {}, value: sockets.size }]);
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
  tags: [
    'quotes',
    'orders',
    'policies',
    'solvers',
    'auctions',
    'webhooks',
    'cow',
    'assets',
    'system',
  ].map((name) => ({ name })),
};

function strictBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_: FastifyRequest, bytes: Buffer) => parseBody(bytes),
  );
}
