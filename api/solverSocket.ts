// One solver's WebSocket: greeting, feed, bids. Owns what is sent and when a connection is ended: a
// solver that sends too much or nothing but nonsense, that stops reading, or that is gone. It scores
// nothing and sees no bid but the one it passes on; what a solver may see is AuctionService's to say.
//
// The feed is read from the store by sequence number and hints only wake it, so a lost hint costs one
// heartbeat, never an entry; a solver resumes with the last seq it saw, at any process of the service.

import { recoverAddress } from 'viem';
import type { WebSocket } from 'ws';
import { solverHelloDigest } from '../contracts-abi/bidTypedData.ts';
import {
  type AuctionService,
  type EvmAddress,
  evmAddress,
  isRefusal,
  type JsonObject,
  type MarketEvent,
  type SignedBid,
} from '../solver/index.ts';
import { ApiError, ERRORS, type ErrorCode, toApiError } from './errors.ts';
import { parseMessage, type SolverMessage, UnreadableBid } from './solverMessages.ts';

export interface SolverSocketLimits {
  readonly heartbeatMs: number;
  /** Bytes waiting in a solver's socket before it is dropped. */
  readonly backlogMax: number;
  /** Messages a second, sustained; twice as many at once. */
  readonly messagesPerSecond: number;
  /** Messages that could not be read before the connection is closed. */
  readonly malformedMax: number;
  /** Bids of one connection that are being answered. */
  readonly inFlightMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddress: number;
}
export const SOLVER_SOCKET_LIMITS: SolverSocketLimits = {
  heartbeatMs: 15_000,
  backlogMax: 1024 * 1024,
  messagesPerSecond: 50,
  malformedMax: 10,
  inFlightMax: 32,
  connectionsMax: 1_000,
  connectionsPerAddress: 16,
};

/** A greeting older than this, or as much in the future, proves nothing; seconds. */
export const HELLO_MAX_AGE_SECONDS = 60;
const PAGE = 100;
/** A closing handshake that is not answered in this time is cut short, milliseconds. */
const CLOSE_MS = 1_000;
/** WebSocket close codes: going away, policy violation, message too big, try again later. */
const GOING_AWAY = 1001;
const POLICY = 1008;
const TRY_LATER = 1013;

export interface SolverSockets {
  /** Serves the socket until it ends. `address`: whose connections are counted together. */
  serve(socket: WebSocket, address: string): void;
  /** Connections now. */
  readonly size: number;
  closeAll(): Promise<void>;
}

export interface SolverSocketDeps {
  readonly auctions: AuctionService;
  readonly limits: SolverSocketLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown, where: string) => void;
}

export function createSolverSockets(deps: SolverSocketDeps): SolverSockets {
  const open = new Set<WebSocket>();
  const perAddress = new Map<string, number>();
  const feed = sharedFeed(deps.auctions);
  return {
    get size() {
      return open.size;
    },
    serve(socket, address) {
      const { connectionsMax, connectionsPerAddress } = deps.limits;
      const mine = perAddress.get(address) ?? 0;
      if (open.size >= connectionsMax || mine >= connectionsPerAddress) {
        say(socket, problem('tooManySolvers', 'too many connections are open'));
        socket.close(TRY_LATER, 'too many connections');
        return;
      }
      open.add(socket);
      perAddress.set(address, mine + 1);
      socket.once('close', () => {
        open.delete(socket);
        const left = (perAddress.get(address) ?? 1) - 1;
        if (left === 0) perAddress.delete(address);
        else perAddress.set(address, left);
      });
      void serve(deps, feed, socket).catch((error) => {
        deps.onError(error, 'a solver’s connection');
        socket.close(1011, 'the service failed');
      });
    },
    async closeAll() {
      const ended = [...open].map(
        (socket) =>
          new Promise<void>((done) => {
            socket.once('close', () => done());
            socket.close(GOING_AWAY, 'the service is closing');
            setTimeout(() => socket.terminate(), CLOSE_MS).unref();
          }),
      );
      await Promise.all(ended);
    },
  };
}

