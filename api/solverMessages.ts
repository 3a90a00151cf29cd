// What a solver may say over its socket: the strict reading of one message. Owns shapes and their
// errors; it verifies no signature and answers nothing.

import { type SignedBidMessage, signedBidFromJson } from '../contracts-abi/bidJson.ts';
import { OrderJsonError } from '../contracts-abi/orderJson.ts';
import { parseBody } from './body.ts';
import { ApiError } from './errors.ts';

export type SolverMessage =
  /** The feed from the entry after `afterSeq`; null: from now. */
  | { readonly type: 'listen'; readonly afterSeq: number | null }
  | {
      readonly type: 'hello';
      readonly filler: `0x${string}`;
      /** Unix seconds. */
      readonly issuedAt: number;
      readonly signature: `0x${string}`;
    }
  | { readonly type: 'bid'; readonly id: string; readonly bid: SignedBidMessage };

/** Characters of a bid's `id`, which is the solver's own and comes back with the answer. */
const ID_MAX = 80;

/** A bid that could not be read still has an id to answer under. */
export class UnreadableBid extends Error {
  override readonly name = 'UnreadableBid';
  readonly id: string;
  readonly problem: ApiError;
  constructor(id: string, problem: ApiError) {
    super(problem.message);
    this.id = id;
    this.problem = problem;
  }
}

/** Throws ApiError, with a pointer into the message, and UnreadableBid. */
export function parseMessage(bytes: Uint8Array): SolverMessage {
  const value = parseBody(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ApiError('wrongType', 'a message is a JSON object', { pointer: '' });
  }
  const message = value as Readonly<Record<string, unknown>>;
  switch (message.type) {
    case 'listen': {
      only(message, ['type', 'afterSeq']);
      const { afterSeq = null } = message;
      if (afterSeq !== null && !natural(afterSeq)) throw invalid('afterSeq', 'a sequence number');
      return { type: 'listen', afterSeq: afterSeq as number | null };
    }
    case 'hello': {
      only(message, ['type', 'filler', 'issuedAt', 'signature']);
      const { filler, issuedAt, signature } = message;
      if (!hex(filler, 20)) throw invalid('filler', 'a 20-byte hex address');
      if (!natural(issuedAt)) throw invalid('issuedAt', 'Unix seconds');
      if (!hex(signature, 65)) throw invalid('signature', '65 bytes of hex');
      return { type: 'hello', filler, issuedAt, signature };
    }
    case 'bid': {
      const { id } = message;
      if (typeof id !== 'string' || id === '' || id.length > ID_MAX) {
        throw invalid('id', `a string of 1 to ${ID_MAX} characters`);
      }
      return { type: 'bid', id, bid: readBid(message, id) };
    }
    default:
      throw invalid('type', 'one of listen, hello, bid');
  }
}

function readBid(message: Readonly<Record<string, unknown>>, id: string): SignedBidMessage {
  try {
    only(message, ['type', 'id', 'bid']);
    return signedBidFromJson(message.bid, '/bid');
  } catch (error) {
    if (error instanceof ApiError) throw new UnreadableBid(id, error);
    if (!(error instanceof OrderJsonError)) throw error;
    const { pointer, message: why } = error;
    throw new UnreadableBid(id, new ApiError('malformedBid', `${pointer} ${why}`, { pointer }));
  }
}

function only(message: Readonly<Record<string, unknown>>, fields: readonly string[]): void {
  for (const key of Object.keys(message)) {
    if (fields.includes(key)) continue;
    const name = key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
    throw new ApiError('unknownField', `/${name} is not a known field`, { pointer: `/${name}` });
  }
}

const invalid = (field: string, what: string) =>
  new ApiError('invalidField', `/${field} must be ${what}`, { pointer: `/${field}` });

const natural = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const hex = (value: unknown, bytes: number): value is `0x${string}` =>
  typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-fA-F]+$/.test(value);
