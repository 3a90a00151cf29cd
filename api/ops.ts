// The operators' door: /metrics, /healthz and /readyz on a port of its own, in every role. Metrics say
// how much is traded and how much gas is left, so they never stand on the public port of a service
// that serves the world: who may reach this port is the network's decision.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault, type Trimtab } from '../solver/index.ts';

export interface Exposed {
  readonly contentType: string;
  readonly body: string;
}
export interface OpsOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly expose: () => Promise<Exposed>;
  readonly readiness: Trimtab['readiness'];
}
export interface OpsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Throws Fault when the port cannot be had. */
export async function startOps(options: OpsOptions): Promise<OpsServer> {
  const { host, port, expose, readiness } = options;
  const answer = async (path: string, reply: ServerResponse) => {
    if (path === '/metrics') {
      const { contentType, body } = await expose();
      return void reply.writeHead(200, { 'content-type': contentType }).end(body);
    }
    if (path === '/healthz') return json(reply, 200, { status: 'ok' });
    if (path === '/readyz') {
      const view = await readiness();
      return json(reply, view.ready ? 200 : 503, view);
    }
    return json(reply, 404, { message: 'here are /metrics, /healthz and /readyz' });
  };
  const server = createServer((request, reply) => {
    if (request.method !== 'GET') return json(reply, 405, { message: 'GET only' });
    answer((request.url ?? '').split('?')[0] ?? '', reply).catch(() => {
      if (!reply.headersSent) json(reply, 500, { message: 'could not be answered' });
    });
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({ host, port }, done);
  }).catch((cause: unknown) => {
    const message = `port ${port} of ${host} cannot be used; choose another with --ops-port, 0 for any`;
    throw new Fault(message, { cause, retryable: false, code: 'portTaken' });
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function json(reply: ServerResponse, status: number, value: unknown): void {
  reply
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(value));
}
