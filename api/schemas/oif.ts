// What the Open Intents Framework (OIF) adds to our requests: its swap intent, and its order type of
// a Permit2 transfer. Shapes only; what of it is served is said in api/oif.ts.

import { type Static, Type } from 'typebox';
import { Account, Address, Amount, oneOf, strict, Uint32 } from './common.ts';

const Anything = (description: string) => Type.Optional(Type.Unknown({ description }));

/** Sources disagree on the spelling of both lists; either is accepted. */
const Preference = oneOf([
  ...['price', 'speed', 'input-priority', 'inputPriority'],
  ...['trust-minimization', 'trustMinimization'],
]);
const Scheme = oneOf([
  ...['erc-4337', 'erc4337', 'permit2', 'erc20-permit', 'eip-3009', 'eip3009'],
]);

export const OriginSubmission = Type.Object(
  {
    mode: oneOf(['user', 'protocol']),
    schemes: Type.Optional(Type.Array(Scheme, { maxItems: 8 })),
  },
  strict,
);

const SwapInput = Type.Object(
  {
    user: Account,
    asset: Account,
    amount: Type.Optional(Amount),
    lock: Anything('Resource locks are refused by name.'),
  },
  strict,
);
const SwapOutput = Type.Object(
  {
    receiver: Account,
    asset: Account,
    amount: Type.Optional(Amount),
    calldata: Type.Optional(Type.String({ maxLength: 8194, description: '0x, or refused.' })),
  },
  strict,
);

export const SwapIntent = Type.Object(
  {
    intentType: Type.Literal('oif-swap'),
    inputs: Type.Array(SwapInput, { minItems: 1, maxItems: 16 }),
    outputs: Type.Array(SwapOutput, { minItems: 1, maxItems: 16 }),
    swapType: Type.Optional(oneOf(['exact-input', 'exact-output'])),
    minValidUntil: Type.Optional(Type.Union([Uint32, Type.Null()])),
    preference: Type.Optional(Preference),
    originSubmission: Type.Optional(OriginSubmission),
    failureHandling: Type.Optional(
      Type.Array(oneOf(['refund-automatic', 'refund-claim', 'needs-new-signature']), {
        minItems: 1,
        maxItems: 8,
      }),
    ),
    partialFill: Type.Optional(Type.Boolean()),
    metadata: Anything('Of the caller’s; not read.'),
  },
  { ...strict, description: 'OIF’s swap: docs/oif.md says what is claimed.' },
);
export type SwapIntent = Static<typeof SwapIntent>;

export const swapExample = {
  user: '0x0001000002' + '7a6a14' + 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  intent: {
    intentType: 'oif-swap',
    inputs: [
      {
        user: '0x0001000002' + '7a6a14' + 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        asset: '0x0001000002' + '7a6a14' + '5fbdb2315678afecb367f032d93f642f64180aa3',
        amount: '1000000000000000000',
      },
    ],
    outputs: [
      {
        receiver: '0x0001000002' + '7a6b14' + 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266',
        asset: '0x0001000002' + '7a6b14' + 'e7f1725e7734ce288f8367e1bb143e90bb3f0512',
      },
    ],
    swapType: 'exact-input',
  },
  supportedTypes: ['oif-escrow-v0'],
};

/** An integer as wallets and libraries write it. */
const Whole = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Amount]);

/** `witness` and `types` as api/schemas/orders.ts has them. */
export const permit2Order = (witness: object, types: object) =>
  Type.Object(
    {
      type: Type.Literal('oif-escrow-v0'),
      payload: Type.Object(
        {
          signatureType: Type.Literal('eip712'),
          domain: Type.Object(
            { name: Type.Literal('Permit2'), chainId: Whole, verifyingContract: Address },
            { ...strict, description: 'Permit2’s domain has no version.' },
          ),
          primaryType: Type.Literal('PermitBatchWitnessTransferFrom'),
          message: Type.Object(
            {
              permitted: Type.Array(Type.Object({ token: Address, amount: Amount }, strict), {
                minItems: 1,
                maxItems: 16,
              }),
              spender: Address,
              nonce: Amount,
              deadline: Whole,
              witness: Type.Unsafe<Record<string, unknown>>(witness),
            },
            strict,
          ),
          types: Type.Unsafe<Record<string, unknown>>(types),
        },
        strict,
      ),
    },
    { ...strict, description: 'The order as the witness of a Permit2 batch transfer.' },
  );
