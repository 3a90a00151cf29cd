// Event streams (server-sent events) that resume: every log of the service numbers its entries, and a
// stream that was cut goes on after the last one seen (Last-Event-ID). Refuses to end quietly: a log
// ends with its last entry, with the caller's signal, or with an error.

import { TrimtabError } from './errors.ts';
import { type Api, pause } from './transport.ts';

/** One entry of an order's or a policy's log. */
export interface LogEvent {
  /** Ascending; where to resume. */
  readonly seq: number;
  /** Such as `order.settled`, `tx.sent`; docs/api.md lists them. */
  readonly type: string;
  /** Unix seconds. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** Of a policy's log: 1, 2, 3, … without gaps. */
  readonly number?: number;
}

export interface FollowOptions {
  /** Entries up to this one are known already; default 0: from the first. */
  readonly afterSeq?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Connections lost in a row, without one new entry, before the stream is given up. */
const LOST_MAX = 30;
const RECONNECT_MS = 1_000;
/** The service sends a comment every 15 s: silence for three of them is a dead connection. */
const SILENCE_MS = 45_000;
/** A single entry is far smaller; more than this unfinished is no stream of ours. */
const FRAME_MAX = 1 << 20;

/**
 * A log's entries, from after `afterSeq` until `isLast`. Throws TrimtabError `streamLost` when the
 * stream cannot be had, the service's own refusal when it has one, and the signal's reason.
 */
export async function* followLog(
  api: Api,
  path: string,
  isLast: (event: LogEvent) => boolean,
  { afterSeq = 0, headers, signal }: FollowOptions = {},
): AsyncGenerator<LogEvent, void, void> {
  let last = afterSeq;
  for (let lost = 0; ; lost += 1) {
    if (lost > 0) await pause(lost > 1 ? RECONNECT_MS : 0, signal);
    const cut = new AbortController();
    try {
      const response = await api.open(path, {
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': String(last) },
        signal: signal === undefined ? cut.signal : AbortSignal.any([signal, cut.signal]),
      });
      if (response.status === 204) return;
      for await (const event of eventsOf(response, cut)) {
        if (event.seq <= last) continue;
        lost = 0;
        last = event.seq;
        yield event;
        if (isLast(event)) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (isRefusal(error)) throw error;
      if (lost >= LOST_MAX) {
        const message = `the event stream was lost ${lost + 1} times in a row`;
        throw new TrimtabError('streamLost', message, { retryable: true, cause: error });
      }
    } finally {
      cut.abort();
    }
    if (lost >= LOST_MAX) {
      throw new TrimtabError('streamLost', 'the event stream ends without its last event', {
        retryable: true,
      });
    }
  }
}

/** The service said no, and will say so again. */
const isRefusal = (error: unknown): boolean =>
  error instanceof TrimtabError &&
  (!error.retryable || error.code === 'tooManyStreams') &&
  error.status !== undefined;

async function* eventsOf(response: Response, cut: AbortController): AsyncGenerator<LogEvent> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/event-stream') || response.body === null) {
    const message = `expected an event stream, got ${type === '' ? 'nothing' : type}`;
    throw new TrimtabError('notTrimtab', message, { status: response.status });
  }
  yield* entriesOf<LogEvent>(response.body, cut);
}

/** A log's entries as they arrive; `cut` ends a connection that fell silent. Comments are passed over. */
export async function* entriesOf<Entry extends { readonly data: object }>(
  body: ReadableStream<Uint8Array>,
  cut: AbortController,
): AsyncGenerator<Entry> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = '';
  for (;;) {
    const timer = setTimeout(() => cut.abort(), SILENCE_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    buffer += decoder.decode(value, { stream: true }).replaceAll('\r', '');
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const event = frame<Entry>(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event !== null) yield event;
    }
    if (buffer.length > FRAME_MAX) throw new TrimtabError('notTrimtab', 'an event without an end');
  }
}

/** null: a comment, or a field of the protocol alone. */
function frame<Entry extends { readonly data: object }>(text: string): Entry | null {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).replace(/^ /, ''));
  if (data.length === 0) return null;
  const event = JSON.parse(data.join('\n')) as Entry;
  return { ...event, data: event.data ?? {} };
}
