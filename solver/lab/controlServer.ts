// The lab's control on loopback: a few POSTs, each with the token from lab.json, which a page in a
// browser cannot know. Small on purpose.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidInput } from '../types/errors.ts';
import type { PausablePart } from './controlClient.ts';
import { messageOf } from './log.ts';
import { ASSETS, type AssetName } from './setup.ts';

const BODY_BYTES_MAX = 4096;
const PARTS: readonly PausablePart[] = ['dvnA', 'dvnB', 'executor', 'pulse'];

export interface ControlActions {
  /** Throws if any chain does not answer. */
  checkHealth(): Promise<void>;
  setPrice(asset: AssetName, dollars: number): Promise<void>;
  movePrice(asset: AssetName, dollars: number): Promise<void>;
  releasePrices(): Promise<void>;
  pause(part: PausablePart, paused: boolean): void;
  /** Refuses an unknown chain with InvalidInput. */
  signalChain(chainId: number, signal: 'SIGSTOP' | 'SIGCONT'): void;
}

export interface ControlServer {
  readonly url: string;
  readonly token: string;
  close(): void;
}

type Body = Readonly<Record<string, unknown>>;

/** Listens on a free loopback port. */
export async function startControl(actions: ControlActions): Promise<ControlServer> {
  const token = randomBytes(24).toString('hex');
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) => {
      response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
    };
    if (!isToken(request.headers['x-lab-token'], token)) return answer(403, 'token missing');
    handle(request, actions).then(
      (found) => (found ? answer(200, 'ok') : answer(404, 'no such control')),
      (error: unknown) => answer(error instanceof InvalidInput ? 400 : 500, messageOf(error)),
    );
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function handle(request: IncomingMessage, actions: ControlActions): Promise<boolean> {
  if (request.method === 'GET' && request.url === '/health') {
    await actions.checkHealth();
    return true;
  }
  if (request.method !== 'POST') return false;
  const body = await readBody(request);
  switch (request.url) {
    case '/prices/set':
      await actions.setPrice(assetIn(body), dollarsIn(body));
      return true;
    case '/prices/move':
      await actions.movePrice(assetIn(body), reachable(assetIn(body), dollarsIn(body)));
      return true;
    case '/prices/release':
      await actions.releasePrices();
      return true;
    case '/parts/pause':
    case '/parts/resume':
      actions.pause(partIn(body), request.url.endsWith('pause'));
      return true;
    case '/chains/stop':
    case '/chains/resume':
      actions.signalChain(
        Number(body.chainId),
        request.url.endsWith('stop') ? 'SIGSTOP' : 'SIGCONT',
      );
      return true;
    default:
      return false;
  }
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new InvalidInput('body too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
  } catch {
    throw new InvalidInput('body is not JSON');
  }
}

function assetIn({ asset }: Body): AssetName {
  const known = ASSETS.find((candidate) => candidate.asset === asset);
  if (known === undefined) throw new InvalidInput(`no asset ${String(asset)}`);
  return known.asset;
}

function dollarsIn({ dollars }: Body): number {
  if (typeof dollars === 'number' && dollars > 0 && dollars < 1e8) return dollars;
  throw new InvalidInput('dollars must be a number between 0 and 1e8');
}

/** Pools hold nothing beyond 0.4 to 2.5 times where they were seeded (setup's V3_RANGES). */
function reachable(asset: AssetName, dollars: number): number {
  const reference = ASSETS.find((candidate) => candidate.asset === asset)?.dollars ?? 0;
  if (dollars >= reference / 2 && dollars <= reference * 2) return dollars;
  throw new InvalidInput(
    `pools trade ${asset} between ${reference / 2} and ${reference * 2} dollars, not at ${dollars}`,
  );
}

function partIn({ part }: Body): PausablePart {
  const known = PARTS.find((candidate) => candidate === part);
  if (known === undefined) throw new InvalidInput(`part must be one of ${PARTS.join(', ')}`);
  return known;
}

function isToken(given: string | string[] | undefined, token: string): boolean {
  if (typeof given !== 'string' || given.length !== token.length) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(token));
}

function listen(server: Server): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port));
  });
}
