// A log as server-sent events: an order's, a policy's. Owns the wire form, resumption, heartbeats and
// the end: the stream closes after the last event, and a client that does not keep up is dropped, since
// it can resume with Last-Event-ID. Reads events from the store by sequence number; hints only wake
// it, so a lost hint is a delay of one heartbeat, never a lost event. However many follow an order, an
// event is read and made into bytes once.

import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '../solver/index.ts';
import { ApiError } from './errors.ts';

export interface StreamLimits {
  readonly heartbeatMs: number;
  /** Bytes waiting in a client's socket before it is dropped. */
  readonly backlogMax: number;
  readonly streamsMax: number;
}
export const STREAM_LIMITS: StreamLimits = {
  heartbeatMs: 15_000,
  backlogMax: 256 * 1024,
  streamsMax: 2_000,
};
const PAGE = 100;
/** Milliseconds an EventSource waits before it reconnects. */
const RETRY_MS = 1_000;

export interface StreamedEvent {
  /** Ascending; the event's id on the wire. */
  readonly seq: number;
  /** Prefixed (`order.`, `tx.`, `policy.`), so that it never collides with EventSource's own. */
  readonly type: string;
  readonly body: JsonObject;
  /** Nothing more will happen: the stream ends behind it. */
  readonly last: boolean;
}
export interface EventLog {
  /** Logs with the same key are the same log to everybody: their streams read and write it once. */
  readonly key?: string;
  /** The log has had its last event. */
  readonly over: boolean;
  /** Ascending by seq, at most `limit`. */
  read(afterSeq: number, limit: number): Promise<readonly StreamedEvent[]>;
  /** A hint that events may have been added. Returns how to stop listening. */
  subscribe(listener: () => void): () => void;
}

export interface Streams {
  /** Whether no more may be opened now. */
  readonly full: boolean;
  /** Streams that are open now. */
  readonly open: number;
  /** Answers on `raw` from the event after `afterSeq` on; resolves when the stream has ended. */
  follow(raw: ServerResponse, log: EventLog, afterSeq: number): Promise<void>;
  /** Ends every stream. */
  closeAll(): void;
}

export function createStreams(limits: StreamLimits): Streams {
  const open = new Set<ServerResponse>();
  const topics = new Map<string, Topic>();
  const enter = (log: EventLog): Topic => {
    const topic =
      (log.key === undefined ? undefined : topics.get(log.key)) ?? new Topic(log, limits);
    if (log.key !== undefined) topics.set(log.key, topic);
    topic.followers++;
    return topic;
  };
  const leave = (topic: Topic, { key }: EventLog): void => {
    topic.followers--;
    if (topic.followers > 0) return;
    topic.end();
    if (key !== undefined) topics.delete(key);
  };
  return {
    get full() {
      return open.size >= limits.streamsMax;
    },
    get open() {
      return open.size;
    },
    async follow(raw, log, afterSeq) {
      open.add(raw);
      const topic = enter(log);
      try {
        await follow(limits, raw, topic, afterSeq);
      } finally {
        leave(topic, log);
        open.delete(raw);
        raw.end();
      }
    },
    closeAll() {
      for (const raw of open) raw.end();
    },
  };
}

/** Takes the reply over and answers with the log's stream, after Last-Event-ID. */
export async function answerStream(
  streams: Streams,
  request: FastifyRequest,
  reply: FastifyReply,
  log: EventLog,
): Promise<FastifyReply> {
  const afterSeq = Number(request.headers['last-event-id'] ?? 0);
  // EventSource reconnects after any end of stream, but not after 204.
  if (log.over && (await log.read(afterSeq, 1)).length === 0) return reply.code(204).send();
  if (streams.full) {
    throw new ApiError('tooManyStreams', 'too many streams are open', { retryAfterSeconds: 5 });
  }
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  try {
    await streams.follow(reply.raw, log, afterSeq);
  } catch (error) {
    // The headers are gone: end the stream, the client resumes where it was.
    request.log.warn({ err: error }, 'event stream failed');
  }
  return reply;
}

/** Events as they go over the wire. */
interface Frame {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly last: boolean;
}

const HEARTBEAT = Buffer.from(': heartbeat\n\n');

/**
 * A log with all that follow it. A page is read, and each event made into bytes, once for all followers
 * that stand at the same place, until something may have been added.
 */
class Topic {
  followers = 0;
  readonly #log: EventLog;
  readonly #stirs = new Set<() => void>();
  readonly #beats = new Set<() => void>();
  readonly #unsubscribe: () => void;
  readonly #heart: NodeJS.Timeout;
  /** By the sequence number they begin behind. */
  #pages = new Map<number, Promise<readonly Frame[]>>();

  constructor(log: EventLog, { heartbeatMs }: StreamLimits) {
    this.#log = log;
    this.#unsubscribe = log.subscribe(() => this.#stir());
    this.#heart = setInterval(() => {
      for (const beat of this.#beats) beat();
      this.#stir();
    }, heartbeatMs);
  }

  /** `stir`: look again; `beat`: show that the connection lives. Returns how to stop. */
  join(stir: () => void, beat: () => void): () => void {
    this.#stirs.add(stir);
    this.#beats.add(beat);
    return () => {
      this.#stirs.delete(stir);
      this.#beats.delete(beat);
    };
  }

  read(afterSeq: number): Promise<readonly Frame[]> {
    const known = this.#pages.get(afterSeq);
    if (known !== undefined) return known;
    const pages = this.#pages;
    const page = this.#log.read(afterSeq, PAGE).then((events) => events.map(frameOf));
    pages.set(afterSeq, page);
    page.catch(() => pages.delete(afterSeq));
    return page;
  }

  end(): void {
    clearInterval(this.#heart);
    this.#unsubscribe();
  }

  #stir(): void {
    this.#pages = new Map();
    for (const stir of this.#stirs) stir();
  }
}

async function follow(
  { backlogMax }: StreamLimits,
  raw: ServerResponse,
  topic: Topic,
  afterSeq: number,
): Promise<void> {
  let wake = () => {};
  let woken = false;
  const stir = () => {
    woken = true;
    wake();
  };
  raw.on('close', stir);
  const leave = topic.join(stir, () => {
    if (!raw.writableEnded) raw.write(HEARTBEAT);
  });
  const ended = () => raw.destroyed || raw.writableEnded;
  try {
    raw.write(`retry: ${RETRY_MS}\n\n`);
    let seq = afterSeq;
    // Ends with the log, the client or the service; each turn sends a page or waits for a hint.
    while (!ended()) {
      woken = false;
      const frames = await topic.read(seq);
      for (const frame of frames) {
        if (ended()) return;
        raw.write(frame.bytes);
        seq = frame.seq;
        if (frame.last) return;
      }
      if (raw.writableLength > backlogMax) {
        raw.destroy();
        return;
      }
      if (frames.length === 0 && !woken) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (woken) resolve();
        });
      }
    }
  } finally {
    leave();
  }
}

function frameOf({ seq, type, body, last }: StreamedEvent): Frame {
  const text = `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(body)}\n\n`;
  return { seq, bytes: Buffer.from(text), last };
}