type Feed = AuctionService['feed'];

/** Many solvers stand at the same entry: what several ask for at once is read once. */
function sharedFeed(auctions: AuctionService): Feed {
  const reading = new Map<string, ReturnType<Feed>>();
  return (filler, afterSeq, limit) => {
    const key = `${filler}:${afterSeq}:${limit}`;
    const known = reading.get(key);
    if (known !== undefined) return known;
    const read = auctions.feed(filler, afterSeq, limit).finally(() => reading.delete(key));
    reading.set(key, read);
    return read;
  };
}

interface Connection {
  filler: EvmAddress | null;
  /** The last entry sent; null: not listening. */
  seq: number | null;
  inFlight: number;
  malformed: number;
  /** Bumped by every `listen`: a page read for an earlier one is not sent. */
  turn: number;
}

async function serve(deps: SolverSocketDeps, feed: Feed, socket: WebSocket): Promise<void> {
  const { auctions, limits, now } = deps;
  const state: Connection = { filler: null, seq: null, inFlight: 0, malformed: 0, turn: 0 };
  const bell = createBell();
  const rate = createBucket(limits.messagesPerSecond, now);
  let alive = true;
  let control = Promise.resolve();
  socket.on('message', (data, isBinary) => {
    if (!rate.take()) {
      say(socket, problem('tooManyMessages', `at most ${limits.messagesPerSecond} a second`));
      socket.close(POLICY, 'too many messages');
      return;
    }
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat([data].flat() as Buffer[]);
    // In turn: a `listen` behind a `hello` is for the feed that this greeting opens.
    control = control
      .then(() => take(deps, socket, state, bell, bytes, isBinary))
      .catch((error) => {
        deps.onError(error, 'a solver’s message');
        say(socket, problem('internal', 'an internal error'));
      });
  });
  socket.on('pong', () => {
    alive = true;
  });
  const unsubscribe = auctions.subscribe(bell.ring);
  const heart = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
    bell.ring();
  }, limits.heartbeatMs);
  socket.once('close', bell.ring);
  try {
    say(socket, { type: 'hello', serverTimeMs: now(), newestSeq: await auctions.newest() });
    while (socket.readyState === socket.OPEN) {
      bell.reset();
      const more = await pass(deps, feed, socket, state);
      if (!more) await bell.wait();
    }
  } finally {
    clearInterval(heart);
    unsubscribe();
  }
}

/** Sends one page of the feed. True when there may be more at once. */
async function pass(
  { limits, now, onError }: SolverSocketDeps,
  feed: Feed,
  socket: WebSocket,
  state: Connection,
): Promise<boolean> {
  if (state.seq === null) return false;
  const { turn } = state;
  let entries: readonly MarketEvent[];
  try {
    entries = await feed(state.filler, state.seq, PAGE);
  } catch (error) {
    // The store is down: the next heartbeat asks again, and nothing is skipped.
    onError(error, 'the solvers’ feed');
    return false;
  }
  if (turn !== state.turn) return true;
  for (const { seq, type, atMs, data } of entries) {
    if (socket.readyState !== socket.OPEN) return false;
    say(socket, { seq, type, atMs, serverTimeMs: now(), data });
    state.seq = seq;
  }
  if (socket.bufferedAmount > limits.backlogMax) {
    // It can resume by seq: holding memory for a solver that does not read helps nobody.
    socket.terminate();
    return false;
  }
  return entries.length === PAGE;
}

async function take(
  deps: SolverSocketDeps,
  socket: WebSocket,
  state: Connection,
  bell: Bell,
  bytes: Buffer,
  isBinary: boolean,
): Promise<void> {
  let message: SolverMessage;
  try {
    if (isBinary) throw new ApiError('wrongType', 'messages are text');
    message = parseMessage(bytes);
  } catch (error) {
    if (error instanceof UnreadableBid) say(socket, rejected(error.id, error.problem));
    else if (error instanceof ApiError) say(socket, problemOf(error));
    else throw error;
    state.malformed += 1;
    if (state.malformed >= deps.limits.malformedMax) {
      socket.close(POLICY, 'too many malformed messages');
    }
    return;
  }
  switch (message.type) {
    case 'listen':
      state.seq = message.afterSeq ?? (await deps.auctions.newest());
      state.turn += 1;
      bell.ring();
      return;
    case 'hello':
      return greet(deps, socket, state, message);
    case 'bid':
      void bid(deps, socket, state, message);
      return;
  }
}

