// Shapes shared by requests and answers. Request objects refuse unknown members (signed messages
// must arrive as sent); answers may grow.

import { type TProperties, Type } from 'typebox';

/** A request object: every unknown member is refused. */
export const strict = { additionalProperties: false } as const;

export const Amount = Type.String({
  pattern: '^(0|[1-9][0-9]{0,77})$',
  description: 'Base units as a decimal string: no sign, no point, no leading zeros.',
  examples: ['2500000000'],
});
export const Account = Type.String({
  minLength: 42,
  maxLength: 200,
  description: 'ERC-7930 version 1 interoperable address, or a plain 20-byte address.',
  examples: ['0x0001000002' + '7a6a14' + 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266'],
});
export const ChainNumber = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'EIP-155 chain id.',
  examples: [31338],
});
export const AssetName = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'An asset of /v1/assets: one name for its tokens on all chains.',
  examples: ['WETH'],
});
export const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });
export const Bytes32 = Type.String({ pattern: '^0x[0-9a-fA-F]{64}$' });
export const Bytes = Type.String({ pattern: '^0x([0-9a-fA-F]{2})*$', maxLength: 8194 });
export const Uint32 = Type.Integer({ minimum: 0, maximum: 0xffffffff });
export const Bps = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 10_000, description });

/** One of some words: Type.Union of their literals, typed by them also where they are a list. */
export const oneOf = <const Word extends string>(
  words: readonly Word[],
  options: { readonly description?: string } = {},
) =>
  Type.Unsafe<Word>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      options,
    ),
  );

export const OrderId = Type.String({
  pattern: '^0x[0-9a-f]{64}$',
  description: 'EIP-712 struct hash of the order, equal on every chain; lower case.',
});
export const QuoteId = Type.String({ minLength: 1, maxLength: 80, pattern: '^[A-Za-z0-9_-]+$' });

/** Numbers of a query arrive as text. */
const Limit = Type.String({
  pattern: '^[1-9][0-9]{0,2}$',
  description: 'Items per page, at most 100; default 20.',
  examples: ['20'],
});
const Cursor = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[A-Za-z0-9_-]+$',
  description: 'nextCursor of the page before.',
});
/** The query of a list that is read page by page. */
export const pageQuery = <const Own extends TProperties>(own: Own, cursor = Cursor) =>
  Type.Object({ ...own, cursor: Type.Optional(cursor), limit: Type.Optional(Limit) }, strict);
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100;
export const limitOf = (text: string | undefined): number =>
  Math.min(Number(text ?? LIMIT_DEFAULT), LIMIT_MAX);

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.Optional(Type.String()),
    code: Type.String({ description: 'Stable; docs/api.md lists all.' }),
    pointer: Type.Optional(Type.String({ description: 'RFC 6901, into the request body.' })),
    remedy: Type.String(),
    retryable: Type.Boolean({ description: 'The same request may succeed later, unchanged.' }),
    error: Type.String({ description: 'code in SCREAMING_SNAKE, as OIF has it.' }),
    message: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    retryAfter: Type.Optional(Type.Integer({ description: 'Seconds.' })),
  },
  { description: 'RFC 9457 problem details, with OIF’s error and message beside them.' },
);

export interface Answer {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

/** An answer under one media type. Documentation, and what tests hold answers to. */
export const answer = (
  description: string,
  schema: object,
  mediaType = 'application/json',
): Answer => ({ description, content: { [mediaType]: { schema } } });
const problem = (description: string) => answer(description, Problem, 'application/problem+json');

/** The problems every route may answer with, and the given ones. */
export const problems = (own: Readonly<Record<number, string>> = {}) => ({
  ...Object.fromEntries(Object.entries(own).map(([status, text]) => [status, problem(text)])),
  429: problem('rateLimited'),
  default: problem('Any other problem: 406, 500, 503.'),
});
