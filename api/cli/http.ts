// The command line's HTTP client: one JSON request, or an event stream that resumes. A problem the
// service answers with becomes RefusedByService; no answer at all is a Fault that says where it asked.

import { Fault, InvalidInput } from '../../solver/types/errors.ts';
import type { JsonObject } from '../../solver/types/json.ts';
import { entriesOf } from '../client/events.ts';

/** A problem document the service answered with. */
export class RefusedByService extends Error {
  override readonly name = 'RefusedByService';
  readonly problem: JsonObject;
  constructor(problem: JsonObject) {
    super(String(problem.detail ?? problem.message ?? JSON.stringify(problem)));
    this.problem = problem;
  }
}

export interface HttpOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Throws RefusedByService, and Fault when nobody answers. */
export async function request(url: string, options: HttpOptions = {}): Promise<JsonObject> {
  const { method = options.body === undefined ? 'GET' : 'POST', body, headers } = options;
  const response = await reach(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await refusal(response);
  try {
    return (await response.json()) as JsonObject;
  } catch (cause) {
    const message = `${new URL(url).origin} answered with no JSON; is it trimtab that listens there?`;
    throw new Fault(message, { cause, code: 'notTrimtab', retryable: false });
  }
}

/** One event of an event stream of ours. */
export interface StreamedEvent {
  readonly seq: number;
  readonly type: string;
  readonly data: JsonObject;
}

/** Connections lost in a row, a second apart, before a stream is given up. */
const RECONNECTS_MAX = 60;
const RECONNECT_MS = 1_000;

/**
 * A log from its beginning until `isLast`. A stream that was cut, or a service that restarts, is waited
 * for and resumed with Last-Event-ID; one that never answered is a Fault. Throws `signal`'s reason.
 */
export async function* follow(
  url: string,
  isLast: (event: StreamedEvent) => boolean,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): AsyncGenerator<StreamedEvent> {
  let last = 0;
  let lost = 0;
  for (let connected = false; ; ) {
    signal.throwIfAborted();
    const cut = new AbortController();
    try {
      const response = await reach(url, {
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': String(last) },
        signal: AbortSignal.any([signal, cut.signal]),
      });
      if (response.status === 204) return;
      if (!response.ok || response.body === null) throw await refusal(response);
      connected = true;
      for await (const event of entriesOf<StreamedEvent>(response.body, cut)) {
        lost = 0;
        last = event.seq;
        yield event;
        if (isLast(event)) return;
      }
    } catch (error) {
      signal.throwIfAborted();
      const refused = error instanceof RefusedByService && Number(error.problem.status) < 500;
      if (refused || !connected || lost >= RECONNECTS_MAX) throw error;
    } finally {
      cut.abort();
    }
    lost += 1;
    await new Promise((done) => setTimeout(done, lost > 1 ? RECONNECT_MS : 0));
  }
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    const message = `is no http address: ${url.slice(0, 200)}; such as http://127.0.0.1:8787`;
    throw new InvalidInput(message, { pointer: '--api' });
  }
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    const message = `no answer from ${new URL(url).origin}; is \`trimtab start\` running there?`;
    throw new Fault(message, { cause, code: 'unreachable' });
  }
}

async function refusal(response: Response): Promise<RefusedByService> {
  const { status } = response;
  const text = await response.text();
  try {
    return new RefusedByService({ status, ...(JSON.parse(text) as JsonObject) });
  } catch {
    return new RefusedByService({ status, detail: `HTTP ${status}: ${text.slice(0, 300)}` });
  }
}
