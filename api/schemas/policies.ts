// /v1/policies: standing policies, their log, their proposals. The document itself is checked by the
// domain, which points into it; here it is only an object.

import { type Static, Type } from 'typebox';
import {
  Account,
  Amount,
  AssetName,
  Bytes,
  ChainNumber,
  OrderId,
  oneOf,
  QuoteId,
  strict,
  Uint32,
} from './common.ts';

const Document = Type.Record(Type.String(), Type.Unknown(), {
  description: 'A policy; docs/policy.md has every field. `targets` alone is enough.',
  examples: [{ targets: { BTC: '0.5', ETH: '0.3', CASH: '0.2' } }],
});
const Holdings = Type.Array(
  Type.Object({ chain: ChainNumber, asset: AssetName, amount: Amount }, strict),
  { minItems: 1, maxItems: 256, description: 'Instead of what the owner holds.' },
);
const document = { targets: { BTC: '0.5', ETH: '0.3', USDC: '0.2' } };
const owner = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

export const PolicyId = Type.String({
  pattern: '^0x[0-9a-f]{64}$',
  description: 'EIP-712 struct hash of the signed Policy; lower case.',
});

export const ArmPolicyBody = Type.Object(
  {
    document: Document,
    owner: Account,
    nonce: Amount,
    expires: Type.Optional(Uint32),
    signature: Bytes,
  },
  {
    ...strict,
    examples: [{ document, owner, nonce: '1', signature: `0x${'ab'.repeat(65)}` }],
  },
);
export type ArmPolicyBody = Static<typeof ArmPolicyBody>;

export const DryRunBody = Type.Object(
  {
    document: Document,
    owner: Account,
    holdings: Type.Optional(Holdings),
    arm: Type.Optional(
      Type.Object(
        { nonce: Amount, expires: Type.Optional(Uint32) },
        { ...strict, description: 'Also answer with the typed data that arms the policy.' },
      ),
    ),
  },
  { ...strict, examples: [{ document, owner, arm: { nonce: '1' } }] },
);
export type DryRunBody = Static<typeof DryRunBody>;

export const DriftBody = Type.Object(
  { document: Document, owner: Account },
  { ...strict, examples: [{ document, owner }] },
);
export type DriftBody = Static<typeof DriftBody>;

export const SignatureBody = Type.Object(
  { signature: Bytes },
  { ...strict, examples: [{ signature: `0x${'ab'.repeat(65)}` }] },
);

const Weights = Type.Record(Type.String(), Type.Number());
const Reason = Type.Object({
  code: Type.String({ description: 'Stable; docs/policy.md lists all.' }),
  message: Type.String(),
  asset: Type.Optional(Type.String()),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export const Decision = Type.Object({
  at: Uint32,
  mode: oneOf(['normal', 'reduceOnly', 'halted']),
  kind: oneOf(['act', 'idle']),
  cause: Type.Union([Type.String(), Type.Null()]),
  aim: Type.Union([
    Type.Object({
      landing: Weights,
      targets: Weights,
      turnover: Type.Number({ description: 'Half the sum of |landing − weight|.' }),
      aversion: Type.Union([Type.Number(), Type.Null()], {
        description: 'κτ of the optimizer’s tracking objective; null: to the landing exactly.',
      }),
    }),
    Type.Null(),
  ]),
  leverage: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  hedge: Type.Union([Type.Array(Type.Record(Type.String(), Type.Unknown())), Type.Null()]),
  reasons: Type.Array(Reason),
  skipped: Type.Array(Reason, { description: 'What was considered and left undone, and why.' }),
  nextAt: Uint32,
});

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const PolicyView = Type.Object({
  policyId: PolicyId,
  owner: Type.String(),
  nonce: Amount,
  expires: orNull(Uint32),
  commitment: Type.String({ description: 'keccak256 of the document’s canonical JSON.' }),
  privacy: Type.Union([Type.Literal('public'), Type.Literal('commitment')]),
  state: Type.String({ description: 'docs/keeper.md has all states.' }),
  note: Type.String({ description: 'What the state means and what happens next.' }),
  createdAt: Uint32,
  updatedAt: Uint32,
  haltedEvent: orNull(Type.Integer()),
  orderId: orNull(OrderId),
  document: orNull(Document),
  lastDecision: orNull(Decision),
  nextAt: orNull(Uint32),
  proposal: orNull(Type.Object({ quoteId: QuoteId, validUntil: Uint32 })),
});

export const ArmPolicyAnswer = Type.Object({
  policyId: PolicyId,
  created: Type.Boolean({ description: 'False: this very policy was armed before.' }),
  policy: PolicyView,
});
export const PolicyList = Type.Object({ policies: Type.Array(PolicyView) });

export const PolicyEvents = Type.Object({
  decisions: Type.Array(
    Type.Object({
      seq: Type.Integer({ description: 'Cursor for `after`.' }),
      number: Type.Integer({ description: '1, 2, 3, … without gaps.' }),
      at: Uint32,
      type: Type.String(),
      data: Type.Record(Type.String(), Type.Unknown()),
    }),
  ),
  next: orNull(Type.Integer({ description: '`after` of the next page.' })),
});

export const Proposals = Type.Object({
  proposals: Type.Array(
    Type.Object({
      policyId: PolicyId,
      quoteId: QuoteId,
      createdAt: Uint32,
      validUntil: Uint32,
      response: Type.Record(Type.String(), Type.Unknown(), {
        description: 'The quote as POST /v1/quotes has it: the order to sign, the certificate.',
      }),
    }),
  ),
});

export const Portfolio = Type.Object({
  at: Uint32,
  worthUsd: Type.Number(),
  inFlightUsd: Type.Number(),
  assets: Type.Array(
    Type.Object({
      asset: Type.String(),
      weight: Type.Number(),
      target: Type.Number(),
      drift: Type.Number(),
      worthUsd: Type.Number(),
      priceUsd: Type.Number(),
    }),
  ),
  chains: Type.Array(Type.Object({ chain: ChainNumber, weights: Weights })),
  largestDrift: Type.Number(),
  turnover: Type.Number(),
  trackingError: Type.Number({ description: 'Per √year.' }),
  forecast: Type.String(),
});

export const DryRunAnswer = Type.Object({
  commitment: Type.String(),
  decision: Decision,
  portfolio: Portfolio,
  quote: orNull(
    Type.Object({
      offered: Type.Boolean(),
      response: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      refused: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
    }),
  ),
  payload: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'EIP-712 typed data: sign it, then POST /v1/policies.',
    }),
  ),
});
