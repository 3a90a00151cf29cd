// Every error this API can answer with: one table from code to status, title, remedy and whether
// trying the same request again can help; complete by the compiler. Owns the wire form: RFC 9457
// problem+json with the Open Intents Framework's { error, message } beside it. Refuses to leak:
// a defect or a fault says that it happened, never its cause.

import type { FastifyError } from 'fastify';
import {
  type BidRefusalCode,
  type CancelRefusalCode,
  Fault,
  InvalidInput,
  type PolicyRefusalCode,
  type Refusal,
  type ServiceRefusalCode,
  type WebhookRefusalCode,
} from '../solver/index.ts';

type HttpErrorCode =
  | 'malformedJson'
  | 'duplicateKey'
  | 'forbiddenKey'
  | 'tooDeep'
  | 'bodyTooLarge'
  | 'unsupportedMediaType'
  | 'notAcceptable'
  | 'routeNotFound'
  | 'methodNotAllowed'
  | 'malformedRequest'
  | 'headersTooLarge'
  | 'requestTimeout'
  | 'shuttingDown'
  | 'rateLimited'
  | 'missingField'
  | 'unknownField'
  | 'wrongType'
  | 'invalidField'
  | 'invalidAddress'
  | 'invalidInput'
  | 'invalidCursor'
  | 'invalidIdempotencyKey'
  | 'idempotencyConflict'
  | 'idempotencyInProgress'
  | 'orderNotFound'
  | 'tooManyStreams'
  | 'tooManySolvers'
  | 'tooManyMessages'
  | 'helloExpired'
  | 'upstreamFault'
  | 'internal';

export type ErrorCode =
  | HttpErrorCode
  | ServiceRefusalCode
  | PolicyRefusalCode
  | BidRefusalCode
  | WebhookRefusalCode
  | CancelRefusalCode;

interface ErrorEntry {
  readonly status: number;
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  readonly title: string;
  readonly remedy: string;
}

