// POST /v1/orders and GET /v1/orders/{id}: OIF's PostOrder and GetOrder with our order type.

import { type Static, Type } from 'typebox';
import {
  Account,
  Address,
  Amount,
  Bytes,
  Bytes32,
  ChainNumber,
  OrderId,
  oneOf,
  QuoteId,
  strict,
  Uint32,
} from './common.ts';
import { OriginSubmission, permit2Order } from './oif.ts';

const Message = Type.Object(
  {
    owner: Address,
    nonce: Amount,
    openDeadline: Uint32,
    fillDeadline: Uint32,
    expiry: Uint32,
    auctioneer: Address,
    targets: Bytes32,
    origins: Type.Array(
      Type.Object(
        {
          chainId: Amount,
          settler: Address,
          oracle: Address,
          inputs: Type.Array(Type.Object({ token: Address, amount: Amount }, strict), {
            minItems: 1,
            maxItems: 16,
          }),
        },
        strict,
      ),
      { minItems: 1, maxItems: 16 },
    ),
    outputs: Type.Array(
      Type.Object(
        {
          oracle: Bytes32,
          settler: Bytes32,
          chainId: Amount,
          token: Bytes32,
          amount: Amount,
          recipient: Bytes32,
          callbackData: Bytes,
          context: Bytes,
        },
        strict,
      ),
      { minItems: 1, maxItems: 32 },
    ),
  },
  { ...strict, description: 'The EIP-712 message, byte for byte as quoted.' },
);

const Types = Type.Record(
  Type.String({ maxLength: 64 }),
  Type.Array(Type.Object({ name: Type.String(), type: Type.String() }, strict), { maxItems: 32 }),
);

const PortfolioOrder = Type.Object(
  {
    type: Type.Literal('trimtab-portfolio-v1'),
    payload: Type.Object(
      {
        signatureType: Type.Literal('eip712'),
        domain: Type.Object(
          { name: Type.Literal('trimtab'), version: Type.Literal('1') },
          { ...strict, description: 'No chain id, no contract: one order spans chains.' },
        ),
        primaryType: Type.Literal('PortfolioOrder'),
        message: Message,
        types: Types,
      },
      strict,
    ),
  },
  strict,
);

/** Either order type; told apart by `type`. */
export const OrderToSign = Type.Unsafe<Static<typeof PortfolioOrder>>({
  type: 'object',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [PortfolioOrder, permit2Order(Message, Types)],
});

const Signature = Type.String({
  pattern: '^0x([0-9a-fA-F]{2}){1,4096}$',
  description:
    'The owner’s EIP-712 signature of the payload: 65 bytes, or ERC-1271 bytes; of a Permit2 ' +
    'payload also with OIF’s 0x00 in front.',
});

export const PostOrderBody = Type.Object(
  {
    order: Type.Optional(OrderToSign),
    quoteId: Type.Optional(QuoteId),
    signature: Signature,
    originSignatures: Type.Optional(
      Type.Record(Type.String({ pattern: '^[1-9][0-9]{0,15}$' }), Signature, {
        description: 'One signature per origin chain id, for wallets whose ERC-1271 binds it.',
      }),
    ),
    originSubmission: Type.Optional(OriginSubmission),
    quoteResponse: Type.Optional(
      Type.Object(
        { order: OrderToSign, quoteId: Type.Optional(QuoteId) },
        { description: 'OIF’s aggregator: the quote as it was given, whatever was added to it.' },
      ),
    ),
    sponsor: Type.Optional(Account),
    metadata: Type.Optional(Type.Unknown({ description: 'Of an aggregator; not read.' })),
  },
  {
    ...strict,
    description:
      'order, quoteId, or both (the order must be the quoted one); or quoteResponse, the whole quote.',
    examples: [
      { quoteId: 'q-00112233445566778899aabbccddeeff', signature: `0x${'ab'.repeat(65)}` },
    ],
  },
);
export type PostOrderBody = Static<typeof PostOrderBody>;

export const CancelBody = Type.Object(
  { signature: Signature },
  { ...strict, examples: [{ signature: `0x${'ab'.repeat(65)}` }] },
);

const Transaction = Type.Object({
  chainId: ChainNumber,
  purpose: Type.String(),
  hash: Type.String(),
  status: oneOf(['pending', 'final', 'reverted']),
  blockNumber: Type.Union([Type.String(), Type.Null()]),
  gasUsed: Type.Union([Type.String(), Type.Null()]),
});

const Summary = {
  id: OrderId,
  orderId: OrderId,
  status: oneOf(
    [
      'created',
      'pending',
      'executing',
      'executed',
      'settling',
      'settled',
      'finalized',
      'failed',
      'refunded',
    ],
    { description: 'OIF’s status; state is finer.' },
  ),
  state: Type.String({
    description:
      'created awarded opening opened filling filled proving releasing settled refunding refunded failed',
  }),
  terminal: Type.Boolean(),
  reason: Type.Union([Type.String(), Type.Null()]),
  money: Type.String({ description: 'Where the money is now, in words.' }),
  next: Type.String({ description: 'What happens next, in words.' }),
  createdAt: Type.Integer({ description: 'Unix seconds.' }),
  updatedAt: Type.Integer({ description: 'Unix seconds.' }),
  quoteId: Type.Optional(QuoteId),
  owner: Type.String(),
  nonce: Type.String(),
  inputAmounts: Type.Array(
    Type.Object({
      asset: Type.String(),
      chainId: ChainNumber,
      token: Type.String(),
      amount: Amount,
    }),
  ),
};

const Output = {
  asset: Type.String(),
  chainId: ChainNumber,
  token: Type.String(),
  minimumAmount: Amount,
};

export const OrderView = Type.Object({
  ...Summary,
  outputAmounts: Type.Array(Type.Object({ ...Output, amount: Amount })),
  settlement: Type.Object({
    type: Type.Literal('escrow'),
    data: Type.Record(Type.String(), Type.Unknown()),
  }),
  fillTransaction: Type.Optional(Transaction),
  transactions: Type.Array(Transaction),
  facts: Type.Record(Type.String(), Type.Unknown()),
});

export const OrderList = Type.Object(
  {
    orders: Type.Array(Type.Object({ ...Summary, outputAmounts: Type.Array(Type.Object(Output)) })),
    nextCursor: Type.Union([Type.String(), Type.Null()], {
      description: 'The cursor of the next page; null: this was the last.',
    }),
  },
  {
    description: 'Newest first. Without amounts, transactions and facts: GET the order for those.',
  },
);

export const PostOrderAnswer = Type.Object({
  orderId: OrderId,
  status: Type.Literal('received'),
  order: OrderView,
});
