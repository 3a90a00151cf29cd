// POST /v1/quotes: OIF's GetQuoteRequest and GetQuoteResponse, with our intent type and metadata.

import { type Static, type TObject, Type } from 'typebox';
import {
  Account,
  Amount,
  AssetName,
  Bps,
  ChainNumber,
  oneOf,
  QuoteId,
  strict,
  Uint32,
} from './common.ts';
import { SwapIntent, swapExample } from './oif.ts';
import { OrderToSign } from './orders.ts';

const Target = Type.Object(
  {
    asset: AssetName,
    weightBps: Bps('Share of the portfolio; all targets sum to exactly 10000.'),
    chain: Type.Optional(ChainNumber),
  },
  strict,
);

const Holding = Type.Object({ chain: ChainNumber, asset: AssetName, amount: Amount }, strict);

export const RebalanceIntent = Type.Object(
  {
    intentType: Type.Literal('rebalance'),
    owner: Type.Optional(Account),
    scope: Type.Optional(
      Type.Object(
        {
          chains: Type.Optional(Type.Array(ChainNumber, { minItems: 1, maxItems: 64 })),
          assets: Type.Optional(Type.Array(AssetName, { minItems: 1, maxItems: 256 })),
        },
        {
          ...strict,
          description:
            'Chains and assets to trade. Default: every chain, and the assets of the targets. ' +
            'A token in scope that is in no target is sold, or moved to where a target is.',
        },
      ),
    ),
    targets: Type.Array(Target, { minItems: 1, maxItems: 64 }),
    bandBps: Type.Optional(Bps('Drift per target below which nothing is done. Default 0.')),
    maxCostBps: Type.Optional(Bps('Refuse when all fees exceed this share of the portfolio.')),
    maxSlippageBps: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: 'The signed minimum stands this far below the quoted amount. Default 30.',
      }),
    ),
    holdings: Type.Optional(
      Type.Array(Holding, {
        minItems: 1,
        maxItems: 256,
        description: 'What may be traded. Default: all that the owner holds of the targets.',
      }),
    ),
    minValidUntil: Type.Optional(Uint32),
  },
  strict,
);

const examples = [
  {
    user: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    intent: {
      intentType: 'rebalance',
      scope: { chains: [31338, 31339, 31340] },
      targets: [
        { asset: 'WETH', weightBps: 4000 },
        { asset: 'USDC', weightBps: 3000 },
        { asset: 'WBTC', weightBps: 3000 },
      ],
    },
    supportedTypes: ['trimtab-portfolio-v1'],
  },
  swapExample,
];

/** Either intent; told apart by `intentType`. */
const Intent = Type.Unsafe<Static<typeof RebalanceIntent> | SwapIntent>({
  type: 'object',
  required: ['intentType'],
  discriminator: { propertyName: 'intentType' },
  oneOf: [RebalanceIntent, SwapIntent],
});

export const QuoteRequestBody = Type.Object(
  {
    user: Account,
    intent: Intent,
    supportedTypes: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 32 }),
    ),
    solverOptions: Type.Optional(
      Type.Unknown({ description: 'Added by OIF’s aggregator for itself; not read.' }),
    ),
  },
  { ...strict, examples },
);
/** Of a rebalance: what our own client asks for. */
export type QuoteRequestBody = Omit<Static<typeof QuoteRequestBody>, 'intent'> & {
  intent: Static<typeof RebalanceIntent>;
};
export type SwapRequestBody = Omit<Static<typeof QuoteRequestBody>, 'intent'> & {
  intent: SwapIntent;
};

const Dollars = Type.String({ description: 'US dollars, a decimal string.' });
const NodeAmount = Type.Object({ node: Type.String(), amount: Amount });

