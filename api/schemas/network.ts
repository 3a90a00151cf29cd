// GET /v1/assets, /v1/chains and /v1/venues: what the service trades on.

import { Type } from 'typebox';
import { Address, ChainNumber } from './common.ts';

export const Assets = Type.Object({
  networks: Type.Record(
    Type.String(),
    Type.Object({
      chain_id: ChainNumber,
      input_settler: Address,
      output_settler: Address,
      tokens: Type.Array(
        Type.Object({ address: Address, symbol: Type.String(), decimals: Type.Integer() }),
      ),
    }),
    { description: 'By chain id, as OIF’s aggregator reads it.' },
  ),
  assets: Type.Array(
    Type.Object({
      asset: Type.String({ description: 'What targets name.' }),
      tokens: Type.Array(
        Type.Object({
          chainId: ChainNumber,
          chain: Type.String(),
          symbol: Type.String(),
          address: Type.String(),
          interoperable: Type.String({ description: 'ERC-7930 version 1.' }),
          decimals: Type.Integer(),
          feed: Type.String({ description: 'The price feed, dollars per whole token.' }),
        }),
      ),
    }),
  ),
});

export const Network = Type.Object({
  chains: Type.Array(
    Type.Object({
      chainId: ChainNumber,
      name: Type.String(),
      publicRpcUrl: Type.Optional(
        Type.String({ description: 'A node that anybody may use; absent where none is offered.' }),
      ),
      confirmations: Type.Integer({ description: 'Blocks on top of a block that is final to us.' }),
      blockSeconds: Type.Number(),
      nativeAsset: Type.String({ description: 'The asset that gas is paid in.' }),
      eid: Type.Integer({ description: 'LayerZero endpoint id.' }),
      contracts: Type.Record(Type.String(), Address, {
        description: 'Name to address; portfolioSettler is the escrow that approvals name.',
        examples: [{ portfolioSettler: `0x${'4a'.repeat(20)}` }],
      }),
    }),
  ),
  auctioneer: Address,
  minProofWindowSeconds: Type.Integer({
    description: 'Between the last fill and the first refund; the contracts hold it.',
  }),
});

export const Venues = Type.Object({
  venues: Type.Array(
    Type.Object({
      venue: Type.String({ description: 'As metadata.legs of a quote names it.' }),
      kind: Type.String({ examples: ['uniswapV3'] }),
      chainId: ChainNumber,
      address: Address,
      tokens: Type.Array(
        Type.Object({ address: Address, symbol: Type.String(), asset: Type.String() }),
      ),
      feePips: Type.Integer({ description: 'Hundredths of a basis point.' }),
    }),
  ),
});