const entry = (status: number, title: string, remedy: string, retryable = false): ErrorEntry => ({
  status,
  retryable,
  title,
  remedy,
});
const LATER = true;

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  malformedJson: entry(400, 'The body is not JSON', 'Send one JSON value in UTF-8.'),
  duplicateKey: entry(400, 'A key appears twice', 'Keep one of the two members.'),
  forbiddenKey: entry(400, 'A key is not allowed', 'Remove the member.'),
  tooDeep: entry(400, 'The body is nested too deeply', 'Nest at most 16 levels.'),
  bodyTooLarge: entry(413, 'The body is too large', 'Send at most 64 KiB.'),
  unsupportedMediaType: entry(415, 'Unsupported media type', 'Send application/json.'),
  notAcceptable: entry(406, 'Not acceptable', 'Accept application/json (or the route’s own type).'),
  routeNotFound: entry(404, 'No such resource', 'See /openapi.json for what there is.'),
  methodNotAllowed: entry(405, 'Method not allowed', 'Use a method that the Allow header names.'),
  malformedRequest: entry(400, 'The request is malformed', 'Send valid HTTP.'),
  headersTooLarge: entry(431, 'The headers are too large', 'Send at most 16 KiB of headers.'),
  requestTimeout: entry(408, 'The request took too long', 'Send it in one go.', LATER),
  shuttingDown: entry(503, 'Shutting down', 'Send it again: another process answers.', LATER),
  rateLimited: entry(429, 'Too many requests', 'Wait as the Retry-After header says.', LATER),
  missingField: entry(400, 'A field is missing', 'Add the field the pointer names.'),
  unknownField: entry(400, 'A field is not known', 'Remove the field the pointer names.'),
  wrongType: entry(400, 'A field has the wrong type', 'Send the type the schema names.'),
  invalidField: entry(400, 'A field has an invalid value', 'Send a value the schema allows.'),
  invalidAddress: entry(400, 'Not an address', 'Send ERC-7930 (0x0001…) or a 20-byte 0x address.'),
  invalidInput: entry(400, 'Invalid input', 'Mend the field the pointer names.'),
  invalidCursor: entry(400, 'Not a cursor of this list', 'Send a nextCursor, or leave it out.'),
  invalidIdempotencyKey: entry(
    400,
    'Invalid Idempotency-Key',
    'Send 1 to 128 printable ASCII characters.',
  ),
  idempotencyConflict: entry(
    409,
    'The Idempotency-Key was used with another body',
    'Use a new key for a new request.',
  ),
  idempotencyInProgress: entry(
    409,
    'The same request is being worked on',
    'Send the same again as the Retry-After header says.',
    LATER,
  ),
  webhookNotFound: entry(404, 'No such webhook', 'Check the webhook id.'),
  webhookUnauthorized: entry(
    401,
    'Not the webhook’s secret',
    'Send Authorization: Bearer and the secret that registering it answered.',
  ),
  webhookUrlRefused: entry(
    422,
    'This URL is not called',
    'Name an https URL of a public host, port 443 or 8443, without credentials.',
  ),
  tooManyWebhooks: entry(409, 'Too many webhooks', 'Delete one that is not needed.'),
  orderNotFound: entry(404, 'No such order', 'Check the order id.'),
  tooLateToCancel: entry(
    409,
    'Too late to cancel',
    'Follow the order: it is filled, or what was taken is refunded.',
  ),
  auctionRunning: entry(
    409,
    'The order is being auctioned',
    'Cancel as the Retry-After header says.',
    LATER,
  ),
  tooManyStreams: entry(503, 'Too many event streams', 'Try again later, or poll.', LATER),
  tooManySolvers: entry(503, 'Too many solvers', 'Close other connections, or try later.', LATER),
  tooManyMessages: entry(429, 'Too many messages', 'Send fewer messages a second.', LATER),
  helloExpired: entry(403, 'The greeting is too old', 'Sign SolverHello with the time of now.'),
  upstreamFault: entry(503, 'Something behind the service failed', 'Try again shortly.', LATER),
  internal: entry(500, 'Internal error', 'Report it; nothing was done on your behalf.'),

  unsupportedIntent: entry(422, 'This intent type is not served', 'Use intentType "rebalance".'),
  unsupportedOrderType: entry(
    422,
    'None of the supported order types is offered',
    'Add "trimtab-portfolio-v1" to supportedTypes.',
  ),
  unknownChain: entry(422, 'Unknown chain', 'Name a chain that /v1/assets lists.'),
  unknownAsset: entry(422, 'Unknown asset', 'Name an asset that /v1/assets lists.'),
  invalidWeights: entry(400, 'Invalid weights', 'Make the weights sum to exactly 10000 bps.'),
  duplicateTarget: entry(400, 'A token is named twice', 'Name every token in one place only.'),
  targetOutOfScope: entry(400, 'Outside the scope', 'Widen the scope, or drop the target.'),
  invalidAmount: entry(
    400,
    'Invalid amount',
    'Send a positive decimal string of base units, without sign, point or leading zeros.',
  ),
  emptyPortfolio: entry(422, 'Nothing to rebalance', 'Fund the account with assets in scope.'),
  nothingToDo: entry(422, 'Nothing to do', 'Ask again when the portfolio has drifted.', LATER),
  noRoute: entry(422, 'No route', 'Widen the scope, or choose other targets.', LATER),
  stalePrice: entry(422, 'A price is stale', 'Try again when its feed has published.', LATER),
  chainDown: entry(503, 'A chain does not answer', 'Leave it out, or try again later.', LATER),
  costAboveLimit: entry(422, 'Too expensive', 'Raise maxCostBps, or wait for more drift.', LATER),
  limitUnmet: entry(
    422,
    'A limit on a chain cannot be kept',
    'Loosen it, or ask for targets on that chain.',
    LATER,
  ),
  insufficientInventory: entry(
    422,
    'The filler cannot deliver this now',
    'Ask for a smaller rebalance, or try again later.',
    LATER,
  ),
  insufficientBalance: entry(422, 'Insufficient balance', 'Fund the account, or ask for less.'),
  tooManyLegs: entry(422, 'Too large for one order', 'Narrow the scope.'),
  quoteUnavailable: entry(422, 'No such offer', 'Ask on the terms that the message names.'),

  quoteNotFound: entry(404, 'No such quote', 'Ask for a new quote.'),
  quoteExpired: entry(409, 'The quote has expired', 'Ask for a new quote and sign that.'),
  orderNotQuoted: entry(
    422,
    'The order is not the quoted one',
    'Sign the order exactly as quoted.',
  ),
  orderMalformed: entry(400, 'The order is malformed', 'Send the order exactly as quoted.'),
  orderExpired: entry(409, 'The order’s deadline has passed', 'Ask for a new quote and sign that.'),
  unknownContract: entry(422, 'A contract of the order is not listed', 'Use the listed contracts.'),
  malformedSignature: entry(
    400,
    'The signature is malformed',
    'Send 65 bytes of hex: r, low s, and v 27 or 28.',
  ),
  wrongSigner: entry(422, 'Not signed by the owner', 'Sign with the key of the owner.'),
  signatureForAnotherOrder: entry(
    422,
    'The signature is for another order',
    'Send the signature made over this very order.',
  ),
  unsupportedOriginSignatures: entry(
    422,
    'Signatures per origin are not served',
    'Send one owner signature.',
  ),
  nonceUsed: entry(
    409,
    'The nonce is used',
    'Ask for a new quote, which has a fresh nonce; for a policy, take another.',
  ),
  insufficientAllowance: entry(
    422,
    'Insufficient allowance',
    'Approve the PortfolioSettler for the inputs that the message names.',
  ),

  policyNotFound: entry(404, 'No such policy', 'Check the policy id.'),
  ownerOnly: entry(
    403,
    'The policy is private',
    'Send the owner’s ReadPolicy signature in the trimtab-reader header.',
  ),
  readExpired: entry(
    403,
    'The reader’s signature is out of date',
    'Sign ReadPolicy with a validUntil at most a day ahead.',
  ),
  policyExpired: entry(409, 'The policy has expired', 'Arm it with a later expiry.'),
  unsupportedPolicy: entry(
    422,
    'The policy needs what is not served',
    'Drop the part that the pointer names.',
  ),
  tooManyPolicies: entry(409, 'Too many policies', 'Revoke one first.'),
  notHalted: entry(
    409,
    'The policy does not stand halted there',
    'Sign ResumePolicy with the haltedEvent that the policy names now.',
  ),
  alreadyEnded: entry(409, 'The policy has ended', 'Arm it again with a new nonce.'),

  auctionNotFound: entry(404, 'No such auction', 'Check the auction id.'),
  auctionClosed: entry(409, 'The auction has closed', 'Bid before closesAtMs, in server time.'),
  malformedBid: entry(400, 'The bid is malformed', 'Send a Bid that keeps the auction’s terms.'),
  coolingDown: entry(409, 'The filler is cooling down', 'Bid again when details.untilMs is over.'),
  bidQuota: entry(409, 'The quota is used up', 'Fill what was won first; bid less often.', LATER),
};

