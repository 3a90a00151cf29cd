// The wire: one JSON request at a time to one service. Owns retries, and refuses to retry what could
// be done twice: reads, quotes and what carries an Idempotency-Key are safe, nothing else is. Holds no
// state but the network it was told or has asked for once.

import { problemError, TrimtabError } from './errors.ts';
import type { AssetList, Network } from './types.ts';

export interface TransportOptions {
  /** Such as `https://trimtab.example`; a trailing slash is dropped. */
  readonly url: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Pins contracts, auctioneer and tokens: an order that names others is refused. Default: what the
   * service announces, asked for once. Keep what getNetwork answered and give it here to hold the
   * service to it.
   */
  readonly network?: Network | undefined;
  /** Further tries of a safe request after a failure that may pass; default 3. */
  readonly retries?: number | undefined;
  /** Until the service has answered a request; default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Doing it twice is doing it once. Default: only for GET. */
  readonly safe?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What every action takes: trimtab({ url }). */
export interface Api {
  readonly url: string;
  /** The answer's JSON. Throws TrimtabError. */
  request<T>(path: string, options?: RequestOptions): Promise<T>;
  /** The answer's text, byte for byte. */
  text(path: string, options?: RequestOptions): Promise<string>;
  /** The answer itself, once it has begun; its status is below 400. For event streams. */
  open(path: string, options?: RequestOptions): Promise<Response>;
  /** Pinned, or announced. */
  network(signal?: AbortSignal): Promise<Network>;
}

const RETRIES = 3;
const TIMEOUT_MS = 30_000;
/** The first pause; it doubles, and a third of it is chance, so that clients do not come in step. */
const PAUSE_MS = 200;
const PAUSE_MAX_MS = 10_000;

/** Throws TrimtabError `invalidArgument` when `url` is none. */
export function trimtab(options: TransportOptions): Api {
  const url = addressOf(options.url);
  const open = (path: string, request: RequestOptions = {}) =>
    answer(options, `${url}${path}${queryOf(request.query)}`, request);
  const text = async (path: string, request: RequestOptions = {}) =>
    readText(await open(path, request), request.signal);
  let announced: Promise<Network> | null = null;
  const api: Api = {
    url,
    open,
    text,
    request: async <T>(path: string, request: RequestOptions = {}) => {
      const body = await text(path, {
        ...request,
        headers: { accept: 'application/json', ...request.headers },
      });
      return jsonOf<T>(url, body);
    },
    network: (signal) => {
      if (options.network !== undefined) return Promise.resolve(options.network);
      announced ??= announcedNetwork(api, signal).catch((error: unknown) => {
        announced = null;
        throw error;
      });
      return announced;
    },
  };
  return api;
}

async function announcedNetwork(api: Api, signal: AbortSignal | undefined): Promise<Network> {
  const [chains, assets] = await Promise.all([
    api.request<Omit<Network, 'assets'>>('/v1/chains', { signal }),
    api.request<AssetList>('/v1/assets', { signal }),
  ]);
  return { ...chains, ...assets };
}

async function answer(
  options: TransportOptions,
  url: string,
  request: RequestOptions,
): Promise<Response> {
  const { method = request.body === undefined ? 'GET' : 'POST', safe = method === 'GET' } = request;
  const tries = safe ? (options.retries ?? RETRIES) : 0;
  for (let turn = 0; ; turn += 1) {
    try {
      return await once(options, url, { ...request, method });
    } catch (error) {
      request.signal?.throwIfAborted();
      if (turn >= tries || !mayPass(error)) throw error;
      await pause(pauseMs(turn, error), request.signal);
    }
  }
}

/** Worth another try: nobody answered, or who did was overloaded. A refusal of the market is not. */
const mayPass = (error: unknown): error is TrimtabError =>
  error instanceof TrimtabError &&
  error.retryable &&
  (error.status === undefined ||
    error.status === 429 ||
    error.status >= 502 ||
    error.code === 'idempotencyInProgress');

function pauseMs(turn: number, error: unknown): number {
  const asked = error instanceof TrimtabError ? (error.retryAfter ?? 0) * 1000 : 0;
  const grown = PAUSE_MS * 2 ** turn * (1 + Math.random() / 3);
  return Math.min(Math.max(asked, grown), PAUSE_MAX_MS);
}

async function once(
  { headers, fetch: ask = globalThis.fetch, timeoutMs = TIMEOUT_MS }: TransportOptions,
  url: string,
  { method = 'GET', body, headers: own, signal }: RequestOptions,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  let response: Response;
  try {
    response = await ask(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...own,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const { origin } = new URL(url);
    if (late.signal.aborted) {
      const message = `${origin} did not answer within ${timeoutMs} ms`;
      throw new TrimtabError('timeout', message, { retryable: true, cause });
    }
    const message = `no answer from ${origin}; is trimtab running there?`;
    throw new TrimtabError('unreachable', message, { retryable: true, cause });
  } finally {
    clearTimeout(timer);
  }
  if (response.status < 400) return response;
  const error = problemError(response.status, await readText(response, signal));
  if (error.retryAfter !== undefined) throw error;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (!Number.isFinite(seconds)) throw error;
  throw new TrimtabError(error.code, error.message, { ...error, retryAfter: seconds });
}

async function readText(response: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TrimtabError('unreachable', 'the answer was cut off', { retryable: true, cause });
  }
}

function jsonOf<T>(url: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const message = `${url} answered with no JSON; is it trimtab that listens there?`;
    throw new TrimtabError('notTrimtab', message, { cause });
  }
}

function addressOf(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  const message = `is no http address: ${url.slice(0, 200)}; such as http://127.0.0.1:8787`;
  throw new TrimtabError('invalidArgument', message, { pointer: '/url' });
}

function queryOf(query: RequestOptions['query'] = {}): string {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) given.set(key, String(value));
  }
  const text = given.toString();
  return text === '' ? '' : `?${text}`;
}

/** Throws the signal's reason. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((done, fail) => {
    const stop = () => {
      clearTimeout(timer);
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      done();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