const Metadata = Type.Object({
  worthUsd: Dollars,
  weights: Type.Object({
    targets: Type.Array(
      Type.Object({
        asset: AssetName,
        chain: Type.Optional(ChainNumber),
        targetBps: Type.Number(),
        beforeBps: Type.Number(),
        afterBps: Type.Number(),
      }),
    ),
    driftBeforeBps: Type.Number(),
    driftAfterBps: Type.Number(),
  }),
  tracking: Type.Optional(
    Type.Object(
      {
        errorBeforeBps: Type.Number({ description: 'Tracking error, bps per year.' }),
        errorAfterBps: Type.Number(),
        riskBeforeUsd: Dollars,
        riskAfterUsd: Dollars,
        riskSavedUsd: Dollars,
        costUsd: Dollars,
      },
      { description: 'Of a rebalance judged by its risk: what it saves, and what it costs.' },
    ),
  ),
  legs: Type.Array(
    Type.Object({
      venue: Type.String(),
      kind: Type.String(),
      fromChain: ChainNumber,
      toChain: ChainNumber,
      in: NodeAmount,
      out: NodeAmount,
      priceImpactBps: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
  fees: Type.Array(
    Type.Object({
      kind: oneOf(['gas', 'venue', 'message', 'solver', 'protocol']),
      amountUsd: Dollars,
      included: Type.Boolean({ description: 'Taken off the quoted amounts already.' }),
    }),
  ),
  totalFeesUsd: Dollars,
  solverFee: Type.Object(
    { marginUsd: Dollars, transfersUsd: Dollars, keptGainsUsd: Dollars },
    { description: 'The parts of the solver fee; kept gains are those of legs over feed prices.' },
  ),
  eta: Type.Object({
    p50Seconds: Type.Integer(),
    p90Seconds: Type.Integer(),
    samples: Type.Integer({
      description: 'Settled orders on these chains that it is from; 0: a model’s, too few yet.',
    }),
  }),
  slippageBps: Type.Integer(),
  approvals: Type.Array(
    Type.Object({
      chainId: ChainNumber,
      token: Type.String(),
      symbol: Type.String(),
      spender: Type.String(),
      required: Amount,
      allowance: Amount,
    }),
  ),
  warnings: Type.Array(
    Type.Object({
      code: Type.String(),
      severity: oneOf(['info', 'warn', 'block']),
      message: Type.String(),
    }),
  ),
  certificate: Type.Object({
    problem: Type.String({ description: 'Digest of GET /v1/quotes/{id}/problem.' }),
    engine: Type.String(),
    status: Type.String(),
    achieved: Type.String(),
    bound: Type.String(),
    gapBps: Type.String(),
    snapshotDigest: Type.String(),
    blocks: Type.Array(
      Type.Object({ chainId: ChainNumber, number: Type.String(), hash: Type.String() }),
    ),
    prices: Type.Record(Type.String(), Type.String()),
    dualPrices: Type.Record(Type.String(), Type.String()),
    covers: Type.String(),
  }),
});

const PreviewInput = Type.Object({
  user: Type.String(),
  asset: Type.String(),
  symbol: Type.String(),
  chainId: ChainNumber,
  amount: Amount,
});
const PreviewOutput = Type.Object({
  receiver: Type.String(),
  asset: Type.String(),
  symbol: Type.String(),
  chainId: ChainNumber,
  amount: Amount,
  minimumAmount: Amount,
});
/** A quote of OIF's type oif-escrow-v0 has OIF's members alone, as its readers refuse others. */
const oifAlone = <T extends TObject>(schema: T, required: readonly string[]) =>
  Type.Unsafe<Static<T>>({ ...schema, required });

export const QuoteResponseBody = Type.Object({
  quotes: Type.Array(
    Type.Object({
      order: OrderToSign,
      validUntil: Type.Integer({ description: 'Unix seconds.' }),
      eta: Type.Integer({ description: 'Seconds from admission to release, median.' }),
      quoteId: QuoteId,
      provider: Type.String(),
      preview: Type.Object({
        inputs: Type.Array(oifAlone(PreviewInput, ['user', 'asset', 'amount'])),
        outputs: Type.Array(oifAlone(PreviewOutput, ['receiver', 'asset', 'amount'])),
      }),
      failureHandling: Type.Literal('refund-automatic'),
      partialFill: Type.Boolean(),
      metadata: Metadata,
    }),
  ),
});
