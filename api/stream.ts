// An order's events as server-sent events. Owns the wire form, resumption, heartbeats and the end:
// the stream closes after the terminal event, and a client that does not keep up is dropped, since
// it can resume with Last-Event-ID. Reads events from the store by sequence number; hints only wake
// it, so a lost hint is a delay of one heartbeat, never a lost event.

import type { ServerResponse } from 'node:http';
import { isTerminal, type OrderEvent, type OrderId, type Trimtab } from '../solver/index.ts';

export interface StreamLimits {
  readonly heartbeatMs: number;
  /** Bytes waiting in a client's socket before it is dropped. */
  readonly backlogMax: number;
  readonly streamsMax: number;
}
export const STREAM_LIMITS: StreamLimits = {
  heartbeatMs: 15_000,
  backlogMax: 256 * 1024,
  streamsMax: 1_000,
};
const PAGE = 100;
/** Milliseconds an EventSource waits before it reconnects. */
const RETRY_MS = 1_000;

export interface Streams {
  readonly open: number;
  /** Answers on `raw` from the event after `afterSeq` on; resolves when the stream has ended. */
  follow(raw: ServerResponse, orderId: OrderId, afterSeq: number): Promise<void>;
  /** Ends every stream. */
  closeAll(): void;
}

export function createStreams(
  trimtab: Pick<Trimtab, 'events' | 'subscribe'>,
  limits: StreamLimits,
): Streams {
  const open = new Set<ServerResponse>();
  return {
    get open() {
      return open.size;
    },
    async follow(raw, orderId, afterSeq) {
      open.add(raw);
      try {
        await followOrder(trimtab, limits, raw, orderId, afterSeq);
      } finally {
        open.delete(raw);
        raw.end();
      }
    },
    closeAll() {
      for (const raw of open) raw.end();
    },
  };
}

async function followOrder(
  trimtab: Pick<Trimtab, 'events' | 'subscribe'>,
  { heartbeatMs, backlogMax }: StreamLimits,
  raw: ServerResponse,
  orderId: OrderId,
  afterSeq: number,
): Promise<void> {
  let wake = () => {};
  let woken = false;
  const stir = () => {
    woken = true;
    wake();
  };
  raw.on('close', stir);
  const unsubscribe = trimtab.subscribe(orderId, stir);
  const heart = setInterval(() => {
    if (!raw.writableEnded) raw.write(': heartbeat\n\n');
    stir();
  }, heartbeatMs);
  const ended = () => raw.destroyed || raw.writableEnded;
  try {
    raw.write(`retry: ${RETRY_MS}\n\n`);
    let seq = afterSeq;
    // Ends with the order, the client or the service; each turn sends a page or waits for a hint.
    while (!ended()) {
      woken = false;
      const events = await trimtab.events(orderId, seq, PAGE);
      for (const event of events) {
        if (ended()) return;
        raw.write(frame(event));
        seq = event.seq;
        if (isLast(event)) return;
      }
      if (raw.writableLength > backlogMax) {
        raw.destroy();
        return;
      }
      if (events.length === 0 && !woken) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (woken) resolve();
        });
      }
    }
  } finally {
    clearInterval(heart);
    unsubscribe();
  }
}

/** The event that says that nothing more will happen. */
export function isLast({ type }: OrderEvent): boolean {
  const [, state] = /^order\.(settled|refunded|failed)$/.exec(type) ?? [];
  return (state === 'settled' || state === 'refunded' || state === 'failed') && isTerminal(state);
}

/** `event:` is the type, always prefixed (`order.`, `tx.`), so it never collides with `open`. */
export function frame({ seq, type, orderId, atMs, data }: OrderEvent): string {
  const body = JSON.stringify({ seq, type, orderId, at: Math.floor(atMs / 1000), atMs, data });
  return `id: ${seq}\nevent: ${type}\ndata: ${body}\n\n`;
}