/** An answer that is an error: thrown by hooks and routes, answered by the error handler. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly pointer: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      pointer?: string | undefined;
      details?: Readonly<Record<string, unknown>> | undefined;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.pointer = options.pointer;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** `pointer` names the field in this request's body; a service may know it under another path. */
export const refusalError = (
  { refused, message, details }: Refusal<ErrorCode>,
  pointer: string | undefined,
) => new ApiError(refused, message, { pointer, details });

/** The body of application/problem+json. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly code: ErrorCode;
  /** RFC 6901, into the request body. */
  readonly pointer?: string;
  readonly remedy: string;
  readonly retryable: boolean;
  /** OIF: SCREAMING_SNAKE of code, and the detail again. */
  readonly error: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly retryAfter?: number;
}

/** The problem's type: where its page is, relative to whatever host answered. */
export const errorType = (code: ErrorCode): string => `/v1/errors/${code}`;

export function problemOf(error: ApiError, instance?: string): ProblemBody {
  const { code, message, pointer, details, retryAfterSeconds } = error;
  const { status, title, remedy, retryable } = ERRORS[code];
  return {
    type: errorType(code),
    title,
    status,
    detail: message,
    ...(instance === undefined ? {} : { instance }),
    code,
    ...(pointer === undefined ? {} : { pointer }),
    remedy,
    retryable,
    error: code.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
    message,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds }),
  };
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