async function greet(
  { now }: SolverSocketDeps,
  socket: WebSocket,
  state: Connection,
  { filler, issuedAt, signature }: Extract<SolverMessage, { type: 'hello' }>,
): Promise<void> {
  const age = Math.abs(Math.floor(now() / 1_000) - issuedAt);
  if (age > HELLO_MAX_AGE_SECONDS) {
    const why = `issuedAt is ${age} s from this clock, at most ${HELLO_MAX_AGE_SECONDS} are taken`;
    return say(socket, problem('helloExpired', why));
  }
  const hash = solverHelloDigest(filler, issuedAt);
  const signer = await recoverAddress({ hash, signature }).catch(() => null);
  if (signer?.toLowerCase() !== filler.toLowerCase()) {
    return say(socket, problem('wrongSigner', `the greeting is not signed by ${filler}`));
  }
  state.filler = evmAddress(filler);
  state.turn += 1;
  say(socket, { type: 'greeted', filler: state.filler, serverTimeMs: now() });
}

async function bid(
  { auctions, limits, onError }: SolverSocketDeps,
  socket: WebSocket,
  state: Connection,
  { id, bid: signed }: Extract<SolverMessage, { type: 'bid' }>,
): Promise<void> {
  if (state.inFlight >= limits.inFlightMax) {
    const why = `${limits.inFlightMax} bids of this connection are still being answered`;
    return say(socket, rejected(id, new ApiError('tooManyMessages', why)));
  }
  state.inFlight += 1;
  try {
    const answer = await auctions.placeBid(signed as unknown as SignedBid);
    if (isRefusal(answer)) {
      const { refused, message, details, pointer } = answer;
      say(socket, rejected(id, new ApiError(refused as ErrorCode, message, { details, pointer })));
    } else {
      const { bidHash, created } = answer;
      say(socket, { type: 'bid.accepted', id, auctionId: signed.auctionId, bidHash, created });
    }
  } catch (error) {
    onError(error, 'a bid');
    say(socket, rejected(id, toApiError(error)));
  } finally {
    state.inFlight -= 1;
  }
}

function say(socket: WebSocket, message: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

const problem = (code: ErrorCode, reason: string): JsonObject =>
  problemOf(new ApiError(code, reason));

function problemOf({ code, message, pointer }: ApiError): JsonObject {
  const { remedy, retryable } = ERRORS[code];
  const at = pointer === undefined ? {} : { pointer };
  return { type: 'problem', code, reason: message, remedy, retryable, ...at };
}

function rejected(id: string, error: ApiError): object {
  const { type: _, ...rest } = problemOf(error);
  const { details } = error;
  return { type: 'bid.rejected', id, ...rest, ...(details === undefined ? {} : { details }) };
}

interface Bell {
  readonly ring: () => void;
  reset(): void;
  /** Resolves once it has rung since the last reset. */
  wait(): Promise<void>;
}

function createBell(): Bell {
  let rung = false;
  let wake = () => {};
  return {
    ring() {
      rung = true;
      wake();
    },
    reset() {
      rung = false;
    },
    wait: () =>
      new Promise((done) => {
        wake = done;
        if (rung) done();
      }),
  };
}

/** A token bucket of twice `perSecond`, filled at `perSecond`. */
function createBucket(perSecond: number, now: () => number) {
  let left = 2 * perSecond;
  let at = now();
  return {
    take(): boolean {
      const time = now();
      left = Math.min(2 * perSecond, left + ((time - at) / 1_000) * perSecond);
      at = time;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
