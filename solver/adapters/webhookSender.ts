// Calls URLs that strangers named, so that no stranger reaches what only we can reach. A name is
// resolved once per attempt, every address it has must be public, and the connection goes to the very
// address that was checked, whatever the name says a moment later. https only, allowed ports only, no
// credentials, no redirects, bounded time and bytes. Bodies are signed with the webhook's secret.

import { createHmac } from 'node:crypto';
import { lookup as systemLookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../types/ports.ts';
import type { Sent, WebhookSender } from '../types/webhooks.ts';
import { isPublicAddress } from './publicAddress.ts';

export interface WebhookSenderOptions {
  readonly clock: Clock;
  /** For a lab and tests: http, any port, loopback and private addresses. Default false. */
  readonly allowPrivate?: boolean;
  /** Default the system's resolver. All addresses of a name. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** From resolving to the last byte of the answer; default 10,000. */
  readonly timeoutMs?: number;
  /** PEM of further authorities, for tests of TLS. */
  readonly ca?: string;
}

const URL_CHARS_MAX = 2_048;
const PORTS = new Set(['', '443', '8443']);
const TIMEOUT_MS = 10_000;
/** Of the answer; beyond it the connection is cut. What counts is the status. */
const ANSWER_BYTES_MAX = 16 * 1_024;
const HEADER_BYTES_MAX = 8 * 1_024;
const ADDRESSES_MAX = 64;

export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  const { clock, allowPrivate = false, timeoutMs = TIMEOUT_MS } = options;
  const resolve = options.resolve ?? resolveBySystem;
  const urlFault = (text: string) => faultOf(text, allowPrivate);

  /** The address to connect to, or why none. */
  const checkedAddress = async (hostname: string): Promise<string> => {
    const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
    const [first] = addresses;
    if (first === undefined || addresses.length > ADDRESSES_MAX) {
      throw new Error(`${hostname} has ${addresses.length} addresses`);
    }
    // One address that is not public is enough: a name that mixes them is after something.
    const refused = allowPrivate ? undefined : addresses.find((one) => !isPublicAddress(one));
    if (refused !== undefined) throw new Error(`${hostname} is at ${refused}, which is not public`);
    return first;
  };

  return {
    urlFault,
    async send({ url: text, secret, deliveryId, type, body, signal }) {
      const fault = urlFault(text);
      if (fault !== null) return { ok: false, status: null, error: fault };
      const url = new URL(text);
      const timestamp = clock.now();
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const address = await unlessAborted(checkedAddress(bareHost(url)), within);
        const status = await post(url, address, within, body, options.ca, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': String(Buffer.byteLength(body)),
          'user-agent': 'trimtab-webhooks/1',
          'trimtab-event': type,
          'trimtab-delivery': deliveryId,
          'trimtab-signature': signatureOf(secret, timestamp, body),
        });
        return answered(status);
      } catch (error) {
        const why = within.aborted && !signal.aborted ? `no answer within ${timeoutMs} ms` : error;
        const message = why instanceof Error ? why.message : String(why);
        return { ok: false, status: null, error: message.slice(0, 300) };
      }
    },
  };
}

/** `t=<Unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<body>">`. */
export function signatureOf(secret: string, timestamp: number, body: string): string {
  const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return `t=${timestamp},v1=${mac}`;
}

function answered(status: number): Sent {
  if (status >= 200 && status < 300) return { ok: true, status };
  const redirect = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return { ok: false, status, error: `answered ${status}${redirect}` };
}

function faultOf(text: string, allowPrivate: boolean): string | null {
  if (text.length > URL_CHARS_MAX) return `the URL is longer than ${URL_CHARS_MAX} characters`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return 'not a URL';
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) {
    return 'the URL must be https';
  }
  if (url.username !== '' || url.password !== '') return 'the URL must not carry credentials';
  if (allowPrivate) return null;
  if (!PORTS.has(url.port)) return 'the port must be 443 or 8443';
  const host = bareHost(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) return `${host} is not a public address`;
  if (isIP(host) === 0 && !/\.[a-z][a-z0-9-]*\.?$/i.test(host)) return `${host} is no public name`;
  return null;
}

/** Without the brackets of an IPv6 address. */
const bareHost = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1');

async function resolveBySystem(hostname: string): Promise<readonly string[]> {
  const found = await systemLookup(hostname, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** The status of the answer. Rejects on any failure to get one. */
function post(
  url: URL,
  address: string,
  signal: AbortSignal,
  body: string,
  ca: string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const family = isIP(address) === 6 ? 6 : 4;
  const pinned: LookupFunction = (_, { all }, done) => {
    if (all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  return new Promise((resolve, reject) => {
    const take = (answer: IncomingMessage) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) answer.destroy(new Error('the answer is too long'));
      });
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', reject);
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const call: ClientRequest = send(
      url,
      {
        method: 'POST',
        headers,
        signal,
        lookup: pinned,
        // A connection of its own: a pooled one was checked for another attempt.
        agent: false,
        maxHeaderSize: HEADER_BYTES_MAX,
        ...(ca === undefined ? {} : { ca }),
      },
      take,
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** What resolving has no way to be told: that nobody waits any more. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