/** Whatever was thrown while answering, as an ApiError. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidInput) {
    const code = isErrorCode(error.code) ? error.code : 'invalidInput';
    return new ApiError(code, error.message, { pointer: error.pointer });
  }
  if (error instanceof Fault) {
    const message =
      error.code === 'engineBusy'
        ? 'too many quotes are waiting to be solved; nothing was done'
        : 'a chain or the store did not answer; nothing was done';
    return new ApiError('upstreamFault', message, { cause: error, retryAfterSeconds: 2 });
  }
  return fromFastify(error) ?? new ApiError('internal', 'an internal error', { cause: error });
}

function fromFastify(error: unknown): ApiError | null {
  if (!(error instanceof Error) || !('code' in error || 'statusCode' in error)) return null;
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new ApiError('bodyTooLarge', 'the body is larger than 64 KiB');
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new ApiError('unsupportedMediaType', 'the body must be application/json');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError('malformedRequest', error.message);
  }
  return null;
}

interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string | undefined;
}

/** Codes of fields whose malformed values have an error of their own. */
const FIELD_CODES: Readonly<Record<string, ErrorCode>> = {
  amount: 'invalidAmount',
  weightBps: 'invalidWeights',
  user: 'invalidAddress',
  owner: 'invalidAddress',
  signature: 'malformedSignature',
};

/** The first fault a schema found. Parameters and headers have no pointer into the body. */
export function schemaError(faults: readonly SchemaFault[], where: string): ApiError {
  const [fault] = faults;
  if (fault === undefined) return new ApiError('invalidField', `invalid ${where}`);
  const { keyword, instancePath, params } = fault;
  const pointerToken = (token: unknown) =>
    String(token).slice(0, 80).replaceAll('~', '~0').replaceAll('/', '~1');
  const at = (pointer: string) => ({ pointer: where === 'body' ? pointer : undefined });
  const subject = (pointer: string) =>
    where === 'body' ? pointer || 'the body' : `${where}${pointer}`;
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const key = params.additionalProperty ?? params.unevaluatedProperty;
    const pointer = `${instancePath}/${pointerToken(key)}`;
    return new ApiError('unknownField', `${subject(pointer)} is not a known field`, at(pointer));
  }
  if (keyword === 'required') {
    const pointer = `${instancePath}/${pointerToken(params.missingProperty)}`;
    return new ApiError('missingField', `${subject(pointer)} is missing`, at(pointer));
  }
  const field = instancePath.slice(instancePath.lastIndexOf('/') + 1);
  const code = FIELD_CODES[field] ?? (keyword === 'type' ? 'wrongType' : 'invalidField');
  const allowed = params.allowedValue ?? params.allowedValues;
  const hint = allowed === undefined ? '' : `: ${JSON.stringify(allowed)}`;
  const message = `${subject(instancePath)} ${fault.message ?? 'is invalid'}${hint}`;
  return new ApiError(code, message, at(instancePath));
}
