// What the SDK throws: one class, told apart by `code`. The service's problems (RFC 9457) keep their
// own codes (docs/api.md lists them); the SDK's own are ClientCode. An abort throws the signal's
// reason as it is.

import type { Static } from 'typebox';
import type { Problem } from '../schemas/common.ts';

export type ProblemDocument = Static<typeof Problem>;

export type ClientCode =
  /** Nobody answers at that address. */
  | 'unreachable'
  /** Somebody answers, but not as trimtab does. */
  | 'notTrimtab'
  /** No answer in time. */
  | 'timeout'
  /** What the service offers is not what was asked for; nothing was signed. */
  | 'mismatch'
  /** The certificate does not prove what it says. */
  | 'certificateRejected'
  /** The arguments cannot be meant. */
  | 'invalidArgument'
  /** The wallet has no account, or its node is of another chain, or a transaction reverted. */
  | 'walletFault';

export interface TrimtabErrorOptions {
  readonly status?: number | undefined;
  /** The same call, unchanged, may succeed later. */
  readonly retryable?: boolean | undefined;
  /** RFC 6901: into the request, or into the quote that was refused. */
  readonly pointer?: string | undefined;
  readonly remedy?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

export class TrimtabError extends Error {
  override readonly name = 'TrimtabError';
  /** The service's code, or a ClientCode. */
  readonly code: string;
  /** HTTP status; undefined where the service was not what failed. */
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly pointer: string | undefined;
  readonly remedy: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfter: number | undefined;
  constructor(
    code: ClientCode | (string & {}),
    message: string,
    options: TrimtabErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
    this.pointer = options.pointer;
    this.remedy = options.remedy;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
  }
}

/** A problem document as an error; `body` is whatever the service sent with a status of 400 or more. */
export function problemError(status: number, body: string): TrimtabError {
  const problem = parsed(body);
  const { code, detail, pointer, remedy, retryable, details, retryAfter } = problem ?? {};
  if (typeof code !== 'string' || typeof detail !== 'string') {
    const text = body.slice(0, 300).trim();
    return new TrimtabError('notTrimtab', `HTTP ${status}${text === '' ? '' : `: ${text}`}`, {
      status,
      retryable: status === 502 || status === 503 || status === 504,
      // /readyz says no with a document that is no problem.
      ...(problem === null ? {} : { details: problem }),
    });
  }
  return new TrimtabError(code, detail, {
    status,
    pointer,
    remedy,
    retryable,
    details,
    retryAfter,
  });
}

function parsed(body: string): Partial<ProblemDocument> | null {
  try {
    return JSON.parse(body) as Partial<ProblemDocument>;
  } catch {
    return null;
  }
}
