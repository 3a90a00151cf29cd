// The line to the service: connects, greets with the filler's signature, resumes the feed after the
// last entry it handed on, and sends bids. Reconnects for ever, ever more slowly; an entry is handed
// on once and in order. It understands no entry.

import type { LocalAccount } from 'viem';
import { WebSocket } from 'ws';
import { type SignedBidMessage, signedBidToJson } from '../../../contracts-abi/bidJson.ts';
import { solverHelloTypes } from '../../../contracts-abi/bidTypedData.ts';
import { domain } from '../../../contracts-abi/typedData.ts';
import { pause } from './chain.ts';

export interface FeedEntry {
  readonly seq: number;
  readonly type: string;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}
export interface BidAnswer {
  readonly accepted: boolean;
  readonly bidHash?: string;
  readonly code?: string;
  readonly reason?: string;
}

export interface LineOptions {
  /** http(s)://… of the service. */
  readonly url: string;
  readonly account: LocalAccount;
  /** Where the feed goes on; given the newest entry's seq at the first connection. */
  readonly startAfter: (newestSeq: number) => number;
  readonly onEntry: (entry: FeedEntry) => void;
  readonly onState: (connected: boolean, detail: string) => void;
  readonly onProblem: (code: string, reason: string) => void;
}

export interface Line {
  /** Server clock − this machine's, milliseconds; 0 before the first connection. */
  readonly clockOffsetMs: () => number;
  /** Resolves with the service's answer; null when the connection was lost before it. */
  bid(bid: SignedBidMessage): Promise<BidAnswer | null>;
  /** Runs until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

const RETRY_MS = [100, 250, 500, 1_000, 2_000, 5_000] as const;
/** Nothing heard, not even a ping, for this long: the line is dead. */
const SILENCE_MS = 45_000;

export function createLine(options: LineOptions): Line {
  let socket: WebSocket | null = null;
  let offset = 0;
  let seq: number | null = null;
  let nextId = 0;
  const waiting = new Map<string, (answer: BidAnswer | null) => void>();

  const take = async (own: WebSocket, message: Readonly<Record<string, unknown>>) => {
    const { type } = message;
    if (typeof message.serverTimeMs === 'number') offset = message.serverTimeMs - Date.now();
    if (typeof message.seq === 'number') {
      if (seq !== null && message.seq <= seq) return;
      seq = message.seq;
      options.onEntry(message as unknown as FeedEntry);
    } else if (type === 'hello') {
      const newest = Number(message.newestSeq);
      // A service with a younger feed than ours has begun anew.
      if (seq === null || seq > newest) seq = Math.min(options.startAfter(newest), newest);
      own.send(JSON.stringify(await greeting(options.account, Date.now() + offset)));
      own.send(JSON.stringify({ type: 'listen', afterSeq: seq }));
    } else if (type === 'greeted') {
      options.onState(true, `listening after entry ${seq}`);
    } else if (type === 'bid.accepted' || type === 'bid.rejected') {
      const id = String(message.id);
      const { bidHash, code, reason } = message as Partial<Record<string, string>>;
      waiting.get(id)?.({
        accepted: type === 'bid.accepted',
        ...(bidHash === undefined ? {} : { bidHash }),
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      });
      waiting.delete(id);
    } else if (type === 'problem') {
      options.onProblem(String(message.code), String(message.reason));
    }
  };

  const connection = (signal: AbortSignal) =>
    new Promise<string>((done) => {
      const own = new WebSocket(`${options.url.replace(/^http/, 'ws')}/v1/solvers`, {
        handshakeTimeout: 10_000,
        maxPayload: 16 * 1024 * 1024,
      });
      socket = own;
      let heard = Date.now();
      let why = '';
      const watch = setInterval(() => {
        if (Date.now() - heard > SILENCE_MS) own.terminate();
      }, 5_000);
      const stop = () => own.close(1000);
      signal.addEventListener('abort', stop, { once: true });
      own.on('ping', () => {
        heard = Date.now();
      });
      own.on('message', (data) => {
        heard = Date.now();
        take(own, JSON.parse(String(data))).catch((error: unknown) => {
          options.onProblem('client', error instanceof Error ? error.message : String(error));
        });
      });
      own.on('error', (error) => {
        why = error.message;
      });
      own.once('close', (code, reason) => {
        clearInterval(watch);
        signal.removeEventListener('abort', stop);
        socket = null;
        for (const answer of waiting.values()) answer(null);
        waiting.clear();
        done(why || `closed (${code}) ${String(reason)}`.trim());
      });
    });

  return {
    clockOffsetMs: () => offset,
    bid(bid) {
      const open = socket;
      if (open === null || open.readyState !== open.OPEN) return Promise.resolve(null);
      nextId += 1;
      const id = String(nextId);
      return new Promise((done) => {
        waiting.set(id, done);
        open.send(JSON.stringify({ type: 'bid', id, bid: signedBidToJson(bid) }));
      });
    },
    async run(signal) {
      let failures = 0;
      while (!signal.aborted) {
        const before = seq;
        const why = await connection(signal);
        if (signal.aborted) return;
        options.onState(false, why);
        failures = seq === before ? failures + 1 : 0;
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5_000);
      }
    },
  };
}

async function greeting(account: LocalAccount, serverMs: number) {
  const issuedAt = Math.floor(serverMs / 1_000);
  const signature = await account.signTypedData({
    domain,
    types: solverHelloTypes,
    primaryType: 'SolverHello',
    message: { filler: account.address, issuedAt: BigInt(issuedAt) },
  });
  return { type: 'hello', filler: account.address, issuedAt, signature };
}
