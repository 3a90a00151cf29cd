// What every request leaves behind: one histogram entry by route pattern, an id that its log lines and
// its answer share, and one log line where somebody may want to read it. Bodies and headers are never
// logged.

import type { FastifyInstance } from 'fastify';
import type { Meter } from '../solver/index.ts';

/** A request slower than this is told at `info`, milliseconds. Streams are long by nature. */
const SLOW_MS = 1_000;

export function observeRequests(app: FastifyInstance, meter: Meter | undefined): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    const status = String(reply.statusCode);
    const ms = reply.elapsedTime;
    meter?.observe('trimtab_http_request_seconds', ms / 1000, { method, route, status });
    const { orderId } = (request.params ?? {}) as { readonly orderId?: string };
    const line = { method, route, status: reply.statusCode, ms: Math.round(ms), ...named(orderId) };
    const slow = ms > SLOW_MS && !route.endsWith('/events');
    if (reply.statusCode >= 500) request.log.warn(line, 'request');
    else if (slow || method !== 'GET') request.log.info(line, 'request');
    else request.log.debug(line, 'request');
  });
}

/** Only what is an order's id: the path may hold anything. */
const named = (orderId: string | undefined) =>
  orderId !== undefined && /^0x[0-9a-f]{64}$/.test(orderId) ? { orderId } : {};
