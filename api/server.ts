// Listens. Everything that is answered is app.ts's; this file owns the socket and its end.

import type { AddressInfo } from 'node:net';
import { Fault } from '../solver/index.ts';
import { type AppOptions, buildApp } from './app.ts';

export interface ServerOptions extends AppOptions {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
}
export interface RunningServer {
  /** e.g. http://127.0.0.1:4010 */
  readonly url: string;
  readonly port: number;
  /** Ends streams, answers what is in flight, frees the port. */
  close(): Promise<void>;
}

/** Throws Fault when the port cannot be had, saying how to choose another. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port, ...appOptions } = options;
  const app = await buildApp(appOptions);
  await app.listen({ host, port }).catch((cause: unknown) => {
    const message = `port ${port} of ${host} cannot be used; choose another with --port, 0 for any`;
    throw new Fault(message, { cause, retryable: false, code: 'portTaken' });
  });
  const address = app.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    close: () => app.close(),
  };
}
